"""Demands that nothing can meet, by the costs that are known before anything is tried.

In a space of some thousand plans each is looked at. In a larger one a limit counts as unreachable
where even the sum of the most that each decision saves does not reach it. For this a technique may
change its own layer and those behind it, and two decisions together may not save more than the sum
of what each saves alone: so it is where costs are products, as of a kernel whose channels shrink
on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan, LayerChoice
from adadeep.core.search import Goal, KnownCosts
from adadeep.core.space import PrecisionChoice, SearchSpace
from adadeep.search.moves import count_plans, nth_plan
from adadeep.storage.records import JournalContent
from adadeep.study.known import Skip, ruled_out
from adadeep.study.trials import TargetScorer

MOST_PLANS = 2000  # a millisecond each, about
_MOST_DECISIONS = 4000

Costs = Callable[[CompressionPlan], KnownCosts | None]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """That no plan can keep the limits of any goal.

    Attributes:
        reason: which limits the nearest plan breaks, and by how much; for people.
        nearest: the plan that comes nearest; None where only a bound of all is known.
    """

    reason: str
    nearest: CompressionPlan | None

    @property
    def text(self) -> str:
        """A clause for people: the nearest possible values against those allowed."""
        where = f"of {self.nearest.label}, which comes nearest" if self.nearest else "at the least"
        return f"{self.reason} ({where})"


def unreachable(
    space: SearchSpace, goals: Sequence[Goal], known: Costs, at_least: Costs = lambda _: None
) -> Unreachable | None:
    """Whether known costs show that no plan can keep the limits; None if one may.

    Args:
        space: all plans.
        goals: at least one; a plan may serve any of them.
        known: costs of a plan; None where they can't be told.
        at_least: a bound of those that can't; None where there is none.
    """
    if ruled_out(CompressionPlan(), goals, known) is None:
        return None
    count = count_plans(space)
    if count <= MOST_PLANS:
        plans = [space.plan(nth_plan(space, number)) for number in range(count)]
        return _nearest(plans, goals, known, at_least)
    bound = _of_all(space, known, at_least)
    skip = _skip(bound, goals) if bound else None
    return Unreachable(skip.reason, None) if skip else None


def is_met_already(content: JournalContent, goals: Sequence[Goal]) -> bool:
    """Whether a plan of the journal keeps the limits of a goal: it may be of another space."""
    found = (TargetScorer.of(content, content.targets[g.target], g.demand) for g in goals)
    return any(
        scorer.score(content, record).reward.is_feasible
        for scorer in found
        if scorer is not None
        for record in content.trials.values()
    )


def _skip(costs: KnownCosts, goals: Sequence[Goal]) -> Skip | None:
    """Why what costs so much can serve no goal."""
    return ruled_out(CompressionPlan(), goals, lambda _: costs)


def _nearest(
    plans: Sequence[CompressionPlan], goals: Sequence[Goal], known: Costs, at_least: Costs
) -> Unreachable | None:
    """The plan that breaks limits least of those whose costs are known; None if one may serve."""
    found: list[tuple[float, Unreachable]] = []
    for plan in plans:
        exact = known(plan)
        costs = exact or at_least(plan)
        skip = _skip(costs, goals) if costs else None
        if skip is None:
            return None
        if exact:
            found.append((sum(skip.violations.values()), Unreachable(skip.reason, plan)))
    return min(found, key=lambda pair: pair[0])[1]


def _of_all(space: SearchSpace, known: Costs, at_least: Costs) -> KnownCosts | None:
    """A bound of every plan's costs; None where none is known, or it would take too long."""
    options = sum(len(point.options) for point in space.points)
    named = [action.name for action in space.actions if isinstance(action, PrecisionChoice)]
    precisions = named or [UNCHANGED_PRECISION]
    if options * len(precisions) > _MOST_DECISIONS:
        return None
    bounds = [_of_precision(space, name, known, at_least) for name in precisions]
    return _least(bounds)


def _of_precision(
    space: SearchSpace, precision: str, known: Costs, at_least: Costs
) -> KnownCosts | None:
    """What is left where each layer's decision saves the most that one of its options does."""
    base = known(CompressionPlan((), precision))
    left = base
    for point in space.points:
        if point.layer is None:
            continue
        actions = (space.actions[number] for number in point.options)
        plans = [
            CompressionPlan(((point.layer.name, action),), precision)
            for action in actions
            if isinstance(action, LayerChoice)
        ]
        best = _least([known(plan) or at_least(plan) for plan in plans])
        if left is None or base is None or best is None:
            return None
        left = _less(left, base, best)
    return left


def _least(costs: Sequence[KnownCosts | None]) -> KnownCosts | None:
    """The least S_p and the least E, whichever they are of; None where one is not known."""
    known = [one for one in costs if one is not None]
    if len(known) < len(costs):
        return None
    energies = [one.energy_mj for one in known if one.energy_mj is not None]
    return replace(
        known[0],
        storage_bytes=min(one.storage_bytes for one in known),
        energy_mj=min(energies) if len(energies) == len(known) else None,
    )


def _less(left: KnownCosts, base: KnownCosts, best: KnownCosts) -> KnownCosts:
    """What is left, less what the best option saves of the base."""
    energy = None
    if left.energy_mj is not None and base.energy_mj is not None and best.energy_mj is not None:
        energy = max(0.0, left.energy_mj - max(0.0, base.energy_mj - best.energy_mj))
    saved = max(0.0, base.storage_bytes - best.storage_bytes)
    return replace(left, storage_bytes=max(0.0, left.storage_bytes - saved), energy_mj=energy)
