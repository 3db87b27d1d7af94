"""Waiting for a device that throttled to cool down before it is measured again."""

from __future__ import annotations

from collections.abc import Callable

from adadeep.core.clock import Clock, Deadline
from adadeep.core.measurement import Conditions
from adadeep.core.session import MeasuredTogether
from adadeep.measure.quality import MAX_CLOCK_DROP, hottest_c, quickest_khz, throttled

LONGEST_WAIT_S = 60.0
_BLIND_WAIT_S = 10.0  # where no temperature can be read: an idle clock is a low one
_WARMER_C = 3.0  # than at the start is cool enough
_LOOK_S = 2.0


class Cooling:
    """Knows how a device was when its meter began, and waits until it is so again.

    A device that did not throttle is not waited for, however warm it is.

    Args:
        clock: the host's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: Conditions | None = None
        self._throttled = False

    def note(self, session: MeasuredTogether) -> None:
        """Hears of what was measured."""
        self._start = self._start or session.measurements[0].before
        self._throttled = throttled(session)

    def wait(self, read: Callable[[], Conditions]) -> tuple[str, ...]:
        """Waits if need be, 60 s at the most; gives what disturbs the next session, if anything.

        Args:
            read: how the device is now.
        """
        if not self._throttled or self._start is None:
            return ()
        blind = hottest_c(self._start) is None
        patience = Deadline.after(_BLIND_WAIT_S if blind else LONGEST_WAIT_S, self._clock)
        while not self._is_back(now := read()):
            if patience.expired:
                return (self._words(now),)
            self._clock.sleep(_LOOK_S)
        return ()

    def _is_back(self, now: Conditions) -> bool:
        assert self._start
        start_c, now_c = hottest_c(self._start), hottest_c(now)
        if start_c is not None and now_c is not None and now_c <= start_c + _WARMER_C:
            return True
        start_khz, now_khz = quickest_khz(self._start), quickest_khz(now)
        return bool(start_khz and now_khz and now_khz >= (1 - MAX_CLOCK_DROP) * start_khz)

    def _words(self, now: Conditions) -> str:
        assert self._start
        start_c, now_c = hottest_c(self._start), hottest_c(now)
        if start_c is None or now_c is None:
            return "the device throttled before"
        return (
            f"the device throttled and was still {now_c - start_c:.0f} °C warmer after"
            f" {LONGEST_WAIT_S:.0f} s of waiting"
        )
