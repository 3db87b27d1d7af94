"""The runs that there are, and what can be told of each: whole, unfinished, old or damaged.

Run folders travel, so nothing in one is believed, and none that is damaged costs the others.
"""

from __future__ import annotations

import datetime
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from adadeep.core.display import one_line
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.storage.artifacts import MODELS
from adadeep.storage.journal import JOURNAL, journal_version
from adadeep.storage.records import JournalContent
from adadeep.storage.run_folder import PLAN, PlanFile, PlanTarget, RunFolder
from adadeep.study.table import demand_text

_DEEPEST = 4  # levels below the folder that is looked through
_OLD_JOURNALS = (1, 2)  # schemas that are not gone on with: of 0.1, and of before 0.2
_OLD_PLAN = 1  # schema of plan.json of adadeep 0.1
_LONGEST_TEXT = 120

T = TypeVar("T")


class RunState(StrEnum):
    """How far a run has come, or that it can't be told."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"  # or gone on with since it ended last
    OLD = "of version 0.1"  # can be deployed if it ended, but not gone on with
    DAMAGED = "can't be read"


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run's folder as far as it can be read.

    Attributes:
        folder: that one.
        state: of it.
        journal: all that was found; None where there is none that can be read.
        plan: what the search came to; likewise.
        problem: what can't be read, and why; None if nothing is wrong.
    """

    folder: RunFolder
    state: RunState
    journal: JournalContent | None
    plan: PlanFile | None
    problem: str | None

    @classmethod
    def at(cls, path: Path) -> KnownRun:
        """What can be told of a folder.

        Raises:
            ConfigError: it is no run's.
        """
        require_run(path)
        folder = RunFolder(path)
        plan, wrong = _readable(lambda: folder.plan) if folder.is_finished else (None, None)
        journal, torn = _readable(lambda: folder.journal) if folder.has_journal else (None, None)
        is_old = torn is not None and journal_version(path) in _OLD_JOURNALS
        problems = [text for text in (wrong, None if is_old else torn) if text]
        state = RunState.DAMAGED if problems else _state(journal, plan, is_old)
        return cls(folder, state, journal, plan, " ".join(problems) or None)

    @property
    def task(self) -> str | None:
        """Its name."""
        if self.plan is not None:
            return self.plan.task
        named = self.journal.study.get("task") if self.journal else None
        return None if named is None else one_line(str(named), _LONGEST_TEXT)

    @property
    def plans_tried(self) -> int | None:
        """Different ones, the initial network among them."""
        if self.journal is not None:
            return len(self.journal.trials)
        return self.plan.plans_tried if self.plan else None

    @property
    def titles(self) -> tuple[str, ...]:
        """Of the devices, those of the journal first."""
        records = self.journal.targets.values() if self.journal else ()
        found = [record.target.device_title for record in records]
        found += [target.device_title for target in self.concluded]
        return tuple(dict.fromkeys(one_line(title, _LONGEST_TEXT) for title in found if title))

    @property
    def concluded(self) -> tuple[PlanTarget, ...]:
        """What plan.json tells of each device."""
        return self.plan.targets if self.plan else ()

    @property
    def size_bytes(self) -> int:
        """Of all files in the folder; what links lead to is elsewhere."""
        found = os.walk(self.folder.path)
        paths = (Path(place) / name for place, _, names in found for name in names)
        return sum(
            status.st_size
            for path in paths
            if (status := _status(path)) and stat.S_ISREG(status.st_mode)
        )

    @property
    def changed(self) -> datetime.datetime | None:
        """When something was found or concluded last."""
        found = [_status(self.folder.path / name) for name in (JOURNAL, PLAN)]
        times = [status.st_mtime for status in found if status]
        return datetime.datetime.fromtimestamp(max(times), datetime.UTC) if times else None


def require_run(path: Path) -> None:
    """Sees to it that a folder is a run's.

    Raises:
        ConfigError: it is not.
    """
    if not _is_run(path):
        raise ConfigError(
            f"{one_line(str(path))} holds no search: neither {JOURNAL} nor {PLAN} is there."
            " Name a run's folder; `adadeep runs list` shows them."
        )


def winner_text(target: PlanTarget) -> str:
    """What can be said of a winner against the demand on its device."""
    if target.best.verdicts is not None:
        return demand_text(target.best.verdicts)
    return "within, untested" if target.meets_demand else "beyond"  # of version 0.1


def find_runs(folder: Path) -> tuple[list[KnownRun], list[str]]:
    """Every run in a folder and below it, by path; and what could not be looked into, and why.

    A link to a run's folder is followed, any other is not.
    """
    problems: list[str] = []
    return [KnownRun.at(path) for path in _runs_in(folder, _DEEPEST, problems)], problems


def _runs_in(folder: Path, levels: int, problems: list[str]) -> Iterator[Path]:
    is_run = _is_run(folder)
    if is_run:
        yield folder
    if not levels:
        return
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        problems.append(f"{one_line(str(folder))} can't be looked into: {error.strerror}.")
        return
    for path in inner:
        if not (is_run and path.name == MODELS):
            yield from _runs_in(path, 0 if path.is_symlink() else levels - 1, problems)


def _status(path: Path) -> os.stat_result | None:
    """Of a file; None if it has gone meanwhile."""
    try:
        return path.lstat()
    except OSError:
        return None


def _is_run(path: Path) -> bool:
    folder = RunFolder(path)
    return folder.is_finished or folder.has_journal


def _readable(read: Callable[[], T]) -> tuple[T | None, str | None]:
    """What is read, or why it can't be."""
    try:
        return read(), None
    except AdaDeepError as error:
        return None, str(error)


def _state(journal: JournalContent | None, plan: PlanFile | None, is_old: bool) -> RunState:
    """Of a run of which all that is there can be read, but for an old journal."""
    if is_old or (journal is None and plan is not None and plan.schema_version == _OLD_PLAN):
        return RunState.OLD
    if plan is None:
        return RunState.UNFINISHED
    if journal is None or plan.episodes_asked == journal.asked:
        return RunState.FINISHED
    return RunState.UNFINISHED
