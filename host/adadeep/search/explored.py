"""What a sampler remembers: which plans were asked for or told, and how good they are."""

from __future__ import annotations

import random
from collections.abc import Iterable

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext
from adadeep.core.trial import TrialState
from adadeep.search.moves import Decisions, count_plans, nth_plan

Rank = tuple[float, float]


class Explored:
    """The plans of a space that need not be asked for again.

    Args:
        context: of the search; its history is known from the start.
    """

    def __init__(self, context: SearchContext) -> None:
        self._space = context.space
        self._size = count_plans(context.space)
        self._seen: set[Decisions] = set()
        self._open: set[Decisions] = set()
        self._ranks: dict[Decisions, Rank] = {}
        for scored in context.history:
            self.tell(scored)

    def ask(self, decisions: Decisions) -> CompressionPlan:
        """The plan, which is open from now on."""
        self._seen.add(decisions)
        self._open.add(decisions)
        return self._space.plan(decisions)

    def tell(self, scored: ScoredTrial) -> Decisions | None:
        """Remembers what came of a plan; its decisions, None if it is not of the space."""
        try:
            decisions = self._space.decisions(scored.plan)
        except ValueError:  # of an earlier search with other techniques
            return None
        self._seen.add(decisions)
        self._open.discard(decisions)
        if scored.state is not TrialState.INCOMPLETE:
            self._ranks[decisions] = scored.rank
        return decisions

    def skip(self, decisions: Decisions) -> None:
        """Notes a plan that is not to be asked for."""
        self._seen.add(decisions)

    @property
    def seen(self) -> Iterable[Decisions]:
        """Every plan that was asked for, told or skipped."""
        return self._seen

    def is_new(self, decisions: Decisions) -> bool:
        """Whether it was neither asked for nor told."""
        return decisions not in self._seen

    def rank(self, decisions: Decisions) -> Rank | None:
        """How good a plan is, as `ScoredTrial.rank`; None if that is not known."""
        return self._ranks.get(decisions)

    def best_of(self, plans: Iterable[Decisions]) -> list[Decisions]:
        """Those of which it is known what came of them, the better first; of equals as given."""
        return sorted((plan for plan in plans if plan in self._ranks), key=self._ranks.__getitem__)

    @property
    def known(self) -> tuple[Decisions, ...]:
        """Every plan of which it is known what came of it, as first told."""
        return tuple(self._ranks)

    def is_open(self, decisions: Decisions) -> bool:
        """Whether it was asked for, and nothing told of it yet."""
        return decisions in self._open

    @property
    def is_exhausted(self) -> bool:
        """Whether every plan was asked for or told."""
        return len(self._seen) == self._size

    def draw(self, rng: random.Random) -> Decisions:
        """A new plan, each about as likely as the others.

        Raises:
            ValueError: every plan was asked for or told.
        """
        if self.is_exhausted:
            raise ValueError("there is no new plan to draw")
        number = rng.randrange(self._size)
        while not self.is_new(decisions := nth_plan(self._space, number)):
            number = (number + 1) % self._size
        return decisions
