"""What the user fixes of a search: plans of their own, layers to keep, names to choose among."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import msgspec

from adadeep.core.errors import ConfigError
from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan
from adadeep.core.plan_text import PlanText
from adadeep.core.sampler import Sampler, believed_quality, expected_gain
from adadeep.core.search import ScoredTrial, Stop
from adadeep.core.space import SearchSpace, restricted
from adadeep.storage.records import JournalContent, Session

_SPACE_DIGITS = 8
NOTHING_TO_CHOOSE = (
    "there is nothing to choose: every layer and the precision stay as they are, so the initial"
    " network is the only plan"
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a search may choose, and what it begins with.

    Attributes:
        space: of the sampler.
        own_plans: the user's, in their order, each once; all of the space.
        key: 8 hex digits: hash of the space.
    """

    space: SearchSpace
    own_plans: tuple[CompressionPlan, ...]
    key: str

    @classmethod
    def of(
        cls, whole: SearchSpace, texts: Sequence[str], keep: Sequence[str], only: Sequence[str]
    ) -> Choices:
        """Of what was asked for.

        Args:
            whole: every plan of the network.
            texts: the user's plans as written.
            keep: names of layers that stay as they are.
            only: names of techniques and precisions that may be chosen; empty for all.

        Raises:
            ConfigError: no such layer, no such plan, or one that `keep` or `only` forbids.
        """
        space = restricted(whole, keep, only)
        plans = [PlanText.read(text).plan(whole) for text in texts]
        for text, plan in zip(texts, plans, strict=True):
            _require_allowed(text, plan, space, keep, only)
        return cls(space, tuple(dict.fromkeys(plans)), _key(space, space == whole))

    def begun_with(self, session: Session, content: JournalContent) -> Session:
        """The session with the user's plans.

        Whoever names none goes on with a session whatever it began with.
        """
        last = content.sessions[-1].session if content.sessions else None
        own = self.own_plans
        if not own and last is not None and replace(last, own_plans=()).goes_on(session):
            own = last.own_plans
        return replace(session, own_plans=own)

    def left_out(self, content: JournalContent, episodes: int | None) -> int:
        """How many of the user's plans won't be asked for, as the episodes are too few.

        A search of no given length (None) asks for all.
        """
        if episodes is None:
            return 0
        asked = {ask.plan.key for session in content.sessions for ask in session.asks}
        new = [plan for plan in self.own_plans if plan.key not in {*asked, *content.trials}]
        return max(0, len(new) - max(0, episodes - content.asked))


def _key(space: SearchSpace, is_whole: bool) -> str:
    """Of a whole space its actions say all; a part may differ in what is open where."""
    points = [(point.title, point.options) for point in space.points]
    content = space.actions if is_whole else (space.actions, points)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:_SPACE_DIGITS]


def _require_allowed(
    text: str,
    plan: CompressionPlan,
    space: SearchSpace,
    keep: Collection[str],
    only: Collection[str],
) -> None:
    try:
        space.decisions(plan)
    except ValueError:
        names = {choice.technique for _, choice in plan.choices} | {plan.precision}
        beyond = sorted(names - {*only, UNCHANGED_PRECISION}) if only else []
        kept = [name for name, _ in plan.choices if name in keep] or list(keep)
        forbids = f"--only leaves out {beyond[0]}" if beyond else f"--keep {kept[0]} forbids it"
        raise ConfigError(
            f"--try {PlanText.read(text).text}: {forbids}; leave one of the two out."
        ) from None


class OwnPlansFirst:
    """Asks for the user's plans, then for those of a sampler, which hears of all.

    What is known before the first ask is not asked for again.

    Args:
        sampler: that chooses once they are asked.
        plans: the user's, in their order.
    """

    def __init__(self, sampler: Sampler, plans: Sequence[CompressionPlan]) -> None:
        self._sampler = sampler
        self._left = deque(plans)
        self._has_begun = False

    def ask(self) -> CompressionPlan | Stop:
        """The next of the user's plans, else the sampler's."""
        self._has_begun = True
        return self._left.popleft() if self._left else self._sampler.ask()

    def tell(self, scored: ScoredTrial) -> None:
        """Passes it on."""
        if not self._has_begun and scored.plan in self._left:
            self._left.remove(scored.plan)
        self._sampler.tell(scored)

    def expected_gain(self) -> float | None:
        """The sampler's, if it has one and its turn has come."""
        return None if self._left else expected_gain(self._sampler)

    def believed_quality(self, plan: CompressionPlan) -> float | None:
        """The sampler's, if it can tell."""
        return believed_quality(self._sampler, plan)


class NothingToChoose:
    """The sampler of a space of one plan, which is evaluated before all asks."""

    def ask(self) -> Stop:
        """There is none."""
        return Stop(NOTHING_TO_CHOOSE)

    def tell(self, scored: ScoredTrial) -> None:
        """Learns nothing."""
