"""sweep: what an engineer without an algorithm does, and what any algorithm must beat.

Each precision alone; each technique wherever it fits, one setting of it after the other (preset
"first": its first setting alone, as whoever is in a hurry); the best two of these together, where
they add up; then one change at a time, any, from the best plan so far; where each of those was
tried, the same from a plan drawn at random, until every plan was tried.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.core.space import SearchSpace
from adadeep.search.explored import Explored
from adadeep.search.moves import Decisions, merged, neighbours, precision_plans, uniform_plans

_FIRST = "first"


class SweepSampler:
    """See above. A plan that is open is not asked for again, and is no base for changes yet.

    Args:
        context: of the search; its seed is of which change comes next, and of the plans drawn.
    """

    def __init__(self, context: SearchContext) -> None:
        self._space = context.space
        self._rng = random.Random(context.seed)
        self._explored = Explored(context)
        techniques = uniform_plans(self._space)
        if context.preset == _FIRST:
            techniques = _first_settings(self._space, techniques)
        self._alone = [*precision_plans(self._space), *techniques]
        self._has_combined = False
        self._start: Decisions | None = None  # the plan drawn last

    def ask(self) -> CompressionPlan | Stop:
        """The next plan; never one that was asked for or told before."""
        if self._explored.is_exhausted:
            return Stop("every plan was tried")
        return self._explored.ask(next(filter(self._explored.is_new, self._wanted())))

    def tell(self, scored: ScoredTrial) -> None:
        """Remembers how good it is."""
        self._explored.tell(scored)

    def _wanted(self) -> Iterator[Decisions]:
        """Plans in the order in which they should be tried, whether they were or not."""
        yield from self._alone
        if not self._has_combined:
            self._has_combined = True
            yield from self._best_two()
        for best in self._explored.best_of(self._explored.known)[:1]:
            yield from self._changes(best)
        if self._start is not None:
            yield from self._climbed(self._start)
        self._start = self._explored.draw(self._rng)
        yield self._start

    def _best_two(self) -> Iterator[Decisions]:
        """The best one together with the best that adds something to it."""
        ranked = self._explored.best_of(self._alone)
        for pair in itertools.combinations(ranked, 2):
            both = merged(self._space, *pair)
            if both not in pair:
                yield both
                return

    def _changes(self, base: Decisions) -> list[Decisions]:
        """Every single change of a plan, shuffled."""
        changes = list(neighbours(self._space, base))
        self._rng.shuffle(changes)
        return changes

    def _climbed(self, start: Decisions) -> Iterator[Decisions]:
        """Changes of what a climb over known plans comes to; none where the start has failed."""
        base = start
        while (rank := self._explored.rank(base)) is not None:
            if math.isinf(rank[0]):
                return
            best = self._explored.best_of([base, *neighbours(self._space, base)])[0]
            if best == base:
                break
            base = best
        yield from self._changes(base)


def _first_settings(space: SearchSpace, plans: list[Decisions]) -> list[Decisions]:
    """Of uniform plans the first one of each technique."""
    by_technique: dict[str, Decisions] = {}
    for plan in plans:
        name = next(choice.technique for _, choice in space.plan(plan).choices)
        by_technique.setdefault(name, plan)
    return list(by_technique.values())


class SweepKind:
    """The "sweep" entry of the registry."""

    name = "sweep"
    title = "as an engineer tries: everything alone, the best two together, one change at a time"
    presets = ("default", _FIRST)

    def make(self, context: SearchContext) -> SweepSampler:
        """A sampler that has tried nothing yet."""
        return SweepSampler(context)


SWEEP = SweepKind()
