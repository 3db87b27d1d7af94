"""Verdicts as lines for people: each limit, what was found, and what can be said."""

from __future__ import annotations

from collections.abc import Callable

from adadeep.core import units
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.verdict import Verdict, Verdicts

_SHOWN: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "accuracy_loss": ("{} loss", units.format_percent),
    "latency_ms": ("T", units.format_ms),
    "energy_mj": ("E", units.format_mj),
    "storage_bytes": ("S_p", units.format_bytes),
}


def verdict_lines(verdicts: Verdicts, scale: Scale = ACCURACY_SCALE) -> list[str]:
    """A line for each limit: "T: met: 0.21 ms (0.2 ms to 0.22 ms), 0.44 ms allowed; measured"."""
    lines = []
    for name, verdict in verdicts:
        title, show = _SHOWN[name]
        lines.append(f"{title.format(scale.title)}: {_line(verdict, show)}")
    return lines


def _line(verdict: Verdict, show: Callable[[float | None], str]) -> str:
    interval = ""
    if verdict.low is not None and verdict.high is not None and verdict.low != verdict.high:
        interval = f" ({show(verdict.low)} to {show(verdict.high)})"
    found = f"{show(verdict.estimate)}{interval}, {show(verdict.limit)} allowed"
    return f"{verdict.text}: {found}; {verdict.basis}"
