"""The planner: the world model and coordinate ascent, without a Q network."""

from __future__ import annotations

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.search.ascent import ascend_each, random_plans
from adadeep.search.explorer import TRIED_ALL, Explorer
from adadeep.search.view import joined

_BEST, _RANDOM = 4, 2  # starts of an ascent
_ROUNDS = 40
_DREAMS = 2  # samples of the world that are climbed beside its mean


class PlannerSampler:
    """Climbs the world as it is believed to be, and samples of it; tries what may gain most.

    Args:
        context: of the search.
    """

    def __init__(self, context: SearchContext) -> None:
        self._explorer = Explorer(context)

    def ask(self) -> CompressionPlan | Stop:
        """The next plan."""
        explorer = self._explorer
        chosen = explorer.opening()
        if chosen is None:
            sampled = [explorer.world.sample(explorer.rng) for _ in range(_DREAMS)]
            view = joined([explorer.world.mean(), *sampled])
            drawn = random_plans(explorer.space, explorer.rng, _RANDOM)
            starts = np.concatenate([explorer.best_plans(_BEST), drawn])
            every = [starts] * (1 + _DREAMS)
            mean, *dreams = ascend_each(view, explorer.moves, every, _ROUNDS)
            chosen = explorer.choose(mean, dreams)
        return Stop(TRIED_ALL) if chosen is None else explorer.ask(chosen)

    def tell(self, scored: ScoredTrial) -> None:
        """Learns from it, whoever asked for it."""
        self._explorer.tell(scored)

    def expected_gain(self) -> float | None:
        """What going on may still add to the best reward."""
        return self._explorer.expected_gain

    def believed_quality(self, plan: CompressionPlan) -> float | None:
        """Of a plan that was tried, its sampling luck taken out; None if that can't be told."""
        return self._explorer.believed_quality(plan)


class PlannerKind:
    """The "planner" entry of the registry."""

    name = "planner"
    title = "a model of costs and losses, planned by coordinate ascent"
    presets = ("default",)

    def make(self, context: SearchContext) -> PlannerSampler:
        """A sampler that knows the context's history."""
        return PlannerSampler(context)


PLANNER = PlannerKind()
