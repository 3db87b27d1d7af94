"""A clock that tests turn by hand."""

from __future__ import annotations


class HandClock:
    """Stands still but for `sleep`, which takes no time.

    Args:
        time: that it shows first.
        look_s: it goes on by so much at each look, so that waiting for it without sleep ends.
    """

    def __init__(self, time: float = 0.0, look_s: float = 0.0) -> None:
        self.time = time
        self._look_s = look_s

    def now(self) -> float:
        self.time += self._look_s
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
