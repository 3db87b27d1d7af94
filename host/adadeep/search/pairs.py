"""pairs: every choice for the convolutions with every one for the dense layers (section 5.3.1).

The paper's exhaustive optimizer: the same technique and setting wherever it fits on layers of a
kind. First all pairs in the precision that the network was trained in, then in each other one.
"""

from __future__ import annotations

import functools
import itertools

from adadeep.core.layers import LayerKind
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.core.space import SearchSpace
from adadeep.search.explored import Explored
from adadeep.search.moves import (
    Decisions,
    initial_decisions,
    merged,
    precision_plans,
    uniform_plans,
)


class PairsSampler:
    """Asks for one pair after the other, less those that are known.

    Args:
        context: of the search.
    """

    def __init__(self, context: SearchContext) -> None:
        self._explored = Explored(context)
        self._pairs = iter(all_pairs(context.space))

    def ask(self) -> CompressionPlan | Stop:
        """The next pair."""
        for pair in self._pairs:
            if self._explored.is_new(pair):
                return self._explored.ask(pair)
        return Stop("every pair of techniques was tried")

    def tell(self, scored: ScoredTrial) -> None:
        """Remembers that it is known."""
        self._explored.tell(scored)


def all_pairs(space: SearchSpace) -> list[Decisions]:
    """Every pair in every precision; where one kind of layer has no choice, the others' alone."""
    kinds = [_on_dense(space, uniform_plans(space), is_dense) for is_dense in (False, True)]
    initial = initial_decisions(space)
    precisions = [initial, *precision_plans(space)]
    found = (
        functools.reduce(functools.partial(merged, space), plans)
        for plans in itertools.product(precisions, *(kind or [initial] for kind in kinds))
    )
    return list(dict.fromkeys(found))


def _on_dense(space: SearchSpace, plans: list[Decisions], is_dense: bool) -> list[Decisions]:
    """What plans decide on dense layers alone, or on all others alone; without repeats."""
    initial = initial_decisions(space)
    places = [
        point.layer is not None and (point.layer.kind is LayerKind.DENSE) == is_dense
        for point in space.points
    ]
    kept = (
        tuple(plan[place] if here else initial[place] for place, here in enumerate(places))
        for plan in plans
    )
    return [plan for plan in dict.fromkeys(kept) if plan != initial]


class PairsKind:
    """The "pairs" entry of the registry."""

    name = "pairs"
    title = "every pair of a choice for convolutions and one for dense layers"
    presets = ("default",)

    def make(self, context: SearchContext) -> PairsSampler:
        """A sampler that has tried nothing yet."""
        return PairsSampler(context)


PAIRS = PairsKind()
