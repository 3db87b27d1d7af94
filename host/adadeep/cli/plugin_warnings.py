"""Warnings of plug-ins that are left out: one for each problem, however many look at it."""

from __future__ import annotations

from collections.abc import Iterable

from adadeep.cli.ui import Ui
from adadeep.study.plugins import problems

_told: set[str] = set()


def warn_of_plugins(ui: Ui) -> None:
    """Warns of what is wrong with plug-ins that were looked at; looks at none itself."""
    for problem in problems():
        if problem not in _told:
            ui.warn(problem)
    told(problems())


def told(problems: Iterable[str]) -> None:
    """Takes note that the user knows these problems."""
    _told.update(problems)
