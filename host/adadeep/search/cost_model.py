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
from typing import Protocol

import numpy as np

from adadeep.core.layers import LayerSpec
from adadeep.core.space import SearchSpace
from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.features import DecisionFeatures, Group
from adadeep.search.known_tables import AdditiveTable, Decisions, Floats
from adadeep.search.moves import initial_decisions

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

    def costs(self, decisions: Decisions, weights: Floats) -> Floats:
        """Of plans (n, points) under weights (w, features); (w, n)."""
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

    def costs(self, decisions: Decisions, weights: Floats) -> Floats:
        """The same under all weights."""
        values = np.maximum(self.table.values(decisions), _LEAST_COST)
        return np.asarray(np.broadcast_to(values, (len(weights), len(values))))


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
        self._prior = prior
        self._ending = np.zeros(len(space.actions), np.bool_)
        self._ending[list(space.ending)] = True
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._rest, self._own = _parts(space, prior, amount)
        self._belief = LinearBelief(self._features.groups, _SCALES)
        self._weights: Floats = self._belief.mean
        self._scale = 1.0
        self._scale = initial / float(
            self.costs(start[np.newaxis], self._weights[np.newaxis])[0, 0]
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
        plans, values = np.stack(self._plans), np.array(self._values)
        for _ in range(_STEPS):
            self._linearise(plans, values, are_scales_kept=True)
            step, before = self._belief.mean - self._weights, self._misfit(plans, values)
            for share in _SHARES:
                ahead = self._weights + share * step
                if self._misfit(plans, values, ahead) < before:
                    self._weights = ahead
                    break
        self._linearise(plans, values)

    def _linearise(self, plans: Decisions, values: Floats, are_scales_kept: bool = False) -> None:
        """The belief as it is near the present weights."""
        weights = self._weights
        parts = self._layer_costs(plans, self._tables(weights[np.newaxis]))[0]
        total = parts.sum(axis=1, keepdims=True) + self._rest_of(plans)[:, np.newaxis]
        slopes = np.where(self._is_layer, parts / total, 1.0)
        rows = (self._features.each(plans) * slopes[:, :, np.newaxis]).sum(axis=1)
        expected = np.log(self.costs(plans, weights[np.newaxis])[0])
        linear, variances = values - expected + rows @ weights, np.array(self._variances)
        self._belief.fit(rows, linear, variances, are_scales_kept)

    def _misfit(self, plans: Decisions, values: Floats, weights: Floats | None = None) -> float:
        """How unlikely weights are by what was seen and by the prior, but for a constant."""
        weights = self._weights if weights is None else weights
        scales = self._belief.scales
        missed = values - np.log(self.costs(plans, weights[np.newaxis])[0])
        spread = np.array(self._variances) + scales.stray**2
        prior = np.square(weights / scales.groups[self._features.groups]).sum()
        return float((np.square(missed) / spread).sum() + prior)

    def mean(self) -> Floats:
        """The weights as they are believed to be; (features,)."""
        return self._weights

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """Weights as they may be; (count, features)."""
        return self._belief.sample(rng, count) - self._belief.mean + self._weights

    def stray(self) -> float:
        """Of the belief."""
        return self._belief.scales.stray

    def costs(self, decisions: Decisions, weights: Floats) -> Floats:
        """Of plans (n, points) under weights (w, features); (w, n)."""
        tables = self._tables(weights)
        layers = self._layer_costs(decisions, tables).sum(axis=2) + self._rest_of(decisions)
        factor = np.ones((len(weights), 1))
        if (place := self._prior.precision_point) is not None:
            factor = tables[:, place, decisions[:, place]]
        return np.asarray(np.maximum(layers * factor * self._scale, _LEAST_COST))

    def _tables(self, weights: Floats) -> Floats:
        """The factor of each decision; (w, points, actions)."""
        return np.asarray(np.exp(np.clip(self._features.tables(weights), -6.0, 6.0)))

    def _layer_costs(self, decisions: Decisions, tables: Floats) -> Floats:
        """In the prior's unit, without the precision's factor; (w, n, points)."""
        places, precisions = np.arange(decisions.shape[1]), self._prior.precisions(decisions)
        prior = self._own[precisions[:, np.newaxis], places, decisions]
        ended = np.cumsum(self._ending[decisions] & self._is_layer, axis=1)
        gone = (ended - (self._ending[decisions] & self._is_layer)) > 0
        prior = np.where(gone | ~self._is_layer, 0.0, prior)
        return np.asarray(prior * tables[:, places, decisions])

    def _rest_of(self, decisions: Decisions) -> Floats:
        return np.asarray(self._rest[self._prior.precisions(decisions)])


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
