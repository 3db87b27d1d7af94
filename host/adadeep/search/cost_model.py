"""A cost of plans on one target: known by a formula, or learned layer by layer.

What is learned is the time of a network (or its energy) as a sum over its layers. Each layer costs
its share of the prior, times what its technique makes of the prior, times a factor that is
learned; a precision's factor is of the whole. Logarithms of factors are linear in features of the
decisions (`features`), so what one layer shows of a technique is believed of the others, too. The
belief is fitted by Gauss-Newton steps: a sum of exponentials is not linear.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adadeep.core.layers import LayerSpec
from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.features import DecisionFeatures, Group
from adadeep.search.known_tables import AdditiveTable
from adadeep.search.moves import initial_decisions
from adadeep.search.sums import Decisions, Floats, Sums

Amount = Callable[[LayerSpec], float]

# Standard deviations of natural logarithms, by `Group`; and of a plan's stray.
_SCALES = Scales(np.array([0.3, 0.3, 0.3, 0.3, 0.5, 0.5]), 0.02)
_STEPS = 3  # of Gauss and Newton
_SHARES = (1.0, 0.5, 0.25, 0.1)  # of a step, the first that helps
_LEAST_VARIANCE = 1e-8
_LEAST_COST = 1e-12
_LEAST_RATIO, _MOST_RATIO = 0.02, 4.0  # of a layer's prior, compressed over not
_LEAST_SHARE = 0.005  # of a layer in the whole: none costs nothing
_SAVES = 0.7  # of a layer's cost stays where the prior sees no change: techniques are to save


class CostModel(Protocol):
    """What is believed of a cost of all plans."""

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) costs; the variance is of its logarithm."""
        ...

    def fit(self) -> None:
        """Draws conclusions from what was seen."""
        ...

    def mean(self) -> Floats:
        """The weights as they are believed to be; (features,)."""
        ...

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features)."""
        ...

    def stray(self) -> float:
        """Standard deviation of the logarithm of a plan's cost around what weights say."""
        ...

    def sums(self, weights: Floats) -> Sums:
        """The costs of all plans under weights (w, features), in w ways; one if it is known."""
        ...


class KnownCost:
    """A cost that a formula gives.

    Args:
        table: of every plan.
    """

    def __init__(self, table: AdditiveTable) -> None:
        self.table = table

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Learns what the formula could not tell."""
        del variance
        self.table.learn(decisions, value)

    def fit(self) -> None:
        """Nothing is believed."""

    def mean(self) -> Floats:
        """No weights."""
        return np.zeros(0)

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """No weights."""
        del rng
        return np.zeros((count, 0))

    def stray(self) -> float:
        """None: it is exact."""
        return 0.0

    def sums(self, weights: Floats) -> Sums:
        """The same under all weights."""
        del weights
        return self.table.sums


class LearnedCost:
    """A cost that is learned from what was measured.

    Args:
        space: what there is to decide.
        prior: of every plan; in any unit.
        amount: of a layer of the initial network, in that unit or another.
        initial: what the initial network costs.
    """

    def __init__(
        self, space: SearchSpace, prior: AdditiveTable, amount: Amount, initial: float
    ) -> None:
        start = np.array(initial_decisions(space), np.int64)
        self._features = DecisionFeatures(space, frozenset(Group))
        self._precision = prior.precision
        place = prior.precision_point
        self._options = [*(space.points[place].options if place is not None else ())]
        self._ending = [*space.ending]
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._rest, self._own = _parts(space, prior, amount)
        self._belief = LinearBelief(self._features.groups, _SCALES)
        self._weights: Floats = self._belief.mean
        self._scale = 1.0
        self._scale = initial / float(
            self.sums(self._weights[np.newaxis]).of(start[np.newaxis])[0, 0]
        )
        self._plans = [start]
        self._values = [math.log(max(initial, _LEAST_COST))]
        self._variances = [_LEAST_VARIANCE]

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) costs; the variance is of its logarithm."""
        self._plans.append(decisions)
        self._values.append(math.log(max(value, _LEAST_COST)))
        self._variances.append(max(variance, _LEAST_VARIANCE))

    def fit(self) -> None:
        """A few steps of Gauss and Newton, each shortened until it helps."""
        told = self._told()
        for _ in range(_STEPS):
            self._linearise(told, are_scales_kept=True)
            step, before = self._belief.mean - self._weights, self._misfit(told, self._weights)
            shortened = (self._weights + share * step for share in _SHARES)
            ahead = next((one for one in shortened if self._misfit(told, one) < before), None)
            if ahead is None:
                break
            self._weights = ahead
        self._linearise(told)

    def _told(self) -> _Told:
        plans = np.stack(self._plans)
        rows = self._precision.of(plans)
        layers = self._own[rows[:, np.newaxis], np.arange(plans.shape[1]), plans]
        ends = np.isin(plans, self._ending) & self._is_layer
        layers[:, 1:][np.logical_or.accumulate(ends, axis=1)[:, :-1]] = 0.0  # gone
        values, variances = np.array(self._values), np.array(self._variances)
        return _Told(plans, layers, self._rest[rows], values, variances)

    def _linearise(self, told: _Told, are_scales_kept: bool = False) -> None:
        """The belief as it is near the present weights."""
        parts, expected = self._expected(told, self._weights)
        total = parts.sum(axis=1) + told.rest
        slopes = np.where(self._is_layer, parts / total[:, np.newaxis], 1.0)
        rows = self._features.rows(told.plans, slopes)
        linear = told.values - expected + rows @ self._weights
        self._belief.fit(rows, linear, told.variances, are_scales_kept)

    def _misfit(self, told: _Told, weights: Floats) -> float:
        """How unlikely weights are by what was seen and by the prior, but for a constant."""
        scales = self._belief.scales
        missed = told.values - self._expected(told, weights)[1]
        spread = told.variances + scales.stray**2
        prior = np.square(weights / scales.groups[self._features.groups]).sum()
        return float((np.square(missed) / spread).sum() + prior)

    def _expected(self, told: _Told, weights: Floats) -> tuple[Floats, Floats]:
        """Of its layers, (n, points), in the prior's unit and without the precision's factor.

        Returns:
            And the logarithm of what the plans cost; (n,).
        """
        factors = self._factors(weights[np.newaxis])[..., 0]
        of_plans = factors[np.arange(told.plans.shape[1]), told.plans]
        parts = told.layers * of_plans
        total = (parts.sum(axis=1) + told.rest) * self._scale
        if (place := self._precision.point) is not None:
            total = total * of_plans[:, place]
        return parts, np.log(np.maximum(total, _LEAST_COST))

    def mean(self) -> Floats:
        """The weights as they are believed to be; (features,)."""
        return self._weights

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features)."""
        return self._belief.sample(rng, count) - self._belief.mean + self._weights

    def stray(self) -> float:
        """Of the belief."""
        return self._belief.scales.stray

    def sums(self, weights: Floats) -> Sums:
        """The costs of all plans under weights (w, features), in w ways."""
        factors = self._factors(weights)
        layers = self._own[..., np.newaxis] * factors
        if self._ending:
            plain = layers[:, :, NOTHING]
            behind = plain[:, ::-1].cumsum(axis=1)[:, ::-1] - plain
            layers[:, :, self._ending] -= behind[:, :, np.newaxis]  # nothing is decided there
        scale = np.full((len(self._rest), len(weights)), self._scale)
        if (place := self._precision.point) is not None:
            scale *= factors[place, self._options]
        base = self._rest[:, np.newaxis] * scale
        return Sums(self._precision, base, layers * scale[:, np.newaxis, np.newaxis])

    def _factors(self, weights: Floats) -> Floats:
        """Of each decision; (points, actions, w)."""
        tables = np.moveaxis(self._features.tables(weights), 0, 2)
        return np.asarray(np.exp(np.clip(tables, -6.0, 6.0)))


@dataclass(frozen=True, slots=True)
class _Told:
    """What was seen.

    Attributes:
        plans: (n, points).
        layers: what the prior tells of their layers, 0 of those that are gone; (n, points).
        rest: likewise of what can't be decided on; (n,).
        values: logarithms of costs; (n,).
        variances: of those; (n,).
    """

    plans: Decisions
    layers: Floats
    rest: Floats
    values: Floats
    variances: Floats


def _parts(space: SearchSpace, prior: AdditiveTable, amount: Amount) -> tuple[Floats, Floats]:
    """The prior by layer: of what can't be decided on, (precisions,), and of each decision.

    Returns:
        And (precisions, points, actions).
    """
    total = max(sum(amount(layer) for layer in space.model.layers), _LEAST_COST)
    shares = np.array(
        [max(amount(p.layer) / total, _LEAST_SHARE) if p.layer else 0.0 for p in space.points]
    )
    shares /= max(shares.sum(), 1.0)
    base = np.maximum(prior.base, _LEAST_COST)  # what the prior sees nothing in is alike in all
    rest = np.maximum(base * (1.0 - shares.sum()), 0.0)
    layer = base[:, np.newaxis] * shares  # (precisions, points)
    behind = layer[:, ::-1].cumsum(axis=1)[:, ::-1] - layer
    own = layer[:, :, np.newaxis] + prior.added
    for number in space.ending:
        own[:, :, number] += behind  # what it takes out is counted there, and gone
    own[:, :, 1:] = np.where(prior.added[:, :, 1:] == 0, own[:, :, 1:] * _SAVES, own[:, :, 1:])
    least, most = layer * _LEAST_RATIO, layer * _MOST_RATIO
    return rest, np.clip(own, least[:, :, np.newaxis], most[:, :, np.newaxis])
