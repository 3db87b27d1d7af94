"""What the planner and the DQN share: what is known, the plans that open a search, what to try.

A search opens with a design: each precision alone, then the uniform plans (one choice or two,
wherever they fit) that the belief likes best. From then on candidates are weighed by how much each
is expected to raise the best reward (expected improvement; Jones, Schonlau and Welch 1998), over
draws of the whole belief, so that a plan which may break a limit counts as far as it may keep it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext
from adadeep.core.space import NOTHING, SearchSpace
from adadeep.core.trial import TrialState
from adadeep.search.ascent import Moves
from adadeep.search.known_tables import Decisions, Floats, precision_place
from adadeep.search.world import View, World, unchanged

Plan = tuple[int, ...]  # decisions

TRIED_ALL = "every plan was tried"

_DESIGN = 3  # asks that open a search
_DRAWS = 64  # of the belief, to weigh candidates
_TOLERANCE = 1e-9


class Explorer:
    """What is known of a search's plans, and what is worth trying next.

    Args:
        context: of the search; its history is told at once.

    Attributes:
        world: what is believed.
        moves: from plan to plan.
        rng: of all draws.
    """

    def __init__(self, context: SearchContext) -> None:
        self.space = context.space
        self.world = World(context)
        self.moves = Moves(context.space)
        self.rng = np.random.default_rng(context.seed)
        self._known = {unchanged(context.space)}  # asked for or told
        self._ranks: dict[Plan, tuple[float, float]] = {}
        self._asked = 0
        self._gain: float | None = None
        self._precisions = precisions_alone(context.space)
        self._uniform = uniform_plans(context.space)
        for scored in context.history:
            self.tell(scored)

    def tell(self, scored: ScoredTrial) -> Plan | None:
        """Learns from a plan, whoever asked for it; its decisions if there is something in it."""
        try:
            decisions = self.space.decisions(scored.plan)
        except ValueError:  # of an earlier search with other techniques
            return None
        self._known.add(decisions)
        if scored.state is TrialState.INCOMPLETE:
            return None
        self._ranks[decisions] = scored.rank
        self.world.tell(decisions, scored)
        self.world.fit()
        return decisions

    def ask(self, plan: Plan) -> CompressionPlan:
        """Notes that a plan is asked for."""
        self._asked += 1
        self._known.add(plan)
        return self.space.plan(plan)

    @property
    def expected_gain(self) -> float | None:
        """What going on may still add to the best reward; None before there is a belief on it."""
        return self._gain

    def opening(self) -> Plan | None:
        """The next plan of the design; None when it is through."""
        if self._asked >= _DESIGN:
            return None
        for plans in (self._precisions, self._uniform):
            if len(fresh := self.fresh(np.array(plans, np.int64).reshape(-1, len(self.space.points)))):
                if plans is self._uniform:
                    fresh = fresh[np.argsort(-self.world.mean().worth(fresh), kind="stable")]
                return as_plan(fresh[0])
        return None

    def best_of(self, candidates: Sequence[Decisions], view: View) -> Plan | None:
        """The plan to try next: of candidates, else of what is near to what was tried.

        Args:
            candidates: plans, each (n, points).
            view: to rank by where no candidate is expected to gain.
        """
        fresh = self.fresh(np.unique(np.concatenate(candidates), axis=0))
        if not len(fresh):
            self._gain = 0.0
            return self._any_fresh()
        gains = self.gains(fresh)
        order = np.lexsort((-view.worth(fresh), -gains))
        return as_plan(fresh[order[0]])

    def gains(self, plans: Decisions) -> Floats:
        """By how much each plan is expected to raise the best reward; (n,)."""
        violation, reward = self.world.dreams(plans, self.rng, _DRAWS)
        raised = np.maximum(reward - self.best_reward, 0.0)
        raised[violation > _TOLERANCE] = 0.0
        self._gain = float(raised.max(axis=0).mean())
        return np.asarray(raised.mean(axis=1))

    @property
    def best_reward(self) -> float:
        """Of the plans that keep all limits; the least there can be if none does."""
        kept = [-rank[1] for rank in self._ranks.values() if rank[0] <= _TOLERANCE]
        return max(kept, default=-2.0)

    def best_plans(self, count: int) -> Decisions:
        """The best that were told, or what changes nothing; (n, points)."""
        best = sorted(self._ranks, key=self._ranks.__getitem__)[:count]
        return np.array(best or [unchanged(self.space)], np.int64)

    def fresh(self, plans: Decisions) -> Decisions:
        """Those that were neither asked for nor told."""
        kept = [tuple(row) not in self._known for row in plans.tolist()]
        return plans[kept]

    def _any_fresh(self) -> Plan | None:
        for plan in sorted(self._known, key=lambda one: self._ranks.get(one, (np.inf, 0.0))):
            around, _ = self.moves.neighbours(np.array([plan], np.int64))
            if len(fresh := self.fresh(around)):
                return as_plan(fresh[0])
        return None


def as_plan(row: Decisions) -> Plan:
    """Decisions (points,) as what the space takes."""
    return tuple(int(number) for number in row)


def precisions_alone(space: SearchSpace) -> list[Plan]:
    """Each precision on the network as it is."""
    place = precision_place(space)
    if place is None:
        return []
    start = unchanged(space)
    return [
        (*start[:place], option, *start[place + 1 :]) for option in space.points[place].options
    ]


def uniform_plans(space: SearchSpace) -> list[Plan]:
    """Each choice wherever it is open, in each precision, and each pair, the first one first."""
    layers = [place for place, point in enumerate(space.points) if point.layer is not None]
    numbers = sorted({n for p in layers for n in space.points[p].options if n != NOTHING})
    found: dict[Plan, None] = {}
    for start in precisions_alone(space) or [unchanged(space)]:
        for first in numbers:
            for second in (NOTHING, *numbers):
                found[_filled(space, start, (first, second))] = None
    return list(found)


def _filled(space: SearchSpace, start: Plan, wanted: Sequence[int]) -> Plan:
    plan = list(start)
    for place, point in enumerate(space.points):
        if point.layer is not None:
            open_here = not space.ending.intersection(plan[:place])
            options = point.options if open_here else ()
            plan[place] = next((number for number in wanted if number in options), NOTHING)
    return tuple(plan)
