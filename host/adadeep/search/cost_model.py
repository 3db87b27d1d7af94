"""A cost of plans on one target: known by a formula, or learned layer by layer.

What is learned is the time of a network (or its energy) as a sum over its layers. Each layer costs
its share of the prior, times what its technique makes of the prior, times a factor that is
learned; a precision's factor is of the whole. Logarithms of factors are linear in features of the
decisions (`features`), so what one layer shows of a technique is believed of the others, too. What
can't be decided on has a factor, too: it counts the more, the less is left of all else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from adadeep.core.layers import LayerSpec
from adadeep.core.space import SearchSpace
from adadeep.search.belief import Scales
from adadeep.search.curved import CurvedBelief
from adadeep.search.features import DecisionFeatures, Group
from adadeep.search.known_tables import AdditiveTable, Decisions, Floats
from adadeep.search.moves import initial_decisions

Amount = Callable[[LayerSpec], float]

_REST = len(Group)  # the group of what can't be decided on
# Standard deviations of natural logarithms, by `Group` and `_REST`; and of a plan's stray.
_SCALES = Scales(np.array([0.3, 0.3, 0.3, 0.3, 0.5, 0.5, 1.2]), 0.02)
_MOST = 6.0  # of a factor's logarithm
_LEAST_VARIANCE = 1e-8
_LEAST_COST = 1e-12
_LEAST_RATIO, _MOST_RATIO = 0.02, 4.0  # of a layer's prior, compressed over not
_LEAST_SHARE = 0.005  # of a layer in the whole: none costs nothing
_SAVES = 0.7  # of a layer's cost stays where the prior can't tell: techniques are to save


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
        self._curve = _SumOfCosts(space, prior, amount)
        self._belief = CurvedBelief(self._curve, self._curve.groups, _SCALES, _LEAST_VARIANCE)
        before = self._curve.values(start[np.newaxis], self._belief.mean[np.newaxis])[0, 0]
        self._log_scale = math.log(max(initial, _LEAST_COST)) - float(before)
        self.see(start, initial, 0.0)

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) costs; the variance is of its logarithm."""
        log = math.log(max(value, _LEAST_COST)) - self._log_scale
        self._belief.see(decisions, log, variance)

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
        """Of the belief."""
        return self._belief.scales.stray

    def costs(self, decisions: Decisions, weights: Floats) -> Floats:
        """Of plans (n, points) under weights (w, features); (w, n)."""
        logs = self._curve.values(decisions, weights) + self._log_scale
        return np.asarray(np.maximum(np.exp(logs), _LEAST_COST))


class _SumOfCosts:
    """The logarithm of the cost of plans, by weights: of decisions' features, and of the rest.

    Args:
        space: what there is to decide.
        prior: as of a `LearnedCost`.
        amount: likewise.

    Attributes:
        groups: of the weights; (features,).
    """

    def __init__(self, space: SearchSpace, prior: AdditiveTable, amount: Amount) -> None:
        self._features = DecisionFeatures(space, frozenset(Group))
        self.groups = np.append(self._features.groups, _REST)
        self._prior = prior
        self._ending = np.zeros(len(space.actions), np.bool_)
        self._ending[list(space.ending)] = True
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._rest, self._own, self._least = _parts(space, prior, amount)

    def values(self, decisions: Decisions, weights: Floats) -> Floats:
        """See `Curve`."""
        tables = self._tables(weights)
        sums = self._layer_costs(decisions, tables).sum(axis=2)
        logs = np.log(np.maximum(sums + self._rest_of(decisions, weights), _LEAST_COST))
        if (place := self._prior.precision_point) is not None:
            logs = logs + np.log(tables[:, place, decisions[:, place]])
        return np.asarray(logs)

    def slopes(self, decisions: Decisions, weights: Floats) -> Floats:
        """See `Curve`."""
        parts = self._layer_costs(decisions, self._tables(weights[np.newaxis]))[0]
        rest = self._rest_of(decisions, weights[np.newaxis])[0]
        total = np.maximum(parts.sum(axis=1) + rest, _LEAST_COST)
        shares = np.where(self._is_layer, parts / total[:, np.newaxis], 1.0)
        each = self._features.each(decisions) * shares[:, :, np.newaxis]
        return np.column_stack([each.sum(axis=1), rest / total])

    def _tables(self, weights: Floats) -> Floats:
        """The factor of each decision; (w, points, actions)."""
        return np.asarray(np.exp(np.clip(self._features.tables(weights[:, :-1]), -_MOST, _MOST)))

    def _layer_costs(self, decisions: Decisions, tables: Floats) -> Floats:
        """In the prior's unit, without the precision's factor; (w, n, points)."""
        places, precisions = np.arange(decisions.shape[1]), self._prior.precisions(decisions)
        here = precisions[:, np.newaxis]
        prior = self._own[here, places, decisions]
        joint = self._prior.joint[here, places[1:], decisions[:, :-1], decisions[:, 1:]]
        prior[:, 1:] = np.maximum(prior[:, 1:] + joint, self._least[precisions, 1:])
        ended = np.cumsum(self._ending[decisions] & self._is_layer, axis=1)
        gone = (ended - (self._ending[decisions] & self._is_layer)) > 0
        prior = np.where(gone | ~self._is_layer, 0.0, prior)
        return np.asarray(prior * tables[:, places, decisions])

    def _rest_of(self, decisions: Decisions, weights: Floats) -> Floats:
        """What can't be decided on; (w, n)."""
        factors = np.exp(np.clip(weights[:, -1:], -_MOST, _MOST))
        return np.asarray(factors * self._rest[self._prior.precisions(decisions)])


def _parts(
    space: SearchSpace, prior: AdditiveTable, amount: Amount
) -> tuple[Floats, Floats, Floats]:
    """The prior by layer, in its unit.

    Returns:
        Of what can't be decided on, (precisions,), and of each decision, (precisions, points,
        actions); and the least that a layer costs, (precisions, points).
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
    own = np.where(prior.is_known, own, own * _SAVES)
    least, most = layer * _LEAST_RATIO, layer * _MOST_RATIO
    return rest, np.clip(own, least[:, :, np.newaxis], most[:, :, np.newaxis]), least
