"""Removes the networks of a run that nobody needs: candidates that lost.

What is kept: the initial network, the winners, the finalists that were tested; where the search
has not ended, also those that may be tested at its end, and what it is at. Trials lose nothing:
they are of the journal. Only a device that comes later can't measure what was removed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.cost import Provenance
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.lock import FolderLock
from adadeep.storage.records import JournalContent
from adadeep.study.finalists import MAX_FINALISTS
from adadeep.study.run_view import standing_of
from adadeep.study.runs import KnownRun, RunState, require_run

_NETWORK = re.compile(r"([0-9a-f]{64})\.(?:tflite|keras)")
INITIAL, WINNER, FINALIST = "initial network", "winner", "tested finalist"
CANDIDATE, UNDERWAY = "among the best so far", "not measured yet"
_ORDER = (INITIAL, WINNER, FINALIST, CANDIDATE, UNDERWAY)


@dataclass(frozen=True, slots=True)
class Kept:
    """A network that stays.

    Attributes:
        model_sha256: of its .tflite.
        why: it does.
    """

    model_sha256: str
    why: str


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to be removed from a run's folder.

    Attributes:
        folder: of the run.
        files: in its `models/`.
        networks: how many these are of; a network may have two files.
        size_bytes: of the files.
        kept: those that are there and stay.
        unmeasured: of the networks that go, how many some device has still to measure.
    """

    folder: Path
    files: tuple[Path, ...]
    networks: int
    size_bytes: int
    kept: tuple[Kept, ...]
    unmeasured: int

    def carry_out(self) -> None:
        """Removes them; the caller holds the folder's lock.

        Raises:
            ConfigError: one can't be; those before it are gone.
        """
        for path in self.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise ConfigError(
                    f"{one_line(str(path))} can't be removed ({error.strerror}); change its"
                    " folder's mode and repeat the command."
                ) from error


@contextlib.contextmanager
def held(folders: Sequence[Path]) -> Iterator[None]:
    """Meanwhile no search runs in these folders.

    Raises:
        ConfigError: one runs there already, a folder can't be written, or is no run's.
    """
    for folder in folders:
        require_run(folder)
    with contextlib.ExitStack() as stack:
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            stack.callback(FolderLock(folder).release)
        yield


def pruning_of(known: KnownRun) -> Pruning:
    """What can go from a run's folder.

    Raises:
        ConfigError: it can't be told, for something in the folder can't be read.
    """
    shown = one_line(str(known.folder.path))
    if known.state is RunState.DAMAGED:
        raise ConfigError(
            f"{shown} is not pruned, for what it needs can't be told: {known.problem}"
        )
    if known.state is RunState.OLD and known.plan is None:
        raise ConfigError(
            f"{shown} is an unfinished search of version 0.1, which can't be gone on with; remove"
            " the whole folder if you don't need it."
        )
    models = known.folder.models
    if models.folder.is_symlink():
        raise ConfigError(
            f"{shown}: its models lie elsewhere, behind a link; make a folder of it first."
        )
    return _pruning(known, needed(known), _files(models))


def needed(known: KnownRun) -> dict[str, str]:
    """Hashes of the networks that are needed, and what for."""
    found: dict[str, str] = {}
    content = known.journal
    if content is not None and known.state is RunState.UNFINISHED:
        found |= dict.fromkeys(_underway(content), UNDERWAY)
        found |= dict.fromkeys(_candidates(known), CANDIDATE)
    if content is not None:
        tests = content.held_tests.values()
        # A device that comes later measures a plan as the search made it.
        plans = [test.plan_key for test in tests] + [one.best.key for one in known.concluded]
        found |= dict.fromkeys(
            (a.model_sha256 for a in map(content.artifact_of, plans) if a), FINALIST
        )
        found |= dict.fromkeys((test.model_sha256 for test in tests), FINALIST)
        initial = content.artifact_of(CompressionPlan().key)
        found |= {initial.model_sha256: INITIAL} if initial else {}
    for target in known.concluded:
        found |= {target.best.model_sha256: WINNER, target.initial.model_sha256: INITIAL}
    return found


def _underway(content: JournalContent) -> list[str]:
    """Of networks that were made and belong to no trial yet."""
    known = {record.artifact for record in content.trials.values()}
    known |= {record.artifact for record in content.remade.values()}
    return [one.model_sha256 for key, one in content.artifacts.items() if key not in known]


def _candidates(known: KnownRun) -> list[str]:
    """Of the plans that may be tested when the search ends.

    Raises:
        ConfigError: costs can't be told, so nobody knows which are the best.
    """
    records = known.journal.targets.values() if known.journal else ()
    standings = [standing for record in records if (standing := standing_of(known, record))]
    ranked = [standing.contest.eligible.ranked(MAX_FINALISTS) for standing in standings]
    return [scored.trial.model_sha256 or "" for best in ranked for scored in best]


def _files(models: ArtifactStore) -> dict[Path, str]:
    """The networks' files, each with the network's hash; nothing else in the folder is ours.

    Raises:
        ConfigError: the folder can't be looked into.
    """
    try:
        found = sorted(models.folder.iterdir()) if models.folder.exists() else []
        return {
            path: match[1]
            for path in found
            if (match := _NETWORK.fullmatch(path.name)) and not path.is_dir()
        }
    except OSError as error:
        raise ConfigError(
            f"{one_line(str(models.folder))} can't be looked into ({error.strerror}); change its"
            " mode."
        ) from error


def _pruning(known: KnownRun, keep: dict[str, str], files: dict[Path, str]) -> Pruning:
    going = [path for path, sha256 in files.items() if sha256 not in keep]
    networks = {files[path] for path in going}
    there = {sha256 for sha256 in files.values() if sha256 in keep}
    return Pruning(
        folder=known.folder.path,
        files=tuple(going),
        networks=len(networks),
        size_bytes=sum(path.lstat().st_size for path in going),
        kept=tuple(
            Kept(sha256, keep[sha256])
            for sha256 in sorted(there, key=lambda one: (_ORDER.index(keep[one]), one))
        ),
        unmeasured=len(networks & _unmeasured(known.journal)),
    )


def _unmeasured(content: JournalContent | None) -> set[str]:
    """Of networks that some target of the journal has still to measure."""
    if content is None:
        return set()
    measuring = {
        key
        for key, record in content.targets.items()
        if Provenance.MEASURED in record.provenances.values()
    }
    return {
        artifact.model_sha256
        for key, trial in content.trials.items()
        if (artifact := content.artifact_of(key)) is not None
        and measuring.difference(trial.measurements, trial.failures)
    }
