"""The journal of a run: header, artifacts, measurements and trials, as they came.

One JSON object a line, `kind` first:

- ``header``: schema_version, who wrote it, the study's id and settings; the first line, written
  together with the first record: settings bind only once something was found with them.
- ``artifact``: a trained and converted model of a plan, kept by hash in `models/`.
- ``measurement``: raw samples of one model, in full.
- ``trial``: a plan's outcome.
- ``held_test``: the scores of a finalist on the held-back samples.

A host that is killed leaves at most one torn line at the end, which the next one cuts off. So
nothing that was trained or measured is done twice.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from adadeep import __version__
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measurement import Measurement
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import convert, require_finite, require_hex, require_range, to_json, why
from adadeep.core.scores import SampleScores
from adadeep.core.trial import Trial
from adadeep.storage.artifacts import remove_leftovers
from adadeep.storage.lines import LineFile, Record, read_lines
from adadeep.storage.lock import FolderLock

SCHEMA_VERSION = 1
JOURNAL = "journal.jsonl"
_HUGE = 1e18


@dataclass(frozen=True, slots=True)
class Artifact:
    """A plan's network, trained and converted; what is known of it without measuring.

    Attributes:
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite in the run's `models/`.
        file_bytes: its size.
        accuracy: the quality on the validation data, by the study's metric.
        macs: C.
        storage_bytes: S_p (Eq. 3).
        activation_bytes: S_f (Eq. 3).
        energy_mj: E by Eq. 5.
        correct: the validation samples' scores, of right and wrong ones bits; None in journals of
            version 0.1.
    """

    plan_key: str
    model_sha256: str
    file_bytes: int
    accuracy: float
    macs: int
    storage_bytes: float
    activation_bytes: float
    energy_mj: float
    correct: SampleScores | None = None

    def __post_init__(self) -> None:
        require_hex("plan_key", 16, self.plan_key)
        require_hex("model_sha256", 64, self.model_sha256)
        require_finite("accuracy", self.accuracy)
        for name in ("file_bytes", "macs", "storage_bytes", "activation_bytes", "energy_mj"):
            require_range(name, 0, _HUGE, getattr(self, name))


@dataclass(frozen=True, slots=True)
class HeldTest:
    """A network on the held-back samples, which the search does not see.

    Attributes:
        plan_key: CompressionPlan.key.
        model_sha256: of the .tflite that was run.
        number: of this finalist among all that were ever tested in this run, from 1; 0 for the
            initial network, which they are compared with.
        correct: the samples' scores.
    """

    plan_key: str
    model_sha256: str
    number: int
    correct: SampleScores

    def __post_init__(self) -> None:
        require_hex("plan_key", 16, self.plan_key)
        require_hex("model_sha256", 64, self.model_sha256)
        require_range("number", 0, 10_000, self.number)
        if (self.number == 0) != (self.plan_key == CompressionPlan().key):
            raise ValueError("number 0 is the initial network's, and only that is")


Entry = Artifact | Measurement | Trial | HeldTest

_KINDS: dict[str, type[Entry]] = {
    "artifact": Artifact, "measurement": Measurement, "trial": Trial, "held_test": HeldTest,
}  # fmt: skip


@dataclass(slots=True)
class JournalContent:
    """All that a journal holds.

    Attributes:
        id: the study's name on devices: 8 hex digits; empty where nothing was recorded.
        study: the settings in the header; empty while there is no header.
        artifacts: by plan key.
        measurements: by measurement key.
        trials: by plan key, in the order of the journal.
        held_tests: by plan key.
    """

    id: str = ""
    study: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    measurements: dict[str, Measurement] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    held_tests: dict[str, HeldTest] = field(default_factory=dict)

    @property
    def scale(self) -> Scale:
        """What the study's qualities and scores mean.

        Raises:
            FormatError: the header says nonsense of it.
        """
        about = self.study.get("metric")
        return ACCURACY_SCALE if about is None else convert(about, Scale, "header, metric")

    def take(self, record: Record) -> Entry:
        """Adds what a record says, and returns it.

        Raises:
            FormatError: the record is of an unknown kind, of the wrong shape, or of another
                metric than the study's.
        """
        kind = record["kind"]
        if kind not in _KINDS:
            raise FormatError(f"unknown kind of record '{one_line(kind, 40)}'.")
        value = convert(record, _KINDS[kind], kind)
        try:
            _require_qualities(value, self.scale)
        except ValueError as error:
            raise FormatError(f"{kind}: {why(error)}.") from error
        if isinstance(value, Artifact):
            self.artifacts[value.plan_key] = value
        elif isinstance(value, Measurement):
            self.measurements[value.key] = value
        elif isinstance(value, HeldTest):
            self.held_tests[value.plan_key] = value
        else:
            self.trials[value.plan.key] = value
        return value


def read_journal(folder: Path, techniques: Collection[str] = ()) -> JournalContent:
    """Reads a run's journal without touching it; a search may be writing it.

    Args:
        folder: of the run.
        techniques: that its plans may use; empty: any.

    Raises:
        ConfigError: it can't be read.
        FormatError: a newer adadeep wrote it, or it is damaged.
    """
    return _content(folder / JOURNAL, techniques)[0]


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
        self._header: Record | None = None  # of a new study, until there is a first record
        self.content = content
        content.id = content.id or secrets.token_hex(4)

    @classmethod
    def open(cls, folder: Path, techniques: Collection[str] = ()) -> Self:
        """Makes the folder if need be, locks it, reads what is there and removes torn files.

        Args:
            folder: of the run.
            techniques: that its plans may use; empty: any.

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
            remove_leftovers(folder)
            content, size = _content(folder / JOURNAL, techniques)
            return cls(folder, content, LineFile(folder / JOURNAL, size), lock)
        except BaseException:
            lock.release()
            raise

    def begin(self, study: dict[str, Any]) -> None:
        """Takes the settings of a new study, or checks that the old one has the same.

        Those of a new one are written with the first record.

        Args:
            study: settings by name, JSON values; nested ones are compared one by one.

        Raises:
            ConfigError: it is of another study; the message says what differs.
        """
        study = msgspec.json.decode(msgspec.json.encode(study))  # as it will be read: () is []
        if not self.content.study:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            head = {"kind": "header", "schema_version": SCHEMA_VERSION}
            about = {"adadeep_version": __version__, "created": now}
            self._header = {**head, **about, "id": self.content.id, "study": study}
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

    def _add(self, kind: str, value: Entry) -> None:
        record = {"kind": kind, **msgspec.to_builtins(value)}
        self._file.append(*([self._header] if self._header else []), record)
        self._header = None
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
    return "not set" if value is None else one_line(str(value), 80)


def _content(path: Path, techniques: Collection[str]) -> tuple[JournalContent, int]:
    """What is in it, and how many bytes of it are to be kept."""
    records, size = read_lines(path)
    content = JournalContent()
    if records:
        content.study = _study(path, records[0])
        content.id = _study_id(records[0])
    if len(records) < 2:  # a header alone is of a study that found nothing: it binds nobody
        return JournalContent(), 0
    for number, record in enumerate(records[1:], start=2):
        try:
            value = content.take(record)
            if isinstance(value, Trial) and techniques:
                _check_techniques(value, techniques)
        except FormatError as error:
            raise FormatError(
                f"{path}, line {number}: {error} Restore the file from a copy, or begin anew in "
                "another folder (-o)."
            ) from error
    return content, size


def _require_qualities(value: Entry, scale: Scale) -> None:
    if isinstance(value, Artifact | Trial):
        scale.require("accuracy", value.accuracy)
    if isinstance(value, Artifact | HeldTest) and value.correct is not None:
        value.correct.require(scale)


def _check_techniques(trial: Trial, known: Collection[str]) -> None:
    for _, choice in trial.plan.choices:
        if choice.technique not in known:
            raise FormatError(f"trial: unknown technique '{one_line(choice.technique, 40)}'.")


def _study_id(header: Record) -> str:
    """The study's id; for journals of 0.1, which have none, one that stays the same."""
    named = header.get("id")
    if isinstance(named, str) and re.fullmatch("[0-9a-f]{8}", named):
        return named
    return hashlib.sha256(to_json(header).encode(errors="replace")).hexdigest()[:8]


def _study(path: Path, record: Record) -> dict[str, Any]:
    version, study = record.get("schema_version"), record.get("study")
    if record["kind"] != "header" or not isinstance(version, int):
        raise FormatError(f"{path}: the first line is no header; this is no journal of adadeep.")
    if version > SCHEMA_VERSION:
        raise FormatError(
            f"{path} was written by a newer adadeep "
            f"({one_line(str(record.get('adadeep_version', '?')), 40)}); "
            "upgrade, or begin anew in another folder (-o)."
        )
    if not isinstance(study, dict):
        raise FormatError(
            f"{path}, line 1: the header has no study; begin anew in another folder (-o)."
        )
    return study
