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
from typing import Any

from adadeep.core.errors import AdaDeepError, FormatError
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import convert, plain_json
from adadeep.storage.journal import JOURNAL, SCHEMA_VERSION
from adadeep.storage.records import Artifact, JournalContent
from adadeep.storage.run_folder import INITIAL_NETWORK

_MOST_ENTRIES = 2000  # of the folder that is looked through
_MOST_RUNS = 200
_MOST_NETWORKS = 10_000  # of a run
_MOST_INITIALS = 8  # each is loaded, in a tenth of a second
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
        is_whole: whether studies are compared as a whole, or by what is named of them.
        is_ours: whether it is of the same study; None while that can't be told.
        scanned: bytes that were looked through, whole lines.
        places: content key -> offset and length of its line.
        initial: the key of the initial network.
        seed: of the first session: the one that the initial network was trained with.
    """

    path: Path
    identity: tuple[int, int]
    is_whole: bool = True
    is_ours: bool | None = None
    scanned: int = 0
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    initial: str | None = None
    seed: int | None = None

    def read_on(self, size: int, study: Mapping[str, Any]) -> None:
        """Looks through what was added.

        Args:
            size: of the file now, in bytes.
            study: what it is to be of.

        Raises:
            OSError: it can't be read.
        """
        size = min(size, _MOST_BYTES)
        if self.is_ours is False or size <= self.scanned:
            return
        with _opened(self.path) as file:
            if self.is_ours is None:
                head = os.pread(file, _LONGEST_HEAD, 0)
                self.is_ours = _is_of(head, study, self.is_whole)
            if self.is_ours:
                self._take(os.pread(file, size - self.scanned, self.scanned))

    def _take(self, data: bytes) -> None:
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

    Only journals of the owner of the run's folder are looked at: where others may write, too,
    theirs are none of the user's runs.

    Args:
        folder: of the run, absolute; it exists.
        study: of its journal: only runs that are a study of the same count.
        is_whole: whether that is all of it; else those count that have the same of it.
    """

    def __init__(self, folder: Path, study: Mapping[str, Any], is_whole: bool = True) -> None:
        self._folder = folder
        self._study = study
        self._is_whole = is_whole
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
        return list(found.values())[:_MOST_INITIALS]

    def _look(self) -> list[_Journal]:
        """The journals of the same study, by folder, as they are now."""
        found = {}
        for path, status in self._journals():
            identity, known = (status.st_dev, status.st_ino), self._known.get(path)
            if known is None or known.identity != identity or status.st_size < known.scanned:
                known = _Journal(path, identity, self._is_whole)
            with contextlib.suppress(OSError):
                known.read_on(status.st_size, self._study)
                found[path] = known
        self._known = found
        ours = (journal for journal in found.values() if journal.is_ours)
        return list(itertools.islice(ours, _MOST_RUNS))

    def _journals(self) -> list[tuple[Path, os.stat_result]]:
        """By folder, without the run's own; links are followed."""
        try:
            with os.scandir(self._folder.parent) as entries:
                folders = [entry.path for entry in itertools.islice(entries, _MOST_ENTRIES)]
            owner = self._folder.stat().st_uid
        except OSError:
            return []
        own, found = _status(self._folder / JOURNAL), []
        for path in (Path(folder, JOURNAL) for folder in sorted(folders)):
            status = _status(path)
            if status is None or not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
                continue
            if own is None or not os.path.samestat(own, status):
                found.append((path, status))
        return found


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe by now?
    try:
        yield file
    finally:
        os.close(file)


def _is_of(head: bytes, study: Mapping[str, Any], is_whole: bool) -> bool | None:
    """Whether a journal that begins so is of a study; None while its first line is not whole."""
    line, end, _ = head.partition(b"\n")
    if not end:
        return None if len(head) < _LONGEST_HEAD else False
    try:
        header = plain_json(line, "a header")
    except FormatError:
        return False
    if not isinstance(header, dict) or header.get("schema_version") != SCHEMA_VERSION:
        return False
    there = header.get("study")
    if is_whole or not isinstance(there, dict):
        return bool(there == study)
    return all(there.get(name) == value for name, value in study.items())


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
