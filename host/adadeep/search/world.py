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

from adadeep.core.cost import Cost, Quantity
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import Goal, GoalScore, KnownCosts, ScoredTrial, SearchContext
from adadeep.core.space import SearchSpace
from adadeep.core.trial import Trial
from adadeep.search.belief import LinearBelief, Scales
from adadeep.search.features import DecisionFeatures
from adadeep.search.known_tables import (
    AdditiveTable,
    Decisions,
    Floats,
    Formula,
    additive_table,
)

# Before anything is seen: of what a decision adds to the loss (a fraction of the metric's range)
# and to the logarithm of a cost, by group of features (own, action, technique, precision); and of
# how far a plan strays from the sum.
_LOSS_SCALES = Scales(np.array([0.01, 0.01, 0.02, 0.005]), 0.003)
_COST_SCALES = Scales(np.array([0.2, 0.3, 0.3, 0.4]), 0.03)
_BEND = 0.05  # losses well above it are told apart by their logarithm only
_LEAST_VARIANCE = 1e-10
_LEAST_COST = 1e-12
_Z95 = 1.959964
_TOLERANCE = 1e-9  # as of `core.reward`
_BROKEN = 10.0  # a plan that breaks a limit is worth less than any that keeps all


def bent(loss: Floats) -> Floats:
    """Losses on a scale where they add up: as they are when small, logarithmic when large."""
    return np.asarray(_BEND * np.arcsinh(loss / _BEND))


def unbent(value: Floats) -> Floats:
    """The inverse of `bent`."""
    return np.asarray(_BEND * np.sinh(np.clip(value / _BEND, -20.0, 5.0)))


def worth(violation: Floats, reward: Floats) -> Floats:
    """To rank by: the reward where limits are kept, else less by how far they are broken."""
    return np.asarray(np.where(violation > _TOLERANCE, -_BROKEN - violation, reward))


def unchanged(space: SearchSpace) -> tuple[int, ...]:
    """The decisions that leave the network as it is, or the nearest that there are."""
    try:
        return space.decisions(CompressionPlan())
    except ValueError:
        return tuple(point.options[0] for point in space.points)


class LearnedQuantity:
    """A quantity of plans that is learned from those that were tried.

    Args:
        features: of decisions.
        scales: of the belief.
    """

    def __init__(self, features: DecisionFeatures, scales: Scales) -> None:
        self._features = features
        self.belief = LinearBelief(features.groups, scales)
        self._rows: list[Floats] = []
        self._values: list[float] = []
        self._variances: list[float] = []

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) came to, on the belief's scale."""
        self._rows.append(self._features.rows(decisions[np.newaxis])[0])
        self._values.append(value)
        self._variances.append(max(variance, _LEAST_VARIANCE))

    def fit(self) -> None:
        """Draws its conclusions."""
        if self._values:
            self.belief.fit(
                np.stack(self._rows), np.array(self._values), np.array(self._variances)
            )

    def smoothed(self) -> Floats:
        """What was seen, in the same order, its noise taken out as far as can be."""
        return self.belief.smoothed()


@dataclass(slots=True)
class CostModel:
    """A cost on one target.

    Attributes:
        prior: of every plan.
        factor: from the prior's unit to the cost's.
        learned: the logarithm of the cost over its prior; None where the prior is the truth.
    """

    prior: AdditiveTable
    factor: float
    learned: LearnedQuantity | None

    def prior_of(self, decisions: Decisions) -> Floats:
        """Before anything is seen; (n,)."""
        return np.asarray(np.maximum(self.prior.values(decisions) * self.factor, _LEAST_COST))

    def see(self, decisions: Decisions, value: float, variance: float) -> None:
        """Takes what a plan (points,) costs; the variance is of its logarithm."""
        if self.learned is None:
            self.prior.learn(decisions, value / self.factor)
            return
        prior = float(self.prior_of(decisions[np.newaxis])[0])
        self.learned.see(decisions, math.log(max(value, _LEAST_COST) / prior), variance)


@dataclass(frozen=True, slots=True)
class GoalModel:
    """What is believed of the costs on a goal's target.

    Attributes:
        goal: demand and limits.
        latency_ms: T.
        energy_mj: E.
        storage_bytes: S_p.
    """

    goal: Goal
    latency_ms: CostModel
    energy_mj: CostModel
    storage_bytes: CostModel

    @property
    def costs(self) -> tuple[CostModel, CostModel, CostModel]:
        """T, E and S_p."""
        return self.latency_ms, self.energy_mj, self.storage_bytes


Tables = tuple[Floats, ...]  # of each learned quantity: what each decision adds


@dataclass(frozen=True, slots=True)
class View:
    """One way in which the world may be: the mean of what is believed, or a sample of it.

    Attributes:
        world: that it is a view of.
        tables: what each decision adds to each learned quantity; each (points, actions).
    """

    world: World
    tables: Tables

    def worth(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (n,)."""
        return worth(*self.judge(decisions))

    def judge(self, decisions: Decisions) -> tuple[Floats, Floats]:
        """Violation and reward of plans (n, points), the mean over the goals; (n,) each."""
        places = np.arange(decisions.shape[1])
        sums = [table[places, decisions].sum(axis=1) for table in self.tables]
        return self.world.judged(decisions, sums)


class World:
    """What is known and believed of the plans of a search.

    Args:
        context: of the search; its history holds the initial network.
    """

    def __init__(self, context: SearchContext) -> None:
        self.space = context.space
        self.features = DecisionFeatures(context.space)
        self._scale = context.scale
        self._start = np.array(unchanged(context.space), np.int64)
        self._initial = _initial(context)
        self.loss = LearnedQuantity(self.features, _LOSS_SCALES)
        quality = self._initial.quality if self._initial else None
        self._quality = context.goals[0].limits.min_accuracy if quality is None else quality
        self.goals = tuple(self._goal_model(context, n) for n in range(len(context.goals)))

    @property
    def quantities(self) -> list[LearnedQuantity]:
        """All that is learned: the loss, then costs by goal."""
        costs = [cost for goal in self.goals for cost in goal.costs]
        return [self.loss, *(cost.learned for cost in costs if cost.learned is not None)]

    def tell(self, decisions: tuple[int, ...], scored: ScoredTrial) -> None:
        """Takes what came of a plan; `fit` draws the conclusions."""
        row = np.array(decisions, np.int64)
        if row.tolist() == self._start.tolist():
            return  # everything is relative to it
        trial = next((s.trial for s in scored.scores if s.trial.accuracy is not None), None)
        if trial is not None and trial.accuracy is not None:
            loss = self._scale.loss(self._quality, trial.accuracy)
            variance = self._loss_variance(trial) / (1 + (loss / _BEND) ** 2)
            self.loss.see(row, float(bent(np.array(loss))), variance)
        for score in scored.scores:
            if score.trial.cost is not None and (model := self._model_of(score)) is not None:
                _see_cost(model, row, score.trial.cost)

    def fit(self) -> None:
        """Draws the conclusions from all that was told."""
        for quantity in self.quantities:
            quantity.fit()

    def mean(self) -> View:
        """The world as it is believed to be."""
        return View(self, tuple(self.features.tables(q.belief.mean) for q in self.quantities))

    def samples(self, rng: np.random.Generator, count: int) -> list[View]:
        """Worlds as they may be."""
        drawn = [self.features.tables(q.belief.sample(rng, count)) for q in self.quantities]
        return [View(self, tuple(one[number] for one in drawn)) for number in range(count)]

    def dreams(
        self, decisions: Decisions, rng: np.random.Generator, count: int
    ) -> tuple[Floats, Floats]:
        """Violation and reward of plans as they may turn out, each with a stray of its own.

        Args:
            decisions: (n, points).
            rng: of the draws.
            count: of the draws.

        Returns:
            Two arrays (n, count); what is in one column belongs together.
        """
        rows, sums = self.features.rows(decisions), []
        for quantity in self.quantities:
            belief = quantity.belief
            strayed = belief.scales.stray * rng.standard_normal((len(rows), count))
            sums.append(rows @ belief.sample(rng, count).T + strayed)
        return self.judged(decisions, sums)

    def judged(self, decisions: Decisions, sums: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Violation and reward of plans of which the learned quantities are given.

        Args:
            decisions: (n, points).
            sums: in the order of `quantities`; each (n,) or (n, draws).

        Returns:
            Two arrays of that shape.
        """
        loss = unbent(sums[0])
        shape = (len(decisions), *(1,) * (loss.ndim - 1))
        left = iter(sums[1:])
        violations, rewards = [], []
        for model in self.goals:
            costs = [
                cost.prior_of(decisions).reshape(shape)
                * (1.0 if cost.learned is None else np.exp(next(left)))
                for cost in model.costs
            ]
            broken, reward = self._scored(model.goal, loss, costs)
            violations.append(broken)
            rewards.append(reward)
        return np.mean(violations, axis=0), np.mean(rewards, axis=0)

    def _scored(self, goal: Goal, loss: Floats, costs: Sequence[Floats]) -> tuple[Floats, Floats]:
        """As `core.reward`, of many plans."""
        scale, limits, demand = self._scale, goal.limits, goal.demand
        lowest = limits.min_accuracy
        room = max(scale.advantage(scale.best, lowest), 1e-3 * scale.span)
        kept = scale.advantage(self._quality, lowest) - loss * scale.span
        bounds = (limits.max_latency_ms, limits.max_energy_mj, limits.max_storage_bytes)
        margins = [kept / room] + [
            (bound - cost) / max(bound, _LEAST_COST)
            for bound, cost in zip(bounds, costs, strict=True)
        ]
        weights = (
            demand.accuracy_weight, demand.latency_weight, demand.energy_weight,
            demand.storage_weight,
        )  # fmt: skip
        broken = sum(np.where(m < -_TOLERANCE, -m, 0.0) for m in margins)
        reward = sum(w * np.clip(m, -1, 1) for w, m in zip(weights, margins, strict=True))
        return np.asarray(broken), np.asarray(reward)

    def _loss_variance(self, trial: Trial) -> float:
        """Of the paired loss; of a few samples' worth at least."""
        initial = self._initial.scores[0].trial.scores if self._initial else None
        if trial.scores is None or initial is None or trial.scores.count != initial.count:
            return 0.0
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
            self._learned(self._time_prior(context, place), own_ms),
            self._known_or_learned(context, lambda known: known.energy_mj, own_mj),
            self._known_or_learned(context, lambda known: known.storage_bytes, own_bytes),
        )

    def _time_prior(self, context: SearchContext, place: int) -> Formula:
        prior = context.targets[place].time_prior if place < len(context.targets) else None
        return prior or _formula(context, lambda known: float(known.macs))

    def _known_or_learned(
        self, context: SearchContext, of: Callable[[KnownCosts], float | None], own: float
    ) -> CostModel:
        """The formula's costs where it tells them, else costs learned over the MACs' share."""
        table = additive_table(self.space, _formula(context, of))
        if table is not None:
            return CostModel(table, 1.0, None)
        return self._learned(_formula(context, lambda known: float(known.macs)), own)

    def _learned(self, prior: Formula, own: float) -> CostModel:
        table = additive_table(self.space, prior)
        if table is None:
            table = additive_table(self.space, lambda _: 1.0)
        assert table is not None
        start = float(table.values(self._start[np.newaxis])[0])
        factor = own / start if start > 0 else 1.0
        return CostModel(table, factor, LearnedQuantity(self.features, _COST_SCALES))


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
    if not quantity.low or not quantity.high or quantity.high <= quantity.low:
        return 0.0
    return float((math.log(quantity.high / quantity.low) / (2 * _Z95)) ** 2)
