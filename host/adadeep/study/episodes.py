"""How long a search goes on: so many plans, or as long as going on is worth it."""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.clock import Deadline

AUTO = "auto"
# A search of no given length ends where the sampler has said so often, each time knowing more,
# that going on may raise the best reward by less than this. A reward is a sum of four margins by
# their weights, 2 at the most with those of default.
LEAST_GAIN, ANSWERS = 0.005, 3
MOST_PLANS = 60  # of one session
MOST_UNTOLD = 30  # likewise, of a sampler that can't tell what going on may gain
TYPICAL = 25  # that it takes
NOT_WORTH_IT = f"going on is expected to gain less than {LEAST_GAIN:g} of the reward"


@dataclass(frozen=True, slots=True)
class Episodes:
    """How long a search goes on.

    Attributes:
        count: how many plans to ask for in the folder, at most; None: as long as it is worth it.
        until: no plan is asked for after this moment; None for no such limit.
        look_ahead: how many asks may be open.
    """

    count: int | None
    until: Deadline | None = None
    look_ahead: int = 1

    @property
    def are_over(self) -> bool:
        """Whether the time is."""
        return self.until is not None and self.until.expired


class Ending:
    """Finds the end of a session from what its sampler says; the same again where it is replayed.

    Args:
        episodes: how long it is to go on.
        before: plans that other sessions asked for.
        own: plans of the user, which are asked for first whatever they are worth.

    Attributes:
        gain: that going on may bring, as the sampler said last; None if it did not.
    """

    def __init__(self, episodes: Episodes, before: int, own: int) -> None:
        self._episodes, self._before, self._own = episodes, before, own
        self._low = 0
        self._is_news = True
        self.gain: float | None = None

    def may_ask(self, number: int) -> bool:
        """Whether a plan may be asked for, by number and time."""
        return not self._episodes.are_over and number <= self._last

    def reason(self, number: int) -> str | None:
        """Why the plan of that number is not asked for; None where so many were wanted."""
        if self._episodes.count is not None or self.may_ask(number):
            return None
        if number <= self._last:
            return "the time of --max-time is over"
        if self.gain is None:
            return "the sampler can't tell what going on may gain; --episodes asks for more"
        return f"{MOST_PLANS} plans are the most without --episodes"

    def hear(self, gain: float | None) -> None:
        """Takes what the sampler expects, once it has chosen a plan."""
        self.gain = gain
        if gain is None or not gain < LEAST_GAIN:
            self._low = 0
        elif self._is_news:
            self._low += 1
        self._is_news = False

    def tell(self) -> None:
        """The sampler was told something: its next answer counts."""
        self._is_news = True

    @property
    def is_worth_it(self) -> bool:
        """Whether the plan just chosen is to be tried."""
        return self._episodes.count is not None or self._low < ANSWERS

    def left(self, number: int, tells: bool) -> int:
        """About how many plans are to come, that of the number among them.

        Args:
            number: of the next ask.
            tells: whether the sampler says what going on may gain.
        """
        if self._episodes.count is not None:
            return self._episodes.count - number + 1
        typical = self._own + (TYPICAL if tells else MOST_UNTOLD)
        return max(self._before + typical - number + 1, ANSWERS if tells else 1)

    @property
    def _last(self) -> int:
        """The greatest number of an ask."""
        if self._episodes.count is not None:
            return self._episodes.count
        most = MOST_UNTOLD if self.gain is None else MOST_PLANS
        return self._before + self._own + most
