"""singles: every change of the initial network by itself, one after the other."""

from __future__ import annotations

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.core.space import SearchSpace


class SinglesSampler:
    def __init__(self, space: SearchSpace, backwards: bool) -> None:
        plans = single_changes(space)
        self._waiting = plans[::-1] if backwards else plans
        self._known: set[str] = set()

    def ask(self) -> CompressionPlan | Stop:
        while self._waiting:
            plan = self._waiting.pop(0)
            if plan.key not in self._known:
                return plan
        return Stop("every change was tried by itself")

    def tell(self, scored: ScoredTrial) -> None:
        self._known.add(scored.plan.key)


def single_changes(space: SearchSpace) -> list[CompressionPlan]:
    initial = space.decisions(CompressionPlan())
    changes = [
        (place, option)
        for place, point in enumerate(space.points)
        for option in point.options
        if option != initial[place]
    ]
    return [space.plan((*initial[:at], option, *initial[at + 1 :])) for at, option in changes]


class SinglesKind:
    name = "singles"
    title = "every change by itself"
    presets = ("forwards", "backwards")

    def make(self, context: SearchContext) -> SinglesSampler:
        return SinglesSampler(context.space, context.preset == "backwards")


SINGLES = SinglesKind()
