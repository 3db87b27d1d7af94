"""Time as a value that is passed down: a Clock, and a Deadline made from it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol, Self


class Clock(Protocol):
    """A source of time; tests pass one that they turn by hand."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


class MonotonicClock:
    """The computer's own monotonic clock."""

    def now(self) -> float:
        """Seconds since boot."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


SYSTEM_CLOCK = MonotonicClock()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment by which a call, with all that it calls, must be done."""

    at: float
    clock: Clock = field(default=SYSTEM_CLOCK, repr=False)

    @classmethod
    def after(cls, seconds: float, clock: Clock = SYSTEM_CLOCK) -> Self:
        """The deadline that is `seconds` from now."""
        return cls(clock.now() + seconds, clock)

    @property
    def remaining(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.at - self.clock.now())

    @property
    def expired(self) -> bool:
        """Whether the moment has passed."""
        return self.remaining == 0.0

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, or `seconds` from now if that comes first."""
        return Deadline(min(self.at, self.clock.now() + seconds), self.clock)
