"""The planner: the world model and coordinate ascent, without a Q network."""

from __future__ import annotations

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.core.space import NOTHING
from adadeep.core.trial import TrialState
from adadeep.search.ascent import Moves, ascend, random_plans
from adadeep.search.known_tables import Decisions, Floats, precision_place
from adadeep.search.world import World, unchanged

_DESIGN = 3  # plans that open a search: the precisions alone, then uniform ones
_STARTS = 6  # of an ascent: the best plans so far, and random ones
_RANDOM_STARTS = 2
_ROUNDS = 40
_DREAMS, _TOP, _SAMPLES = 2, 60, 64
_TRIED_ALL = "every plan was tried"


class PlannerSampler:
    """Asks for what the world model likes best: by its mean, and by samples of it in turn.

    Args:
        context: of the search.
    """

    def __init__(self, context: SearchContext) -> None:
        self._space = context.space
        self._rng = np.random.default_rng(context.seed)
        self.world = World(context)
        self._moves = Moves(context.space)
        start = unchanged(context.space)
        self._known: dict[tuple[int, ...], float | None] = {start: None}  # asked for or told
        self._ranks: dict[tuple[int, ...], tuple[float, float]] = {}
        self._asks = 0
        self._uniform = uniform_plans(context)
        self._design = precisions_alone(context)
        for scored in context.history:
            self.tell(scored)
        self._asks = 0

    def ask(self) -> CompressionPlan | Stop:
        """The next plan."""
        chosen = self._opening() or self._planned()
        if chosen is None:
            return Stop(_TRIED_ALL)
        self._asks += 1
        self._known.setdefault(chosen, None)
        return self._space.plan(chosen)

    def tell(self, scored: ScoredTrial) -> None:
        """Learns from it, whoever asked for it."""
        try:
            decisions = self._space.decisions(scored.plan)
        except ValueError:  # of an earlier search with other techniques
            return
        self._known.setdefault(decisions, None)
        if scored.state is TrialState.INCOMPLETE:
            return
        self._ranks[decisions] = scored.rank
        self.world.tell(decisions, scored)
        self.world.fit()

    def _opening(self) -> tuple[int, ...] | None:
        """The design: precisions alone, then uniform plans that the belief likes best."""
        if self._asks >= _DESIGN:
            return None
        for one in self._design:
            if one not in self._known:
                return one
        fresh = [one for one in self._uniform if one not in self._known]
        if not fresh:
            return None
        values = self.world.mean().worth(np.array(fresh))
        return fresh[int(np.argmax(values))]

    def _planned(self) -> tuple[int, ...] | None:
        views = [self.world.mean(), *self.world.samples(self._rng, _DREAMS)]
        starts = self._starts()
        found = [ascend(view, self._moves, starts, _ROUNDS) for view in views]
        tops = [plans[np.argsort(-values, kind="stable")[:_TOP]] for plans, values in found]
        plans = np.unique(np.concatenate(tops), axis=0)
        fresh = np.array([tuple(row) not in self._known for row in plans.tolist()])
        if not fresh.any():
            return self._any_fresh()
        plans = plans[fresh]
        gains = self.gains(plans)
        if gains.max() <= 0:
            order = np.argsort(-views[0].worth(plans), kind="stable")
            return self._first_fresh(plans[order])
        return self._first_fresh(plans[np.argsort(-gains, kind="stable")])

    def gains(self, plans: Decisions) -> Floats:
        """By how much each plan is expected to raise the best; (n,)."""
        violation, reward = self.world.dreams(plans, self._rng, _SAMPLES)
        raised = np.maximum(reward - self._best(), 0.0)
        return np.asarray(np.where(violation > 1e-9, 0.0, raised).mean(axis=1))

    def _best(self) -> float:
        ranks = [(-r[1]) for r in self._ranks.values() if r[0] <= 1e-9]
        return max(ranks, default=-1.0)

    def _first_fresh(self, plans: Decisions) -> tuple[int, ...] | None:
        for row in plans:
            plan = tuple(int(number) for number in row)
            if plan not in self._known:
                return plan
        return None

    def _any_fresh(self) -> tuple[int, ...] | None:
        for plan in list(self._known):
            found = self._first_fresh(self._moves.neighbours(np.array(plan)))
            if found is not None:
                return found
        return None

    def _starts(self) -> list[Decisions]:
        best = sorted(self._ranks, key=self._ranks.__getitem__)[: _STARTS - _RANDOM_STARTS]
        fixed = [np.array(plan) for plan in best] or [np.array(unchanged(self._space))]
        return [*fixed, *random_plans(self._space, self._rng, _RANDOM_STARTS)]


def precisions_alone(context: SearchContext) -> list[tuple[int, ...]]:
    """Each precision on the network as it is."""
    space, place = context.space, precision_place(context.space)
    if place is None:
        return []
    start = unchanged(space)
    return [
        (*start[:place], option, *start[place + 1 :]) for option in space.points[place].options
    ]


def uniform_plans(context: SearchContext) -> list[tuple[int, ...]]:
    """Each choice wherever it is open, in each precision, and each pair of such."""
    space = context.space
    layers = [place for place, point in enumerate(space.points) if point.layer is not None]
    numbers = sorted({n for p in layers for n in space.points[p].options if n != NOTHING})
    found: dict[tuple[int, ...], None] = {}
    for start in precisions_alone(context) or [unchanged(space)]:
        for first in numbers:
            for second in (NOTHING, *numbers):
                plan = list(start)
                for place in layers:
                    options = space.points[place].options
                    plan[place] = next((n for n in (first, second) if n in options), NOTHING)
                    if space.ending.intersection(plan[:place]):
                        plan[place] = NOTHING
                found[tuple(plan)] = None
    return list(found)


class PlannerKind:
    """The "planner" entry of the registry."""

    name = "planner"
    title = "a model of costs and losses, planned by coordinate ascent"
    presets = ("default",)

    def make(self, context: SearchContext) -> PlannerSampler:
        """A sampler that knows the context's history."""
        return PlannerSampler(context)


PLANNER = PlannerKind()
