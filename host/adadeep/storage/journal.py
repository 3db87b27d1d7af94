"""The journal of a run: header, artifacts, measurements and trials, as they came.

One JSON object a line, `kind` first:

- ``header``: schema_version, who wrote it, and the study's settings; the first line.
- ``artifact``: a trained and converted model of a plan, kept by hash in `models/`.
- ``measurement``: raw samples of one model, in full.
- ``trial``: a plan's outcome.
- ``held_test``: which held-back samples a finalist got right.

A host that is killed leaves at most one torn line at the end, which the next one cuts off. So
nothing that was trained or measured is done twice.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from adadeep import __version__
from adadeep.core.correct import CorrectSamples
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measurement import Measurement
from adadeep.core.reader import require_range
from adadeep.core.trial import Trial
from adadeep.storage.lines import LineFile, Record, read_lines
from adadeep.storage.lock import FolderLock

SCHEMA_VERSION = 1
JOURNAL = "journal.jsonl"

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A plan's network, trained and converted; what is known of it without measuring.

    Attributes:
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite in the run's `models/`.
        file_bytes: its size.
        accuracy: on the validation data, a fraction.
        macs: C.
        storage_bytes: S_p (Eq. 3).
        activation_bytes: S_f (Eq. 3).
        energy_mj: E by Eq. 5.
        correct: which validation samples it got right; None in journals of version 0.1.
    """

    plan_key: str
    model_sha256: str
    file_bytes: int
    accuracy: float
    macs: int
    storage_bytes: float
    activation_bytes: float
    energy_mj: float
    correct: CorrectSamples | None = None

    def __post_init__(self) -> None:
        require_range("accuracy", 0, 1, self.accuracy)


@dataclass(frozen=True, slots=True)
class HeldTest:
    """A network on the held-back samples, which the search does not see.

    Attributes:
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite that was run.
        number: of this finalist among all that were ever tested in this run, from 1; 0 for the
            initial network, which they are compared with.
        correct: which samples it got right.
    """

    plan_key: str
    model_sha256: str
    number: int
    correct: CorrectSamples

    def __post_init__(self) -> None:
        require_range("number", 0, 10_000, self.number)


@dataclass(slots=True)
class JournalContent:
    """All that a journal holds.

    Attributes:
        study: the settings in the header; empty while there is no header.
        artifacts: by plan key.
        measurements: by measurement key.
        trials: by plan key, in the order of the journal.
        held_tests: by plan key.
    """

    study: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    measurements: dict[str, Measurement] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    held_tests: dict[str, HeldTest] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Adds what a record says.

        Raises:
            FormatError: the record is of an unknown kind or of the wrong shape.
        """
        kind = record["kind"]
        if kind == "artifact":
            artifact = _value(record, Artifact)
            self.artifacts[artifact.plan_key] = artifact
        elif kind == "measurement":
            measurement = _value(record, Measurement)
            self.measurements[measurement.key] = measurement
        elif kind == "trial":
            trial = _value(record, Trial)
            self.trials[trial.plan.key] = trial
        elif kind == "held_test":
            test = _value(record, HeldTest)
            self.held_tests[test.plan_key] = test
        else:
            raise FormatError(f"unknown kind of record {kind!r}")


def read_journal(folder: Path) -> JournalContent:
    """Reads a run's journal without touching it; a search may be writing it.

    Raises:
        FormatError: a newer adadeep wrote it, or it is damaged.
    """
    return _content(folder / JOURNAL)[0]


class Journal:
    """A run's journal, held open and locked by one process.

    Attributes:
        content: what is in it; `add_...` keep it up to date.
    """

    def __init__(
        self, folder: Path, content: JournalContent, file: LineFile, lock: FolderLock
    ) -> None:
        self._folder = folder
        self._file = file
        self._lock = lock
        self.content = content

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Makes the folder if need be, locks it and reads what is there.

        Raises:
            ConfigError: the folder can't be written, or another search holds it.
            FormatError: a newer adadeep wrote the journal, or it is damaged.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the folder {folder} can't be made ({error.strerror}); name another with -o."
            ) from error
        lock = FolderLock(folder)
        try:
            content, size = _content(folder / JOURNAL)
            return cls(folder, content, LineFile(folder / JOURNAL, size), lock)
        except BaseException:
            lock.release()
            raise

    def begin(self, study: dict[str, Any]) -> None:
        """Writes the header of a new journal, or checks that the old one is of the same study.

        Args:
            study: settings by name, JSON values; nested ones are compared one by one.

        Raises:
            ConfigError: it is of another study; the message says what differs.
        """
        if not self.content.study:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            head = {"kind": "header", "schema_version": SCHEMA_VERSION}
            about = {"adadeep_version": __version__, "created": now, "study": study}
            self._file.append({**head, **about})
            self.content.study = study
            return
        changes = differences(self.content.study, study)
        if changes:
            raise ConfigError(
                f"{self._folder} holds another search: {'; '.join(changes)}. Repeat its settings "
                "to go on with it, or name another folder with -o."
            )

    def add_artifact(self, artifact: Artifact) -> None:
        """Records a trained and converted model, which is in the artifact store already."""
        self._add("artifact", artifact)

    def add_measurement(self, measurement: Measurement) -> None:
        """Records a measurement, raw samples and all."""
        self._add("measurement", measurement)

    def add_trial(self, trial: Trial) -> None:
        """Records a plan's outcome."""
        self._add("trial", trial)

    def add_held_test(self, test: HeldTest) -> None:
        """Records how a network did on the held-back samples."""
        self._add("held_test", test)

    def close(self) -> None:
        """Closes the file and lets the folder go; may be called twice."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, kind: str, value: Artifact | Measurement | Trial | HeldTest) -> None:
        record = {"kind": kind, **msgspec.to_builtins(value)}
        self._file.append(record)
        self.content.take(record)


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
    return "not set" if value is None else str(value)


def _content(path: Path) -> tuple[JournalContent, int]:
    records, size = read_lines(path)
    content = JournalContent()
    if not records:
        return content, size
    content.study = _header(path, records[0])
    for number, record in enumerate(records[1:], start=2):
        try:
            content.take(record)
        except FormatError as error:
            raise FormatError(f"{path}, line {number}: {error}.") from error
    return content, size


def _header(path: Path, record: Record) -> dict[str, Any]:
    version, study = record.get("schema_version"), record.get("study")
    if record["kind"] != "header" or not isinstance(version, int):
        raise FormatError(f"{path}: the first line is no header; this is no journal of adadeep.")
    if version > SCHEMA_VERSION:
        raise FormatError(
            f"{path} was written by a newer adadeep ({record.get('adadeep_version', '?')}); "
            "upgrade, or begin anew in another folder (-o)."
        )
    if not isinstance(study, dict):
        raise FormatError(f"{path}, line 1: the header has no study.")
    return study


def _value(record: Record, type_: type[ValueT]) -> ValueT:
    fields = {name: value for name, value in record.items() if name != "kind"}
    try:
        return msgspec.convert(fields, type_)
    except msgspec.ValidationError as error:
        raise FormatError(f"a {record['kind']} that can't be read: {error}") from error
