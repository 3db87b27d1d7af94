"""What users are told of plug-ins: of those left out once, of those that a run misses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from adadeep.cli.ui import Ui
from adadeep.core.errors import ConfigError
from adadeep.study.plugins import missing, problems

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


@contextlib.contextmanager
def naming_missing(run: Path | None) -> Iterator[None]:
    """Adds to an error what took part in a run and is not here: it may be the reason."""
    try:
        yield
    except ConfigError as error:
        with contextlib.suppress(ConfigError):
            for sentence in missing(_recorded(run)):
                error.add_note(sentence)
        raise


def _recorded(run: Path | None) -> dict[str, str]:
    from adadeep.storage.journal import read_journal

    return read_journal(run).plugins if run else {}
