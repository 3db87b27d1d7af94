"""Plans drawn evenly at random: what any other sampler must beat."""

from __future__ import annotations

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext
from adadeep.core.space import SearchSpace

_TRIES = 50


class RandomSampler:
    """Draws every decision evenly among what is open; a plan that was asked is drawn again.

    Args:
        space: what there is to decide.
        seed: of the draws.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._asked: set[str] = set()

    def ask(self) -> CompressionPlan:
        """The next plan; one asked before only if new ones are hard to find."""
        plan = self._draw()
        for _ in range(_TRIES):
            if plan.key not in self._asked:
                break
            plan = self._draw()
        self._asked.add(plan.key)
        return plan

    def tell(self, scored: ScoredTrial) -> None:
        """Learns nothing."""

    def _draw(self) -> CompressionPlan:
        decisions: list[int] = []
        for _ in self._space.points:
            decisions.append(int(self._rng.choice(np.flatnonzero(self._space.mask(decisions)))))
        return self._space.plan(decisions)


class RandomKind:
    """The "random" entry of the registry."""

    name = "random"
    title = "plans drawn evenly at random"
    presets = ("default",)

    def make(self, context: SearchContext) -> RandomSampler:
        """A sampler with the context's seed."""
        return RandomSampler(context.space, context.seed)


RANDOM = RandomKind()
