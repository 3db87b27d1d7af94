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
    belief.fit(ROWS, VALUES, VARIANCES)
    return belief


def posterior(scales):
    """Mean and covariance of the weights by precisions (Bishop 2006, 3.50 and 3.51)."""
    prior = np.diag(1 / np.square(scales.groups[GROUPS]))
    noise = np.diag(1 / (VARIANCES + scales.stray**2))
    covariance = np.linalg.inv(prior + ROWS.T @ noise @ ROWS)
    return covariance @ ROWS.T @ noise @ VALUES, covariance


def test_the_mean_is_that_of_the_textbook():
    belief = fitted()
    mean, _ = posterior(belief.scales)
    np.testing.assert_allclose(belief.mean, mean, rtol=1e-8)


def test_what_the_mean_would_be_is_told_without_taking_anything():
    belief = LinearBelief(GROUPS, SCALES)
    mean, _ = posterior(SCALES)
    np.testing.assert_allclose(belief.mean_of(ROWS, VALUES, VARIANCES), mean, rtol=1e-8)
    assert not belief.mean.any()
    assert belief.scales == SCALES


def test_samples_have_that_mean_and_covariance():
    belief = fitted()
    mean, covariance = posterior(belief.scales)
    samples = belief.sample(np.random.default_rng(1), 40_000)
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
    samples = belief.sample(np.random.default_rng(2), 20_000)
    np.testing.assert_allclose(samples.std(axis=0) / prior, 1.0, atol=0.03)


def simulated(truth, seed, count=60, noise_sd=0.05):
    """Rows of 0 and 1, their sums with a stray and noise; and the sums without the noise."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=len(GROUPS)) * truth.groups[GROUPS]
    rows = (rng.random((count, len(GROUPS))) < 0.5).astype(float)
    sums = rows @ weights + truth.stray * rng.normal(size=count)
    return rows, sums, sums + noise_sd * rng.normal(size=count), np.full(count, noise_sd**2)


@pytest.mark.parametrize("factor", [8.0, 1 / 8])
def test_the_evidence_moves_the_stray_towards_the_truth(factor):
    truth = Scales(np.array([0.5, 2.0]), 0.3)
    ends = []
    for seed in range(6):
        rows, _, values, variances = simulated(truth, seed)
        belief = LinearBelief(GROUPS, Scales(truth.groups, truth.stray * factor))
        for _ in range(6):
            belief.fit(rows, values, variances)
        ends.append(np.log(belief.scales.stray / truth.stray))
    assert abs(np.median(ends)) < 0.4


def test_the_stray_is_held_by_its_prior_while_little_was_seen():
    """One sum that is far too large for it; without the prior each fit would double the stray."""
    belief = LinearBelief(np.array([0]), Scales(np.array([0.1]), 0.01))
    for _ in range(30):
        belief.fit(np.ones((1, 1)), np.array([1e3]), np.zeros(1))
    assert 0.01 < belief.scales.stray < 1e3 * 0.5


def test_what_was_fitted_before_is_forgotten():
    belief = LinearBelief(GROUPS, SCALES)
    belief.fit(ROWS[::-1], VALUES + 5, VARIANCES)
    belief.fit(ROWS, VALUES, VARIANCES)
    mean, _ = posterior(belief.scales)
    np.testing.assert_allclose(belief.mean, mean, rtol=1e-8)
