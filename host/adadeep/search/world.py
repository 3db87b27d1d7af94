"""The world model: what a search believes of plans that it has not tried.

S_p, MACs and E come from formulas where those tell; they need not be learned. The rest is learned
from what was told, as sums over a plan's decisions (`belief`): the accuracy loss, paired with the
initial network's on the same samples, and for each target the logarithm of a cost over a prior of
it. What comes of it is *fitted*, never measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.cost import Cost, Quantity
from adadeep.core.layers import LayerSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import compared
from adadeep.core.search import Goal, GoalScore, KnownCosts, ScoredTrial, SearchContext
from adadeep.core.trial import Trial
from adadeep.search.cost_model import Amount, CostModel, KnownCost, LearnedCost
from adadeep.search.known_tables import AdditiveTable, Formula, additive_table, savings
from adadeep.search.loss_model import LossModel, unbent
from adadeep.search.moves import initial_decisions
from adadeep.search.sums import Decisions, Floats, Sums
from adadeep.search.view import View
from adadeep.search.wishes import Wish

_WORD_BYTES = 4
_LEAST_COST = 1e-12
_Z95 = 1.959964
_TOLERANCE = 1e-9  # as of `core.reward`


@dataclass(frozen=True, slots=True)
class GoalModel:
    """What is believed of the costs on a goal's target.

    Attributes:
        goal: demand and limits.
        wish: the same as numbers.
        latency_ms: T.
        energy_mj: E.
        storage_bytes: S_p.
    """

    goal: Goal
    wish: Wish
    latency_ms: CostModel
    energy_mj: CostModel
    storage_bytes: CostModel

    @property
    def costs(self) -> tuple[CostModel, CostModel, CostModel]:
        """T, E and S_p."""
        return self.latency_ms, self.energy_mj, self.storage_bytes


class World:
    """What is known and believed of the plans of a search.

    Args:
        context: of the search; its history holds the initial network.

    Attributes:
        space: of the plans.
        loss: what is believed of it.
        goals: what is believed of the costs, by goal.
    """

    def __init__(self, context: SearchContext) -> None:
        self.space = context.space
        self._scale = context.scale
        self._start = np.array(initial_decisions(context.space), np.int64)
        self._initial = _initial(context)
        self.loss = LossModel(context.space, savings(context.space, context.known_costs))
        quality = self._initial.quality if self._initial else None
        self._quality = context.goals[0].limits.min_accuracy if quality is None else quality
        self.goals = tuple(self._goal_model(context, n) for n in range(len(context.goals)))
        self._costs: list[CostModel] = [c for model in self.goals for c in model.costs]
        self._initial_costs: list[Floats] | None = None

    def tell(self, decisions: tuple[int, ...], scored: ScoredTrial) -> None:
        """Takes what came of a plan; `fit` draws the conclusions."""
        row = np.array(decisions, np.int64)
        if row.tolist() == self._start.tolist():
            return  # everything is relative to it
        trial = next((s.trial for s in scored.scores if s.trial.accuracy is not None), None)
        if trial is not None and trial.accuracy is not None:
            loss = self._scale.loss(self._quality, trial.accuracy)
            self.loss.see(row, loss, self._loss_variance(trial))
        for score in scored.scores:
            if score.trial.cost is not None and (model := self._model_of(score)) is not None:
                _see_cost(model, row, score.trial.cost)

    def fit(self) -> None:
        """Draws the conclusions from all that was told."""
        self.loss.fit()
        for cost in self._costs:
            cost.fit()
        self._initial_costs = None

    def believed_quality(self, decisions: tuple[int, ...]) -> float | None:
        """Of a plan that was tried, its sampling luck taken out; None of another."""
        if decisions == tuple(self._start.tolist()):
            return self._quality
        loss = self.loss.smoothed().get(decisions)
        if loss is None:
            return None
        scale = self._scale
        quality = self._quality - loss * scale.span * (1 if scale.higher_is_better else -1)
        return min(max(quality, scale.low), scale.high)

    @property
    def known_tables(self) -> tuple[AdditiveTable, ...]:
        """Of the costs that formulas tell, which are the same on all targets."""
        return tuple(c.table for c in self.goals[0].costs if isinstance(c, KnownCost))

    @property
    def known_places(self) -> tuple[int, ...]:
        """Which of T, E and S_p those are."""
        costs = self.goals[0].costs
        return tuple(n for n, cost in enumerate(costs) if isinstance(cost, KnownCost))

    def may_keep(self, decisions: Decisions) -> npt.NDArray[np.bool_]:
        """Whether what formulas tell keeps the limits of one goal at least.

        A study skips the others untried, so nothing is learned from them.

        Args:
            decisions: (n, points).

        Returns:
            (n,); true where a choice is one that formulas can't tell.
        """
        found = np.zeros(len(decisions), np.bool_)
        for model in self.goals:
            kept = np.ones(len(decisions), np.bool_)
            for bound, cost in zip(model.wish.bounds, model.costs, strict=True):
                if isinstance(cost, KnownCost):
                    is_within = cost.table.values(decisions) <= bound * (1 + _TOLERANCE)
                    kept &= is_within | ~cost.table.tells(decisions)
            found |= kept
        return found

    @property
    def initial_costs(self) -> list[Floats]:
        """T, E and S_p of the initial network, by goal; each (3,)."""
        if self._initial_costs is None:
            weights = [one[np.newaxis] for one in self._means]
            _, costs = self.quantities(self._start[np.newaxis], weights)
            self._initial_costs = [*np.array([one[0, 0] for one in costs]).reshape(-1, 3)]
        return self._initial_costs

    @property
    def told_costs(self) -> Floats:
        """T, E and S_p that were told of the initial network, by goal; NaN of what was not.

        Returns:
            (goals, 3), in ms, mJ and bytes.
        """
        costs = [_cost_there(self._initial, model.goal) for model in self.goals]
        return np.array(
            [
                [math.nan] * 3
                if cost is None
                else [
                    _value(cost.latency_ms, math.nan), _value(cost.energy_mj, math.nan),
                    cost.storage_bytes,
                ]
                for cost in costs
            ]
        )  # fmt: skip

    @property
    def best_gain(self) -> float:
        """The largest gain of quality over the initial network, a fraction of the range."""
        return self._scale.loss(self._scale.best, self._quality)

    @property
    def strays(self) -> list[float]:
        """Of each quantity, how far plans stray from what weights say; 0 of what is known."""
        return [self.loss.stray(), *(cost.stray() for cost in self._costs)]

    def mean(self) -> View:
        """The world as it is believed to be."""
        return View(self, tuple(one[np.newaxis] for one in self._means))

    @property
    def _means(self) -> list[Floats]:
        return [self.loss.mean(), *(cost.mean() for cost in self._costs)]

    def sample(self, rng: np.random.Generator, count: int = 1) -> View:
        """Worlds as they may be."""
        drawn = [cost.sample(rng, count) for cost in self._costs]
        return View(self, (self.loss.sample(rng, count), *drawn))

    def judged(self, decisions: Decisions, weights: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Violation and reward of plans, the mean over the goals.

        Args:
            decisions: (n, points).
            weights: as of a `View`.

        Returns:
            Two arrays (ways, n).
        """
        return self.scored([one.of(decisions) for one in self.sums(weights)])

    def scored(
        self, sums: Sequence[Floats], strayed: Sequence[Floats | None] = ()
    ) -> tuple[Floats, Floats]:
        """Violation and reward, the mean over the goals, where `sums` come to that.

        Args:
            sums: of one shape, but for leading lengths of 1.
            strayed: of each quantity, how far it is off; None: nothing. Empty: of none is.
        """
        loss, costs = self._turned_out(sums, strayed)
        found = [
            model.wish.scored(loss, costs[3 * place : 3 * place + 3])
            for place, model in enumerate(self.goals)
        ]
        violations, rewards = (sum(of_goals) for of_goals in zip(*found, strict=True))
        return np.asarray(violations / len(found)), np.asarray(rewards / len(found))

    def quantities(
        self, decisions: Decisions, weights: Sequence[Floats]
    ) -> tuple[Floats, list[Floats]]:
        """Losses, and costs by goal (T, E, S_p of each); arguments as of `judged`.

        Returns:
            Arrays (ways, n); (1, n) of what is the same in all ways.
        """
        return self.quantities_of(decisions, self.sums(weights))

    def quantities_of(
        self, decisions: Decisions, sums: Sequence[Sums]
    ) -> tuple[Floats, list[Floats]]:
        """Likewise of what a view has summed up already."""
        return self._turned_out([one.of(decisions) for one in sums], ())

    def sums(self, weights: Sequence[Floats]) -> tuple[Sums, ...]:
        """Of the loss and of each cost of each goal, under weights as of a `View`."""
        costs = zip(self._costs, weights[1:], strict=True)
        return self.loss.sums(weights[0]), *(cost.sums(own) for cost, own in costs)

    def _turned_out(
        self, sums: Sequence[Floats], strayed: Sequence[Floats | None]
    ) -> tuple[Floats, list[Floats]]:
        """Losses and costs of sums that stray; arguments as of `scored`."""
        off = [*strayed] or [None] * len(sums)
        loss = unbent(sums[0] if off[0] is None else sums[0] + off[0])
        costs = [np.maximum(one, _LEAST_COST) for one in sums[1:]]
        return loss, [
            one if more is None else one * np.exp(more)
            for one, more in zip(costs, off[1:], strict=True)
        ]

    def wish_of(self, goal: Goal) -> Wish:
        """What is wanted on a target, relative to the initial network."""
        scale, limits, demand = self._scale, goal.limits, goal.demand
        room = max(scale.loss(scale.best, limits.min_accuracy), 1e-3)
        return Wish(
            scale.loss(self._quality, limits.min_accuracy),
            room,
            (limits.max_latency_ms, limits.max_energy_mj, limits.max_storage_bytes),
            (
                demand.accuracy_weight, demand.latency_weight, demand.energy_weight,
                demand.storage_weight,
            ),
        )  # fmt: skip

    def _loss_variance(self, trial: Trial) -> float:
        """Of the paired loss; of a sample's worth at least."""
        initial = self._initial.scores[0].trial.scores if self._initial else None
        if trial.scores is None or initial is None or trial.scores.count != initial.count:
            return 0.0
        if self._scale.is_f1:
            seen = compared(self._scale, initial, trial.scores)
            return (seen.square - seen.loss**2) / seen.samples
        lost = (initial.array.astype(np.float64) - trial.scores.array) / self._scale.span
        spread = float(np.square(lost).mean() - lost.mean() ** 2)
        return (spread + 1 / len(lost)) / len(lost)

    def _model_of(self, score: GoalScore) -> GoalModel | None:
        found = [model for model in self.goals if score.target in ("", model.goal.target)]
        return found[0] if found else None

    def _goal_model(self, context: SearchContext, place: int) -> GoalModel:
        goal, limits = context.goals[place], context.goals[place].limits
        cost = _cost_there(self._initial, goal)
        own_ms = _value(cost.latency_ms if cost else None, limits.max_latency_ms)
        own_mj = _value(cost.energy_mj if cost else None, limits.max_energy_mj)
        own_bytes = cost.storage_bytes if cost else limits.max_storage_bytes
        return GoalModel(
            goal,
            self.wish_of(goal),
            self._learned(self._time_priors(context, place), _macs_of, own_ms),
            self._known(context, lambda known: known.energy_mj)
            or self._learned([_formula(context, _words)], _words_of, own_mj),
            self._known(context, lambda known: known.storage_bytes)
            or self._learned([_formula(context, _macs)], _weights_of, own_bytes),
        )

    def _time_priors(self, context: SearchContext, place: int) -> list[Formula]:
        prior = context.targets[place].time_prior if place < len(context.targets) else None
        return [*([prior] if prior else []), _formula(context, _macs)]

    def _known(
        self, context: SearchContext, of: Callable[[KnownCosts], float | None]
    ) -> CostModel | None:
        table = additive_table(self.space, _formula(context, of))
        return None if table is None else KnownCost(table)

    def _learned(self, priors: Sequence[Formula], amount: Amount, own: float) -> CostModel:
        """Over the first prior that tells the initial network; else all plans are alike in it."""
        tables = (additive_table(self.space, prior) for prior in [*priors, lambda _: 1.0])
        table = next(found for found in tables if found is not None)
        return LearnedCost(self.space, table, amount, own)


def _macs(known: KnownCosts) -> float:
    return float(known.macs)


def _macs_of(layer: LayerSpec) -> float:
    return float(layer.macs)


def _weights_of(layer: LayerSpec) -> float:
    return float(layer.weights)


def _words(known: KnownCosts) -> float:
    """As Eq. 5 weighs MACs and accesses to memory."""
    return known.macs + (6 * known.storage_bytes + 200 * known.activation_bytes) / _WORD_BYTES


def _words_of(layer: LayerSpec) -> float:
    return layer.macs + 6.0 * layer.weights + 200.0 * math.prod(layer.output_shape)


def _formula(context: SearchContext, of: Callable[[KnownCosts], float | None]) -> Formula:
    def formula(plan: CompressionPlan) -> float | None:
        known = context.known_costs(plan)
        return None if known is None else of(known)

    return formula


def _value(quantity: Quantity | None, otherwise: float) -> float:
    return otherwise if quantity is None or quantity.value is None else quantity.value


def _cost_there(initial: ScoredTrial | None, goal: Goal) -> Cost | None:
    scores = initial.scores if initial else ()
    return next((s.trial.cost for s in scores if s.target in ("", goal.target)), None)


def _initial(context: SearchContext) -> ScoredTrial | None:
    return next((one for one in context.history if one.plan == CompressionPlan()), None)


def _see_cost(model: GoalModel, decisions: Decisions, cost: Cost) -> None:
    for known, quantity in (
        (model.latency_ms, cost.latency_ms), (model.energy_mj, cost.energy_mj),
    ):  # fmt: skip
        if quantity.value is not None:
            known.see(decisions, quantity.value, _log_variance(quantity))
    model.storage_bytes.see(decisions, cost.storage_bytes, 0.0)


def _log_variance(quantity: Quantity) -> float:
    """Of the logarithm of a cost, from its interval of 95 %; 0 where it has none."""
    ends = quantity.ratio or quantity  # the unit's uncertainty tells no two plans apart
    if not ends.low or not ends.high or ends.high <= ends.low:
        return 0.0
    return float((math.log(ends.high / ends.low) / (2 * _Z95)) ** 2)
