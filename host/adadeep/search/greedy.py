"""greedy: layer by layer the choice of the greatest reward, then the precision (section 5.3.1).

What was decided before stays. It ends with the layers, or where the best choice breaks a limit
that was kept before: the reward alone does not prevent that, and the paper's greedy optimizer ends
there, too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.search.explored import Explored
from adadeep.search.moves import Decisions, initial_decisions, neighbours, repaired


class GreedySampler:
    """Goes its way anew at each ask, by what is known then.

    So what is asked ahead, by a choice that is the best as far as known, costs an evaluation and
    no more where another one turns out better.

    Args:
        context: of the search; its seed is of plans that are drawn for want of better ones.
    """

    def __init__(self, context: SearchContext) -> None:
        self._space = context.space
        self._rng = random.Random(context.seed)
        self._explored = Explored(context)
        self._end = ""  # of the way: why

    def ask(self) -> CompressionPlan | Stop:
        """The next new choice for the layer in hand, or the first for the next layer."""
        new = next(filter(self._explored.is_new, self._way()), None)
        return Stop(self._end) if new is None else self._explored.ask(new)

    def tell(self, scored: ScoredTrial) -> None:
        """Remembers its reward."""
        self._explored.tell(scored)

    def _way(self) -> Iterator[Decisions]:
        """Every plan on the way to the last decision.

        While some of them are open it may come to lead elsewhere, so that it does not end: after
        the last decision it goes on with changes of the plan that it has led to, or any plan.
        """
        plan = initial_decisions(self._space)
        yield plan
        is_sure = not self._explored.is_open(plan)
        for place, point in enumerate(self._space.points):
            choices = [
                repaired(self._space, (*plan[:place], number, *plan[place + 1 :]))
                for number in point.options
            ]
            yield from choices
            is_sure = is_sure and not any(map(self._explored.is_open, choices))
            before, plan = plan, max([plan, *choices], key=self._reward)
            if is_sure and self._breaks(plan) and not self._breaks(before):
                self._end = f"the best choice for {point.title} breaks a limit"
                return
        self._end = "every layer was decided"
        if not is_sure:
            yield from neighbours(self._space, plan)
            if not self._explored.is_exhausted:
                yield self._explored.draw(self._rng)

    def _reward(self, plan: Decisions) -> float:
        rank = self._explored.rank(plan)
        return -math.inf if rank is None else -rank[1]

    def _breaks(self, plan: Decisions) -> bool:
        rank = self._explored.rank(plan)
        return rank is not None and rank[0] > 0


class GreedyKind:
    """The "greedy" entry of the registry."""

    name = "greedy"
    title = "layer by layer the choice of the greatest reward"
    presets = ("default",)

    def make(self, context: SearchContext) -> GreedySampler:
        """A sampler that has tried nothing yet."""
        return GreedySampler(context)


GREEDY = GreedyKind()
