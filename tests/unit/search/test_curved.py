"""A belief on a curve: sums of exponentials are recovered, noise is taken out."""

from dataclasses import dataclass

import numpy as np
import pytest

from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.curved import CurvedBelief

COUNT = 6
GROUPS = np.zeros(COUNT, np.int64)


class Plane:
    """A plan is a row of features."""

    def of(self, decisions):
        return PlaneThere(decisions)


@dataclass
class PlaneThere:
    rows: np.ndarray

    def values(self, weights):
        return self.rows @ weights

    def slopes(self, weights):
        del weights
        return self.rows


class Exponentials:
    """The logarithm of a sum of exponentials: each feature counts a part."""

    def of(self, decisions):
        return ExponentialsThere(decisions)


@dataclass
class ExponentialsThere:
    rows: np.ndarray

    def values(self, weights):
        return np.log(self.rows @ np.exp(weights))

    def slopes(self, weights):
        parts = self.rows * np.exp(weights)
        return parts / parts.sum(axis=1, keepdims=True)


def told(curve, scales, rows, values, variance):
    belief = CurvedBelief(curve, GROUPS, scales)
    for row, value in zip(rows, values, strict=True):
        belief.see(row, float(value), variance)
    belief.fit()
    return belief


def test_on_a_plane_it_is_the_linear_belief():
    rng = np.random.default_rng(0)
    rows, values = rng.normal(size=(5, COUNT)), rng.normal(size=5)
    scales = Scales(np.array([0.7]), 0.05)
    curved = told(Plane(), scales, rows, values, 0.01)
    linear = LinearBelief(GROUPS, scales)
    expected = linear.mean_of(rows, values, np.full(5, 0.01))
    np.testing.assert_allclose(curved.mean, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_sum_are_recovered(seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.8, COUNT)
    rows = rng.uniform(0, 1, (30, COUNT))
    values = Exponentials().of(rows).values(truth)
    belief = told(Exponentials(), Scales(np.array([1.0]), 0.01), rows, values, 1e-6)
    np.testing.assert_allclose(belief.mean, truth, atol=0.1)
    drawn = belief.sample(rng, 200)
    np.testing.assert_allclose(drawn.mean(axis=0), belief.mean, atol=0.05)


def test_smoothed_values_are_nearer_to_the_truth_than_noisy_ones():
    raw, smoothed = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = rng.uniform(0, 1, (20, COUNT))
        sums = Exponentials().of(rows).values(rng.normal(0, 0.5, COUNT))
        values = sums + rng.normal(0, 0.1, 20)
        belief = told(Exponentials(), Scales(np.array([0.5]), 0.01), rows, values, 0.01)
        raw.append(np.square(values - sums).mean())
        smoothed.append(np.square(belief.smoothed() - sums).mean())
    assert np.mean(smoothed) < 0.5 * np.mean(raw)
    assert sum(s < r for s, r in zip(smoothed, raw, strict=True)) >= 18


def test_a_value_with_a_stray_of_its_own_is_kept_and_a_noisy_one_is_not():
    """The plane lies through the prior's 0; what is seen is 1."""
    rows, values = np.zeros((1, COUNT)), np.ones(1)
    sure = told(Plane(), Scales(np.array([0.1]), 0.5), rows, values, 0.0)
    noisy = told(Plane(), Scales(np.array([0.1]), 0.001), rows, values, 25.0)
    assert sure.smoothed()[0] == pytest.approx(1.0, abs=1e-6)
    assert abs(noisy.smoothed()[0]) < 0.01


def test_before_anything_is_seen_there_is_the_prior():
    belief = CurvedBelief(Exponentials(), GROUPS, Scales(np.array([0.3]), 0.1))
    belief.fit()
    assert not belief.mean.any()
    assert belief.smoothed().size == 0
    drawn = belief.sample(np.random.default_rng(0), 4000)
    assert drawn.std() == pytest.approx(0.3, rel=0.05)
