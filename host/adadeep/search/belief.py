"""Bayesian linear regression: what few trials tell of all plans.

A quantity of a plan (a loss, the logarithm of a time) is taken as a sum over its decisions. What
each adds is believed before anything is seen to lie about 0, within a scale that features of one
group share. How far plans stray from a sum is that under which what was seen is most likely (type
II maximum likelihood; MacKay 1992, "Bayesian interpolation", with a prior on the stray that holds
it while little was seen). The scales stay as they are: found likewise they wandered with the point
at which curves are taken for planes (`curved`), and searches took a third more plans.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_FACTORS = (1.0, 0.5, 2.0)  # tried of the stray, around where it is
_HYPER_SD = 1.5  # of its natural logarithm around the one given: a factor of 4 or so
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


class LinearBelief:
    """What is believed of weights, given noisy sums of them.

    Args:
        groups: number of each feature's group; (features,).
        scales: before anything is seen.
    """

    def __init__(self, groups: npt.NDArray[np.int64], scales: Scales) -> None:
        self._start = scales
        self._deviations = scales.groups[groups]
        self._prior = np.square(self._deviations)
        self.scales = scales
        self._rows: Floats = np.empty((0, len(groups)))
        self._values: Floats = np.empty(0)
        self._variances: Floats = np.empty(0)
        self._gain: Floats = np.empty((len(groups), 0))
        self._solved: Floats = np.empty(0)

    def fit(self, rows: Floats, values: Floats, variances: Floats) -> None:
        """Takes everything that was seen; what was taken before is forgotten.

        Args:
            rows: features; (n, features).
            values: sums; (n,).
            variances: of their noise; (n,).
        """
        self._rows, self._values, self._variances = rows, values, variances
        if not len(values):
            return
        weighted, shared = self._shared(rows, variances)
        tries = [self.scales.stray * factor for factor in _FACTORS]
        self.scales = replace(self.scales, stray=max(tries, key=self._evidence_of(shared)))
        shared[np.diag_indices_from(shared)] += self.scales.stray**2
        self._gain = np.asarray(np.linalg.solve(shared, weighted).T, np.float64)
        self._solved = self._gain @ values

    def mean_of(self, rows: Floats, values: Floats, variances: Floats) -> Floats:
        """Of the weights, had that been seen, with the stray as it is; (features,).

        Arguments as of `fit`, of one value at least. Nothing is taken.
        """
        weighted, shared = self._shared(rows, variances + self.scales.stray**2)
        return np.asarray(np.linalg.solve(shared, values) @ weighted)

    def _shared(self, rows: Floats, variances: Floats) -> tuple[Floats, Floats]:
        """Covariance of what was seen with the weights, (n, features), and with itself, (n, n)."""
        weighted = rows * self._prior
        shared = weighted @ rows.T
        shared[np.diag_indices_from(shared)] += variances + _JITTER
        return weighted, shared

    def _evidence_of(self, shared: Floats) -> Callable[[float], float]:
        """Logarithm of the evidence of a stray times its prior, but for a constant.

        Args:
            shared: covariance of what was seen, without the stray; (n, n).
        """
        spread, turn = np.linalg.eigh(shared)
        turned = np.square(turn.T @ self._values)

        def evidence(stray: float) -> float:
            variances = np.maximum(spread, _JITTER) + stray**2
            strayed = math.log(stray / self._start.stray) / _HYPER_SD
            fits = (turned / variances + np.log(variances)).sum()
            return float(-0.5 * (fits + strayed**2))

        return evidence

    @property
    def mean(self) -> Floats:
        """Of the weights; (features,)."""
        return self._solved if len(self._values) else np.zeros(len(self._prior))

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features). By Matheron's rule."""
        weights = rng.standard_normal((count, len(self._prior))) * self._deviations
        if not len(self._values):
            return weights
        noise_sd = np.sqrt(self._variances + self.scales.stray**2)
        noise = rng.standard_normal((count, len(self._values))) * noise_sd
        missed = self._values - weights @ self._rows.T - noise
        return np.asarray(weights + missed @ self._gain.T)
