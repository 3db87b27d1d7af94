"""Posteriors against the textbook, and scales that find the truth."""

import numpy as np
import pytest

from adadeep.search.belief import LinearBelief, Scales

GROUPS = np.array([0, 0, 1, 1, 1])
SCALES = Scales(np.array([0.5, 2.0]), 0.3)
RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(4, 5))
VALUES = RNG.normal(size=4)
VARIANCES = np.array([0.01, 0.2, 0.05, 0.0])


def fitted(scales=SCALES):
    belief = LinearBelief(GROUPS, scales)
    belief.fit(ROWS, VALUES, VARIANCES, are_scales_kept=True)
    return belief


def posterior(scales=SCALES):
    """Mean and covariance of the weights by precisions (Bishop 2006, 3.50 and 3.51)."""
    prior = np.diag(1 / np.square(scales.groups[GROUPS]))
    noise = np.diag(1 / (VARIANCES + scales.stray**2))
    covariance = np.linalg.inv(prior + ROWS.T @ noise @ ROWS)
    return covariance @ ROWS.T @ noise @ VALUES, covariance


def test_mean_and_variance_are_those_of_the_textbook():
    mean, covariance = posterior()
    belief, others = fitted(), np.random.default_rng(5).normal(size=(3, 5))
    np.testing.assert_allclose(belief.mean, mean, rtol=1e-8)
    np.testing.assert_allclose(
        belief.variance(others), np.diag(others @ covariance @ others.T), rtol=1e-8
    )
    np.testing.assert_array_equal(belief.scales.vector, SCALES.vector)


def test_samples_have_that_mean_and_covariance():
    mean, covariance = posterior()
    samples = fitted().sample(np.random.default_rng(1), 40_000)
    spread = np.sqrt(np.diag(covariance))
    assert np.abs((samples.mean(axis=0) - mean) / spread).max() < 5 / np.sqrt(40_000)
    np.testing.assert_allclose(
        np.cov(samples.T) / np.outer(spread, spread), covariance / np.outer(spread, spread),
        atol=0.03,
    )  # fmt: skip


def test_before_anything_is_seen_there_is_the_prior():
    belief = LinearBelief(GROUPS, SCALES)
    belief.fit(np.empty((0, 5)), np.empty(0), np.empty(0))
    prior = SCALES.groups[GROUPS]
    assert not belief.mean.any()
    np.testing.assert_allclose(belief.variance(np.eye(5)), prior**2)
    samples = belief.sample(np.random.default_rng(2), 20_000)
    np.testing.assert_allclose(samples.std(axis=0) / prior, 1.0, atol=0.03)
    assert len(belief.smoothed()) == 0


def simulated(truth, seed, count=60, noise_sd=0.05):
    """Rows of 0 and 1, their sums with a stray and noise; and the sums without the noise."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=len(GROUPS)) * truth.groups[GROUPS]
    rows = (rng.random((count, len(GROUPS))) < 0.5).astype(float)
    sums = rows @ weights + truth.stray * rng.normal(size=count)
    return rows, sums, sums + noise_sd * rng.normal(size=count), np.full(count, noise_sd**2)


@pytest.mark.parametrize("factor", [8.0, 1 / 8])
def test_the_evidence_moves_scales_towards_the_truth(factor):
    truth = Scales(np.array([0.5, 2.0]), 0.3)
    start = Scales(truth.groups * factor, truth.stray * factor)
    ends = []
    for seed in range(6):
        rows, _, values, variances = simulated(truth, seed)
        belief = LinearBelief(GROUPS, start)
        for _ in range(6):
            belief.fit(rows, values, variances)
        ends.append(np.log(belief.scales.vector / truth.vector))
    far = np.abs(np.median(ends, axis=0))
    assert (far < 0.7 * np.log(8)).all(), far
    assert far[-1] < 0.4  # 60 sums tell of the stray more than 2 or 3 weights of theirs


def test_a_scale_is_held_by_its_prior_while_little_was_seen():
    """One sum that is far too large for them; without the prior each fit would double a scale."""
    belief = LinearBelief(np.array([0]), Scales(np.array([0.1]), 0.01))
    for _ in range(30):
        belief.fit(np.ones((1, 1)), np.array([1e3]), np.zeros(1))
    assert 0.1 < belief.scales.groups[0] < 1e3 * 0.5


def test_smoothed_sums_are_nearer_to_the_truth_than_noisy_ones():
    truth = Scales(np.array([0.5, 0.5]), 0.02)
    raw, smoothed = [], []
    for seed in range(20):
        rows, sums, values, variances = simulated(truth, seed, count=20, noise_sd=0.1)
        belief = LinearBelief(GROUPS, truth)
        belief.fit(rows, values, variances)
        raw.append(np.square(values - sums).mean())
        smoothed.append(np.square(belief.smoothed() - sums).mean())
    assert np.mean(smoothed) < 0.5 * np.mean(raw)
    assert sum(s < r for s, r in zip(smoothed, raw, strict=True)) >= 18


def test_smoothing_is_the_posterior_mean_of_a_sum_with_its_own_stray():
    """By the joint normal law of noisy and noiseless sums."""
    shared = (ROWS * np.square(SCALES.groups[GROUPS])) @ ROWS.T + SCALES.stray**2 * np.eye(4)
    expected = shared @ np.linalg.solve(shared + np.diag(VARIANCES), VALUES)
    np.testing.assert_allclose(fitted().smoothed(), expected, rtol=1e-8)


def test_what_was_fitted_before_is_forgotten():
    belief = LinearBelief(GROUPS, SCALES)
    belief.fit(ROWS[::-1], VALUES + 5, VARIANCES, are_scales_kept=True)
    belief.fit(ROWS, VALUES, VARIANCES, are_scales_kept=True)
    np.testing.assert_array_equal(belief.mean, fitted().mean)
