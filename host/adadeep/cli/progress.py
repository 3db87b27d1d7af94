"""What the live region of a long command says, as plain lines."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from adadeep.report.table_text import cell_width

_RECENT = 10  # steps that the rate is taken from: known ones of a resumed search are soon out
_LEAST_BAR, _MOST_BAR = 6, 30


class ProgressState:
    """Counts steps, and tells how fast they come.

    Args:
        text: what is done.
        total: how many steps there will be; None where that is not known.
        now: seconds; for tests.

    Attributes:
        text: as above, likewise total.
        done: steps so far.
        note: what is being done.
        outlook: what is to be expected of going on; empty where nothing is said of it.
    """

    def __init__(
        self, text: str, total: float | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.text, self.total, self.done, self.note, self.outlook = text, total, 0.0, "", ""
        self._now = now
        self._recent = deque([now()], maxlen=_RECENT + 1)

    def advance(self, steps: float, note: str, outlook: str = "") -> None:
        """Counts; an empty note or outlook leaves the last one."""
        self.done += steps
        self.note = note or self.note
        self.outlook = outlook or self.outlook
        if steps:
            self._recent.append(self._now())

    @property
    def per_second(self) -> float | None:
        """Steps a second lately; None before the first."""
        passed = self._now() - self._recent[0]
        steps = len(self._recent) - 1
        return steps / passed if steps and passed > 0 else None

    def line(self) -> str:
        """For a log: "search digits: 3 of 30, 12/min, 2:15 left, measuring"."""
        of = "" if self.total is None else f" of {self.total:g}"
        parts = (f"{self.text}: {self.done:g}{of}", *self._pace(), self.outlook, self.note)
        return ", ".join(part for part in parts if part)

    def lines(self, width: int) -> list[str]:
        """For a terminal: the count with its bar and pace, and what is being done below."""
        count = f"{self.done:g}" if self.total is None else f"{self.done:g}/{self.total:g}"
        parts = [self.text, count, *self._pace(), *filter(None, [self.outlook])]
        while len(parts) > 2 and cell_width(" ".join(parts)) > width:
            parts.pop()
        room = min(width - cell_width(" ".join(parts)) - 1, _MOST_BAR)
        if room >= _LEAST_BAR and self.total is not None:
            parts.insert(1, self._bar(room))
        return [_cut(" ".join(parts), width, count), _cut(self.note, width)]

    def _pace(self) -> list[str]:
        rate = self.per_second
        if rate is None or (self.total is not None and self.done >= self.total):
            return []
        pace = f"{60 * rate:.3g}/min"
        if self.total is None:
            return [pace]
        left = round((self.total - self.done) / rate)
        minutes, seconds = divmod(left, 60)
        hours, minutes = divmod(minutes, 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return [f"{clock} left", pace]

    def _bar(self, width: int) -> str:
        full = round(width * min(1.0, self.done / self.total)) if self.total else width
        return "━" * full + "─" * (width - full)


def _cut(text: str, width: int, keep: str = "") -> str:
    """The text on one line of that width; what is to be kept stands at its end."""
    if cell_width(text) <= width:
        return text
    text = text.removesuffix(keep).rstrip()
    room = width - (cell_width(keep) + 1 if keep else 0)
    while text and cell_width(text) > room - 1:
        text = text[:-1]
    return f"{text}… {keep}".rstrip()
