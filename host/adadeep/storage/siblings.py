"""What the runs beside a run have made: networks by their content key, initial networks by seed.

Run folders are foreign: here is found what may be of use, by a look at the journals' lines that
decodes none of them; one is decoded when it is wanted. A search may be writing any of them, and
what it adds is found with the next look. Whatever can't be read is passed over.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from adadeep.core.errors import AdaDeepError, FormatError
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import convert, plain_json
from adadeep.storage.journal import JOURNAL, SCHEMA_VERSION
from adadeep.storage.records import Artifact, JournalContent
from adadeep.storage.run_folder import INITIAL_NETWORK

_MOST_ENTRIES = 2000  # of the folder that is looked through
_MOST_RUNS = 200
_MOST_NETWORKS = 10_000  # of a run
_MOST_BYTES = 64_000_000  # of a journal
_LONGEST_LINE = 4_000_000
_LONGEST_HEAD = 100_000

# Lines as our journals have them; others are passed over.
_ARTIFACT = b'{"kind":"artifact",'
_SESSION = b'{"kind":"session",'
_KEYS = re.compile(rb'\{"kind":"artifact","key":"([0-9a-f]{16})","plan_key":"([0-9a-f]{16})",')
_INITIAL = CompressionPlan().key.encode()


@dataclass(frozen=True, slots=True)
class OtherInitial:
    """The initial network of another run.

    Attributes:
        path: of its .keras.
        key: `content_key` of the artifact that the journal has of it.
    """

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class OtherNetwork:
    """A network that another run's journal names.

    Attributes:
        run: the run's folder.
        artifact: as the journal has it.
        initial: what it has of the initial network.
    """

    run: Path
    artifact: Artifact
    initial: Artifact


@dataclass(slots=True)
class _Journal:
    """Another run's journal as far as it was looked through.

    Attributes:
        path: of it.
        identity: device and inode.
        is_ours: whether it is of the same study.
        scanned: bytes that were looked through, whole lines.
        places: content key -> offset and length of its line.
        initial: the key of the initial network.
        seed: of the first session: the one that the initial network was trained with.
    """

    path: Path
    identity: tuple[int, int]
    is_ours: bool | None = None
    scanned: int = 0
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    initial: str | None = None
    seed: int | None = None

    @classmethod
    def at(cls, path: Path, known: Self | None, study: Mapping[str, Any]) -> Self | None:
        """What there is to know of it now; None where it can't be read."""
        with contextlib.suppress(OSError), _opened(path) as file:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return None
            identity = (status.st_dev, status.st_ino)
            if known is None or known.identity != identity or status.st_size < known.scanned:
                known = cls(path, identity)
            known._read_on(file, min(status.st_size, _MOST_BYTES), study)
            return known
        return None

    def _read_on(self, file: int, size: int, study: Mapping[str, Any]) -> None:
        if self.is_ours is None:
            self.is_ours = _is_of(os.pread(file, _LONGEST_HEAD, 0), study)
        if not self.is_ours or size <= self.scanned:
            return
        data = os.pread(file, size - self.scanned, self.scanned)
        whole = data[: data.rfind(b"\n") + 1]
        if self.seed is None:
            self.seed = _seed_in(whole)
        for start, length in _lines(whole, _ARTIFACT):
            match = _KEYS.match(whole, start)
            if match is None or length > _LONGEST_LINE or len(self.places) >= _MOST_NETWORKS:
                continue
            key = match[1].decode()
            self.places[key] = self.scanned + start, length
            self.initial = key if match[2] == _INITIAL else self.initial
        self.scanned += len(whole)

    def artifact(self, key: str | None, study: Mapping[str, Any]) -> Artifact | None:
        """The network of that key; None where there is none, or the line is none of ours."""
        if key not in self.places:
            return None
        offset, length = self.places[key]
        with contextlib.suppress(OSError, AdaDeepError), _opened(self.path) as file:
            record = plain_json(os.pread(file, length, offset), "a record")
            found = convert(record, Artifact, "artifact")
            JournalContent(study=dict(study)).take(found)  # are its scores of the study's metric?
            return found if found.key == key else None
        return None


class SiblingRuns:
    """The runs beside one.

    Only folders of the owner of the run's own are looked at: where others may write, too, theirs
    are none of the user's runs.

    Args:
        folder: of the run, absolute; it exists.
        study: of its journal: only runs that are a study of the same count.
    """

    def __init__(self, folder: Path, study: Mapping[str, Any]) -> None:
        self._folder = folder
        self._study = study
        self._known: dict[Path, _Journal] = {}

    def networks(self, key: str) -> Iterator[OtherNetwork]:
        """Those of a content key that journals name, whether their files are there or not."""
        for journal in self._look():
            artifact = journal.artifact(key, self._study)
            initial = journal.artifact(journal.initial, self._study)
            if artifact is not None and initial is not None:
                yield OtherNetwork(journal.path.parent, artifact, initial)

    def initials(self, seed: int) -> list[OtherInitial]:
        """Initial networks that were trained with a seed; of those of one key the first."""
        found: dict[str, OtherInitial] = {}
        for journal in self._look():
            path = journal.path.parent / INITIAL_NETWORK
            if journal.initial and journal.seed == seed and path.is_file():
                found.setdefault(journal.initial, OtherInitial(str(path), journal.initial))
        return list(found.values())

    def _look(self) -> list[_Journal]:
        """The journals of the same study, by name, as they are now."""
        found = {}
        for folder in self._folders():
            path = folder / JOURNAL
            journal = _Journal.at(path, self._known.get(path), self._study)
            if journal is not None:
                found[path] = journal
        self._known = found
        ours = (journal for journal in found.values() if journal.is_ours)
        return list(itertools.islice(ours, _MOST_RUNS))

    def _folders(self) -> list[Path]:
        """By name, without the run's own; a link is followed."""
        try:
            own = self._folder.stat()
            with os.scandir(self._folder.parent) as entries:
                some = list(itertools.islice(entries, _MOST_ENTRIES))
        except OSError:
            return []
        found = []
        for entry in some:
            with contextlib.suppress(OSError):
                status = entry.stat() if entry.is_dir() else None
                if status and status.st_uid == own.st_uid and not os.path.samestat(status, own):
                    found.append(Path(entry.path))
        return sorted(found)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # it may be a pipe
    try:
        yield file
    finally:
        os.close(file)


def _is_of(head: bytes, study: Mapping[str, Any]) -> bool | None:
    """Whether a journal that begins so is of a study; None while its first line is not whole."""
    line, end, _ = head.partition(b"\n")
    if not end:
        return None if len(head) < _LONGEST_HEAD else False
    try:
        header = plain_json(line, "a header")
    except FormatError:
        return False
    return (
        isinstance(header, dict)
        and header.get("schema_version") == SCHEMA_VERSION
        and header.get("study") == study
    )


def _lines(data: bytes, start: bytes) -> Iterator[tuple[int, int]]:
    """Places and lengths of the lines that begin so; all lines are whole."""
    place = 0 if data.startswith(start) else _next(data, start, 0)
    while place is not None:
        end = data.find(b"\n", place)
        yield place, end - place
        place = _next(data, start, end)


def _next(data: bytes, start: bytes, after: int) -> int | None:
    found = data.find(b"\n" + start, after)
    return None if found < 0 else found + 1


def _seed_in(data: bytes) -> int | None:
    """Of the first session."""
    for place, length in _lines(data, _SESSION):
        with contextlib.suppress(FormatError):
            record = plain_json(data[place : place + min(length, _LONGEST_LINE)], "a session")
            seed = record.get("seed") if isinstance(record, dict) else None
            return seed if isinstance(seed, int) else None
        return None
    return None
