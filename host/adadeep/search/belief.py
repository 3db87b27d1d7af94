"""Bayesian linear regression, its scales found by evidence: what few trials tell of all plans.

A quantity of a plan (a loss, the logarithm of a time) is taken as a sum over its decisions. What
each adds is believed before anything is seen to lie about 0, within a scale that features of one
group share; the scales, and how far plans stray from a sum, are those under which what was seen is
most likely (type II maximum likelihood; MacKay 1992, "Bayesian interpolation", with a prior on the
scales that holds them while little was seen).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FACTORS = np.array([0.5, 2.0])  # tried of each scale, around where it is
_SWEEPS = 1
_HYPER_SD = 1.5  # of the natural logarithm of a scale around the one given: a factor of 4 or so
_JITTER = 1e-12


@dataclass(frozen=True, slots=True)
class Scales:
    """Standard deviations before anything is seen.

    Attributes:
        groups: of a feature's weight, by group; (groups,).
        stray: of a plan from the sum of its decisions.
    """

    groups: Floats
    stray: float

    @property
    def vector(self) -> Floats:
        """All of them; (groups + 1,)."""
        return np.append(self.groups, self.stray)


class LinearBelief:
    """What is believed of weights, given noisy sums of them.

    Args:
        groups: number of each feature's group; (features,).
        scales: before anything is seen.
    """

    def __init__(self, groups: npt.NDArray[np.int64], scales: Scales) -> None:
        self._groups = groups
        self._columns = [np.flatnonzero(groups == n) for n in range(len(scales.groups))]
        self._start = scales.vector
        self.scales = scales
        self._rows: Floats = np.empty((0, len(groups)))
        self._values: Floats = np.empty(0)
        self._variances: Floats = np.empty(0)
        self._gain: Floats = np.empty((len(groups), 0))
        self._solved: Floats = np.empty(0)

    def fit(
        self, rows: Floats, values: Floats, variances: Floats, are_scales_kept: bool = False
    ) -> None:
        """Takes everything that was seen; what was taken before is forgotten.

        Args:
            rows: features; (n, features).
            values: sums; (n,).
            variances: of their noise; (n,).
            are_scales_kept: whether the scales stay as they are.
        """
        self._rows, self._values, self._variances = rows, values, variances
        if not len(values):
            return
        if not are_scales_kept:
            vector = self._most_likely(self._parts())
            self.scales = Scales(vector[:-1], float(vector[-1]))
        weighted = rows * np.square(self.scales.groups[self._groups])
        covariance = weighted @ rows.T
        covariance[np.diag_indices_from(covariance)] += self.scales.stray**2 + variances + _JITTER
        self._gain = np.asarray(np.linalg.solve(covariance, weighted).T, np.float64)
        self._solved = self._gain @ values

    def _parts(self) -> Floats:
        """What each scale, squared, counts in the covariance of what was seen; (scales, n, n)."""
        count = len(self._values)
        found = np.empty((len(self._start), count, count))
        for group, columns in enumerate(self._columns):
            own = self._rows[:, columns]
            found[group] = own @ own.T
        found[-1] = np.eye(count)
        return found

    def _most_likely(self, parts: Floats) -> Floats:
        """Scales, found one after the other by trying factors."""
        vector = self.scales.vector
        best = float(self._evidence(vector[np.newaxis], parts)[0])
        for _, place in itertools.product(range(_SWEEPS), range(len(vector))):
            tries = np.repeat(vector[np.newaxis], len(_FACTORS), axis=0)
            tries[:, place] *= _FACTORS
            scores = self._evidence(tries, parts)
            if scores.max() > best:
                best = float(scores.max())
                vector = tries[int(scores.argmax())]
        return vector

    def _evidence(self, tries: Floats, parts: Floats) -> Floats:
        """Logarithm of the evidence times the prior of the scales, but for a constant.

        Args:
            tries: of scales; (tries, scales).
            parts: as of `_parts`.

        Returns:
            (tries,).
        """
        count = len(self._values)
        squares = np.square(tries) @ parts.reshape(len(parts), -1)
        covariances = squares.reshape(-1, count, count) + np.diag(self._variances + _JITTER)
        try:
            factors = np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError:  # it does not say of which
            if len(tries) == 1:
                return np.array([-np.inf])
            return np.concatenate([self._evidence(one[np.newaxis], parts) for one in tries])
        white = np.linalg.solve(factors, self._values[:, np.newaxis])[..., 0]
        strayed = np.log(tries / self._start) / _HYPER_SD
        size = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        misfit = np.square(white).sum(axis=1) + np.square(strayed).sum(axis=1)
        return np.asarray(-0.5 * misfit - size)

    @property
    def mean(self) -> Floats:
        """Of the weights; (features,)."""
        return self._solved if len(self._values) else np.zeros(len(self._groups))

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features). By Matheron's rule."""
        deviations = self.scales.vector
        weights = rng.standard_normal((count, len(self._groups))) * deviations[self._groups]
        if not len(self._values):
            return weights
        noise_sd = np.sqrt(self._variances + self.scales.stray**2)
        noise = rng.standard_normal((count, len(self._values))) * noise_sd
        missed = self._values - weights @ self._rows.T - noise
        return np.asarray(weights + missed @ self._gain.T)

    def variance(self, rows: Floats) -> Floats:
        """Of the sums of some rows, without the stray; (n,)."""
        prior = np.square(self.scales.vector[self._groups])
        spread = np.square(rows) @ prior
        if not len(self._values):
            return np.asarray(spread)
        shared = (rows * prior) @ self._rows.T
        return np.asarray(np.maximum(spread - ((rows @ self._gain) * shared).sum(axis=1), 0.0))

    def smoothed(self) -> Floats:
        """The sums that were seen, each moved towards what the others say of it; (n,).

        A plan's own stray is its own, so only the noise is taken out.
        """
        if not len(self._values):
            return self._values
        expected = self._rows @ self.mean
        own = self.scales.stray**2 / (self.scales.stray**2 + self._variances + _JITTER)
        return np.asarray(expected + own * (self._values - expected))
