"""A belief on quantities that are not linear in the weights, such as sums of exponentials."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.sums import Decisions, Floats

_STEPS = 6  # of Gauss and Newton
_SETTLED = 1e-3  # of twice a log likelihood: a step that gains less is the last one
_SHARES = (1.0, 0.5, 0.25, 0.1, 0.03)  # of a step, the first that helps
_LEAST_VARIANCE = 1e-10


class PlansCurve(Protocol):
    """How a quantity of some plans follows from weights."""

    def values(self, weights: Floats) -> Floats:
        """Under weights (features,); (n,)."""
        ...

    def slopes(self, weights: Floats) -> Floats:
        """By the weights (features,); (n, features)."""
        ...


class Curve(Protocol):
    """How a quantity of plans follows from weights."""

    def of(self, decisions: Decisions) -> PlansCurve:
        """Of plans (n, points)."""
        ...


class CurvedBelief:
    """What is believed of weights, given noisy values of a curve.

    Near the weights that are believed the curve is taken for a plane (`LinearBelief`); these are
    found by a few steps of Gauss and Newton, each shortened until it helps.

    Args:
        curve: from weights to values.
        groups: number of each weight's group; (features,).
        scales: before anything is seen.
        least_variance: of what is seen.
    """

    def __init__(
        self,
        curve: Curve,
        groups: npt.NDArray[np.int64],
        scales: Scales,
        least_variance: float = _LEAST_VARIANCE,
    ) -> None:
        self._curve = curve
        self._deviations = scales.groups[groups]
        self._least_variance = least_variance
        self._belief = LinearBelief(groups, scales)
        self.mean: Floats = self._belief.mean
        self._plans: list[Decisions] = []
        self._values: list[float] = []
        self._variances: list[float] = []

    @property
    def scales(self) -> Scales:
        """With the stray that what was seen makes most likely."""
        return self._belief.scales

    @property
    def plans(self) -> list[tuple[int, ...]]:
        """That were seen."""
        return [tuple(int(number) for number in plan) for plan in self._plans]

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes the value of a plan (points,), and the variance of its noise."""
        self._plans.append(decisions)
        self._values.append(value)
        self._variances.append(max(variance, self._least_variance))

    def fit(self) -> None:
        """Draws conclusions from what was seen."""
        if not self._plans:
            return
        curve = self._curve.of(np.stack(self._plans))
        expected = curve.values(self.mean)
        plane, before = self._plane(curve, expected), self._misfit(expected, self.mean)
        for _ in range(_STEPS):
            step = self._belief.mean_of(*plane) - self.mean
            shortened = (self.mean + share * step for share in _SHARES)
            tried = ((weights, curve.values(weights)) for weights in shortened)
            missed = ((*one, self._misfit(one[1], one[0])) for one in tried)
            ahead = next((one for one in missed if one[2] < before), None)
            if ahead is None:
                break
            gained = before - ahead[2]
            self.mean, expected, before = ahead
            plane = self._plane(curve, expected)
            if gained < _SETTLED:
                break
        self._belief.fit(*plane)

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features)."""
        return self._belief.sample(rng, count) - self._belief.mean + self.mean

    def smoothed(self) -> Floats:
        """The values that were seen, each moved towards what the others say of it; (n,).

        A plan's own stray is its own, so only the noise is taken out.
        """
        if not self._plans:
            return np.empty(0)
        expected = self._curve.of(np.stack(self._plans)).values(self.mean)
        stray = self.scales.stray**2
        own = stray / (stray + np.array(self._variances))
        return np.asarray(expected + own * (np.array(self._values) - expected))

    def _plane(self, curve: PlansCurve, expected: Floats) -> tuple[Floats, Floats, Floats]:
        """The curve as it is near the present weights, where it has the values expected.

        Returns:
            Rows, sums and variances, as `LinearBelief.fit` takes them.
        """
        rows = curve.slopes(self.mean)
        sums = np.array(self._values) - expected + rows @ self.mean
        return rows, sums, np.array(self._variances)

    def _misfit(self, expected: Floats, weights: Floats) -> float:
        """How unlikely weights are by what was seen and the prior, but for a constant.

        Args:
            expected: of the plans that were seen, under the weights.
            weights: (features,).
        """
        missed = np.array(self._values) - expected
        spread = np.array(self._variances) + self.scales.stray**2
        prior = np.square(weights / self._deviations).sum()
        return float((np.square(missed) / spread).sum() + prior)


class CurvedModel:
    """What all models say of their weights that a belief on a curve is behind.

    Args:
        belief: that it is.
    """

    def __init__(self, belief: CurvedBelief) -> None:
        self._belief = belief

    def fit(self) -> None:
        """Draws conclusions from what was seen."""
        self._belief.fit()

    def mean(self) -> Floats:
        """The weights as they are believed to be; (features,)."""
        return self._belief.mean

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features)."""
        return self._belief.sample(rng, count)

    def stray(self) -> float:
        """Standard deviation of a plan's value on the curve's scale around what weights say."""
        return self._belief.scales.stray
