"""A cost of plans on one target: known by a formula, or learned layer by layer.

What is learned is the time of a network (or its energy) as a sum over its layers. Each layer costs
its share of the prior, times what its technique makes of the prior, times a factor that is
learned. Logarithms of factors are linear in features of the decisions (`features`), so what one
layer shows of a technique is believed of the others, too. What can't be decided on has a factor,
too: it counts the more, the less is left of all else. A precision's factor is of the whole, and it
has one for each layer and for the rest besides: int8 may make a dense layer four times as fast and
the convolution before it slower.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adadeep.core.layers import LayerSpec
from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.belief import Scales
from adadeep.search.curved import CurvedBelief, CurvedModel
from adadeep.search.features import DecisionFeatures, Group, PlanFeatures
from adadeep.search.known_tables import AdditiveTable
from adadeep.search.moves import initial_decisions
from adadeep.search.sums import Decisions, Floats, Sums

Amount = Callable[[LayerSpec], float]

# Groups of weights behind those of `Group`: of what can't be decided on, and of a precision there
# and on each layer.
_REST, _THERE, _ON_LAYER = range(len(Group), len(Group) + 3)
# Standard deviations of natural logarithms, by group; and of a plan's stray.
_SCALES = Scales(np.array([0.3, 0.3, 0.3, 0.3, 0.5, 0.5, 1.2, 0.5, 0.5]), 0.02)
_MOST = 6.0  # of a factor's logarithm
_LEAST_VARIANCE = 1e-8
_LEAST_COST = 1e-12
_TINY = 1e-30  # far below that in any unit: only to take a logarithm
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


class LearnedCost(CurvedModel):
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
        super().__init__(CurvedBelief(self._curve, self._curve.groups, _SCALES, _LEAST_VARIANCE))
        before = self._curve.of(start[np.newaxis]).values(self._belief.mean)[0]
        self._log_scale = math.log(max(initial, _LEAST_COST)) - float(before)
        self.see(start, initial, 0.0)

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) costs; the variance is of its logarithm."""
        log = math.log(max(value, _LEAST_COST)) - self._log_scale
        self._belief.see(decisions, log, variance)

    def sums(self, weights: Floats) -> Sums:
        """The costs of all plans under weights (w, features), in w ways."""
        return self._curve.sums(weights, math.exp(self._log_scale))


class _SumOfCosts:
    """The logarithm of the cost of plans, by weights.

    First those of decisions' features, then of the rest; then, of each precision but that of the
    initial network, those on each point and of the rest.

    Args:
        space: what there is to decide.
        prior: as of a `LearnedCost`.
        amount: likewise.

    Attributes:
        groups: of the weights; (features,).
        is_layer: whether a layer is decided on there; (points,).
    """

    def __init__(self, space: SearchSpace, prior: AdditiveTable, amount: Amount) -> None:
        self._features = DecisionFeatures(space, frozenset(Group))
        self._precision = prior.precision
        start = np.array([initial_decisions(space)], np.int64)
        unchanged = int(self._precision.of(start)[0])
        self._changed = np.delete(np.arange(len(prior.base)), unchanged)
        there = [*[_ON_LAYER] * len(space.points), _THERE] * len(self._changed)
        self.groups = np.array([*self._features.groups, _REST, *there], np.int64)
        place = prior.precision_point
        self._options = [*(space.points[place].options if place is not None else ())]
        self._ending = [*space.ending]
        self.is_layer = np.array([point.layer is not None for point in space.points])
        self._rest, self._own, least = _parts(space, prior, amount)
        own = self._own[:, :, np.newaxis]
        joint = np.maximum(own + prior.joint, least[:, :, np.newaxis, np.newaxis]) - own
        self._joint: Floats | None = joint if prior.joint.any() else None

    def sums(self, weights: Floats, scale: float) -> Sums:
        """Of all plans under weights (w, features), in w ways; times a scale."""
        features, rest, there = self.split(weights)
        factors = _factors(np.moveaxis(self._features.tables(features), 0, 2))
        on_layers, on_rest = _factors(there[:, :-1]), _factors(there[:, -1] + rest)
        layers = self._own[..., np.newaxis] * on_layers[:, :, np.newaxis] * factors
        if self._ending:
            plain = layers[:, :, NOTHING]
            behind = plain[:, ::-1].cumsum(axis=1)[:, ::-1] - plain
            layers[:, :, self._ending] -= behind[:, :, np.newaxis]  # nothing is decided there
        whole = np.full((len(self._rest), len(weights)), scale)
        if (place := self._precision.point) is not None:
            whole *= factors[place, self._options]
        base = self._rest[:, np.newaxis] * on_rest * whole
        layers *= whole[:, np.newaxis, np.newaxis]
        if self._joint is None:
            return Sums(self._precision, base, layers)
        on_layers *= whole[:, np.newaxis]
        times = factors[:, np.newaxis] * on_layers[:, :, np.newaxis, np.newaxis]
        return Sums(self._precision, base, layers, self._joint[..., np.newaxis] * times)

    def of(self, decisions: Decisions) -> _CostsOfPlans:
        """See `Curve`."""
        rows, places = self._precision.of(decisions), np.arange(decisions.shape[1])
        here = rows[:, np.newaxis]
        layers = self._own[here, places, decisions]
        if self._joint is not None:
            layers[:, 1:] += self._joint[here, places[1:], decisions[:, :-1], decisions[:, 1:]]
        ends = np.isin(decisions, self._ending) & self.is_layer
        layers[:, 1:][np.logical_or.accumulate(ends, axis=1)[:, :-1]] = 0.0  # gone
        layers[:, ~self.is_layer] = 0.0
        features = self._features.of(decisions)
        return _CostsOfPlans(self, features, layers, self._rest[rows], rows)

    def split(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Weights (w, features) by what they are of.

        Returns:
            Those of decisions' features, (w, ...); of the rest, (w,); and of each precision on
            each point and, last, of the rest there, (precisions, points + 1, w): 0 of the initial
            network's.
        """
        count = len(self._features.groups)
        found = np.zeros((len(self._rest), len(self.is_layer) + 1, len(weights)))
        shape = (len(self._changed), *found.shape[1:])
        found[self._changed] = weights[:, count + 1 :].T.reshape(shape)
        return weights[:, :count], weights[:, count], found

    def joined(self, features: Floats, rest: Floats, there: Floats, rows: Decisions) -> Floats:
        """Slopes of plans by all weights; (n, features).

        Args:
            features: by those of decisions' features; (n, ...).
            rest: by that of the rest; (n,).
            there: by those of the plan's precision; (n, points + 1).
            rows: the precisions; (n,).
        """
        is_own = rows[:, np.newaxis] == self._changed
        by_precision = is_own[:, :, np.newaxis] * there[:, np.newaxis]
        return np.column_stack([features, rest, by_precision.reshape(len(rows), -1)])


@dataclass(frozen=True, slots=True)
class _CostsOfPlans:
    """The logarithms of the costs of some plans; see `PlansCurve`.

    Attributes:
        curve: that they lie on.
        features: of their decisions.
        layers: what each costs by the prior; (n, points), 0 of what is gone and of the precision.
        rest: likewise of what can't be decided on; (n,).
        rows: their precisions; (n,).
    """

    curve: _SumOfCosts
    features: PlanFeatures
    layers: Floats
    rest: Floats
    rows: Decisions

    def values(self, weights: Floats) -> Floats:
        """See `PlansCurve`."""
        layers, rest, logs = self._costs(weights)
        total = layers.sum(axis=1) + rest
        whole = np.clip(logs[:, ~self.curve.is_layer], -_MOST, _MOST).sum(axis=1)
        return np.asarray(np.log(np.maximum(total, _TINY)) + whole)

    def slopes(self, weights: Floats) -> Floats:
        """See `PlansCurve`."""
        layers, rest, _ = self._costs(weights)
        total = np.maximum(layers.sum(axis=1) + rest, _TINY)
        shares, of_rest = layers / total[:, np.newaxis], rest / total
        decided = self.features.rows(np.where(self.curve.is_layer, shares, 1.0))
        there = np.column_stack([shares, of_rest])
        return self.curve.joined(decided, of_rest, there, self.rows)

    def _costs(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Of layers, (n, points), and of the rest, (n,); and what decisions add, (n, points)."""
        features, rest, there = self.curve.split(weights[np.newaxis])
        logs, own = self.features.added(features[0]), there[self.rows, :, 0]
        layers = self.layers * _factors(logs) * _factors(own[:, :-1])
        return layers, self.rest * _factors(rest + own[:, -1]), logs


def _factors(logs: Floats) -> Floats:
    """Of logarithms, which are bounded."""
    return np.asarray(np.exp(np.clip(logs, -_MOST, _MOST)))


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
