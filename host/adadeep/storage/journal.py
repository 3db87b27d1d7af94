"""The journal of a run: what was found, as it came; `records` says what the lines hold.

A host that is killed leaves at most one torn line at the end, which the next one cuts off. So
nothing that was trained or measured is done twice.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import secrets
from pathlib import Path
from typing import Any, Self

import msgspec

from adadeep import __version__
from adadeep.core.display import one_line
from adadeep.core.errors import AdaDeepError, ConfigError, FormatError
from adadeep.core.reader import convert
from adadeep.storage.artifacts import remove_leftovers
from adadeep.storage.lines import LineFile, Record, read_lines
from adadeep.storage.lock import FolderLock
from adadeep.storage.native_log import NATIVE_LOG
from adadeep.storage.records import KIND_OF, KINDS, Entry, JournalContent

SCHEMA_VERSION = 3
JOURNAL = "journal.jsonl"


def read_journal(folder: Path) -> JournalContent:
    """Reads a run's journal without touching it; a search may be writing it.

    Raises:
        ConfigError: it can't be read.
        FormatError: a newer adadeep wrote it, or it is damaged.
    """
    return _content(folder / JOURNAL)[0]


def journal_version(folder: Path) -> int | None:
    """The schema of a run's journal, this version's or not; None where it can't be told."""
    try:
        records, _ = read_lines(folder / JOURNAL)
    except AdaDeepError:
        return None
    version = records[0].get("schema_version") if records else None
    return version if isinstance(version, int) else None


class Journal:
    """A run's journal, held open and locked by one process.

    What something was found with (header, targets, sessions) is written with it, not before.

    Attributes:
        content: what is in it; `add` keeps it up to date.
    """

    def __init__(
        self,
        folder: Path,
        content: JournalContent,
        file: LineFile,
        lock: FolderLock,
        is_new: bool = False,
    ) -> None:
        self._folder = folder
        self._is_barren = is_new
        self._file = file
        self._lock = lock
        self._deferred: list[Record] = []  # until there is something that was found
        self._begun: dict[str, Any] = {}
        self.content = content
        content.id = content.id or secrets.token_hex(4)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Makes the folder if need be, locks it, reads what is there and removes torn files.

        Raises:
            ConfigError: the folder can't be written, or another search holds it.
            FormatError: a newer adadeep wrote the journal, or it is damaged.
        """
        try:
            is_new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the folder {folder} can't be made ({error.strerror}); name another with -o."
            ) from error
        lock = FolderLock(folder)
        try:
            remove_leftovers(folder)
            content, size = _content(folder / JOURNAL)
            return cls(folder, content, LineFile(folder / JOURNAL, size), lock, is_new)
        except BaseException:
            lock.release()
            raise

    def begin(self, study: dict[str, Any], is_whole: bool = True) -> None:
        """Takes the settings of a new study, or checks that the old one has the same.

        Those of a new one are written with the first record.

        Args:
            study: settings by name, JSON values; nested ones are compared one by one.
            is_whole: whether that is all; else `complete` adds the rest.

        Raises:
            ConfigError: it is of another study; the message says what differs.
        """
        study = self._begun = _as_read(study)
        if not self.content.study:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            head = {"kind": "header", "schema_version": SCHEMA_VERSION}
            about = {"adadeep_version": __version__, "created": now}
            header = {**head, **about, "id": self.content.id, "study": study}
            self._deferred.insert(0, header)
            self.content.study = study
            return
        there = self.content.study
        self._compare(there if is_whole else {name: there.get(name) for name in study}, study)

    def complete(self, settings: dict[str, Any]) -> None:
        """Adds what could not be told when a study was begun, or checks that the old one has it.

        Raises:
            ConfigError: it is of another study; the message says what differs.
        """
        study = {**self._begun, **_as_read(settings)}
        if self._begun is self.content.study:
            self.content.study.update(study)  # and with it the header, which is not written yet
            self._begun = self.content.study
        else:
            self._compare(self.content.study, study)

    def _compare(self, there: dict[str, Any], here: dict[str, Any]) -> None:
        if changes := differences(there, here):
            raise ConfigError(
                f"{self._folder} holds another search: {'; '.join(changes)}. Repeat its settings "
                "to go on with it, or name another folder with -o."
            )

    def add(self, value: Entry) -> None:
        """Records what was found."""
        self._is_barren = False
        self._file.append(*self._deferred, _record(value))
        self._deferred = []
        self.content.take(value)

    def defer(self, value: Entry) -> None:
        """Records something together with what is found next: it binds nobody alone."""
        self._deferred.append(_record(value))
        self.content.take(value)

    def close(self) -> None:
        """Closes the file and lets the folder go; may be called twice."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        self.close()
        is_ours = error is not None and not isinstance(error, AdaDeepError)
        if self._is_barren and not is_ours:  # else the log may tell why
            self._remove_folder()

    def _remove_folder(self) -> None:
        """Takes back the folder that `open` made: nothing was found for it."""
        for name in (".lock", NATIVE_LOG, JOURNAL):
            (self._folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something of another's is there
            self._folder.rmdir()


def _as_read(study: dict[str, Any]) -> dict[str, Any]:
    """As it will be read from the file: a tuple is a list."""
    found = msgspec.json.decode(msgspec.json.encode(study))
    assert isinstance(found, dict)
    return found


def _record(value: Entry) -> Record:
    return {"kind": KIND_OF[type(value)], **msgspec.to_builtins(value)}


def differences(old: dict[str, Any], new: dict[str, Any], prefix: str = "") -> list[str]:
    """What differs between two sets of settings: "seed is 0 there, 1 here"."""
    found: list[str] = []
    for name in sorted({*old, *new}):
        there, here = old.get(name), new.get(name)
        if isinstance(there, dict) and isinstance(here, dict):
            found += differences(there, here, f"{prefix}{name}.")
        elif there != here:
            found.append(f"{prefix}{name} is {_shown(there)} there, {_shown(here)} here")
    return found


def _shown(value: Any) -> str:
    return "not set" if value is None else one_line(str(value), 80)


def _content(path: Path) -> tuple[JournalContent, int]:
    """What is in it, and how many bytes of it are to be kept."""
    records, size = read_lines(path)
    content = JournalContent()
    study = _study(path, records) if records else {}
    if len(records) < 2:  # a header alone is of a study that found nothing: it binds nobody
        return content, 0
    content.study, content.id = study, _study_id(path, records[0])
    for number, record in enumerate(records[1:], start=2):
        try:
            content.take(_entry(record))
        except FormatError as error:
            raise FormatError(
                f"{path}, line {number}: {error} Restore the file from a copy, or begin anew in "
                "another folder (-o)."
            ) from error
    return content, size


def _entry(record: Record) -> Entry:
    kind = record["kind"]
    if kind not in KINDS:
        raise FormatError(f"unknown kind of record '{one_line(kind, 40)}'.")
    return convert(record, KINDS[kind], kind)


def _study_id(path: Path, header: Record) -> str:
    named = header.get("id")
    if isinstance(named, str) and re.fullmatch("[0-9a-f]{8}", named):
        return named
    raise FormatError(f"{path}, line 1: the study has no id; begin anew in another folder (-o).")


def _study(path: Path, records: list[Record]) -> dict[str, Any]:
    header = records[0]
    version, study = header.get("schema_version"), header.get("study")
    if header["kind"] != "header" or not isinstance(version, int):
        raise FormatError(f"{path}: the first line is no header; this is no journal of adadeep.")
    if version > SCHEMA_VERSION:
        raise FormatError(
            f"{path} was written by a newer adadeep "
            f"({one_line(str(header.get('adadeep_version', '?')), 40)}); "
            "upgrade, or begin anew in another folder (-o)."
        )
    if version < SCHEMA_VERSION and len(records) > 1:
        raise FormatError(
            f"{path} was written by an earlier adadeep, which this version does not go on with;"
            " deploy it as it is if it has ended, or begin anew in another folder (-o)."
        )
    if not isinstance(study, dict):
        raise FormatError(
            f"{path}, line 1: the header has no study; begin anew in another folder (-o)."
        )
    return study
