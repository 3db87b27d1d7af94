"""What a finished search left in its folder, read as foreign data: run folders travel.

- `plan.json`: for each device the winning plan, what both networks cost there and how each number
  was obtained.
- `best.tflite`, `initial.tflite`: the winner on the first device, and the initial network.
- `samples.npz`: real inputs, among others.
- `journal.jsonl`, `models/`: all that was tried.

Names in it become paths on devices, so they are checked as strictly as numbers are.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.cost import Cost
from adadeep.core.demand import UserDemand
from adadeep.core.errors import AdaDeepError, FormatError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import UNCHANGED_PRECISION
from adadeep.core.reader import (
    convert,
    plain_json,
    read_bytes,
    require_finite,
    require_hex,
    require_name,
    require_range,
    why,
)
from adadeep.core.rows import Rows, together
from adadeep.core.verdict import Verdicts
from adadeep.storage.archives import open_zip
from adadeep.storage.artifacts import MAX_MODEL_BYTES, MODELS, ArtifactStore
from adadeep.storage.journal import JOURNAL, read_journal
from adadeep.storage.records import JournalContent

PLAN_VERSION = 2
PLAN, SAMPLES = "plan.json", "samples.npz"
INITIAL_MODEL, INITIAL_NETWORK = "initial.tflite", "initial.keras"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")
_MOST_SAMPLES, _MOST_TARGETS, _MOST_ENDS = 512, 1000, 1000
_LONGEST_LABEL = 10_000
_MOST_PLAN_BYTES = 4_000_000
_HUGE = 1e18


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """The limits that the plans were held against; as `Limits` of the search."""

    min_accuracy: float
    max_energy_mj: float
    max_latency_ms: float
    max_storage_bytes: float

    def __post_init__(self) -> None:
        require_range("a limit", 0, _HUGE, self.max_energy_mj, self.max_latency_ms)
        require_range("max_storage_bytes", 0, _HUGE, self.max_storage_bytes)


@dataclass(frozen=True, slots=True)
class PlanContent:
    """A plan as the file tells it: for people, but for its precision.

    Attributes:
        precision: name of the whole network's, whether it is installed here or not.
        layers: by name: the technique and its settings.
    """

    precision: str
    layers: dict[str, dict[str, float | int | str]]

    def __post_init__(self) -> None:
        require_name("precision", self.precision)

    @property
    def short_label(self) -> str:
        """As `CompressionPlan.short_label`; names are as the file has them."""
        choices = sorted(self.layers.items())
        parts = [f"{name}:{choice.get('technique', '?')}" for name, choice in choices]
        parts += [self.precision] if self.precision != UNCHANGED_PRECISION else []
        return " ".join(parts) or "initial"


@dataclass(frozen=True, slots=True)
class PlanReward:
    """What a plan earned on the device of the search."""

    gain: float
    satisfaction: float
    total: float
    feasible: bool

    def __post_init__(self) -> None:
        require_finite("a reward", self.gain, self.satisfaction, self.total)


@dataclass(frozen=True, slots=True)
class PlanTrial:
    """One of the two networks of plan.json.

    Attributes:
        label: its plan, for people.
        key: of its plan; names it on devices.
        plan: what was done to the initial network.
        model_sha256: of the .tflite.
        accuracy: the quality on the validation data, by the file's metric.
        cost: on the device of the search.
        test_accuracy: on the test data.
        verdicts: what the search could say of the limits; None in a run of version 0.1.
        reward: by Eq. 8.
    """

    label: str
    key: str
    plan: PlanContent
    model_sha256: str
    accuracy: float
    cost: Cost
    test_accuracy: float | None = None
    verdicts: Verdicts | None = None
    reward: PlanReward | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.label) <= _LONGEST_LABEL:
            raise ValueError(f"label has {len(self.label)} characters")
        require_hex("key", 16, self.key)
        require_hex("model_sha256", 64, self.model_sha256)


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """What was found for one device.

    Attributes:
        device_fingerprint: of the device.
        meets_demand: whether the winner keeps every limit there.
        limits: that the plans were held against.
        best: the winner.
        initial: the initial network.
        file: of the winner's .tflite.
        device_title: for people.
        key: of the target; empty in a run of version 0.1.
        metric: what accuracies mean; its name, whether it is installed here or not.
        demand: that the limits are of; None in a run of version 0.1.
    """

    device_fingerprint: str
    meets_demand: bool
    limits: PlanLimits
    best: PlanTrial
    initial: PlanTrial
    file: str = "best.tflite"
    device_title: str = ""
    metric: Scale = ACCURACY_SCALE
    key: str = ""
    demand: UserDemand | None = None

    def __post_init__(self) -> None:
        require_hex("key", 8, self.key or None)
        if self.file not in (best_file(), best_file(self.key)):
            raise ValueError("file is none of a search's winners")
        for trial in (self.best, self.initial):
            self.metric.require("an accuracy", trial.accuracy, trial.test_accuracy)
        span, lowest = self.metric.span, self.limits.min_accuracy
        require_range("min_accuracy", self.metric.low - span, self.metric.high + span, lowest)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The content of plan.json, as far as it is read.

    Attributes:
        task: its name; a part of the winner's name on devices.
        targets: at least one; the first is that of `best.tflite`.
        schema_version: of the file.
        adadeep_version: that wrote it.
        sampler: that chose the plans, likewise its preset and seed.
        episodes_asked: how many plans had been asked for in the folder; None in version 0.1.
        plans_tried: different ones.
    """

    task: str
    targets: tuple[PlanTarget, ...]
    schema_version: int = PLAN_VERSION
    adadeep_version: str = ""
    sampler: str = ""
    preset: str = ""
    seed: int | None = None
    episodes_asked: int | None = None
    plans_tried: int | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.task):
            raise ValueError("task is no name of at most 80 letters, digits, '.', '_' and '-'")
        if not 1 <= len(self.targets) <= _MOST_TARGETS:
            raise ValueError(f"targets has {len(self.targets)} entries")
        require_range("a number of plans", 0, _HUGE, self.episodes_asked, self.plans_tried)

    def target(self, device_fingerprint: str) -> PlanTarget:
        """What was found for a device; for one of no search, what was for the first."""
        found = (t for t in self.targets if t.device_fingerprint == device_fingerprint)
        return next(found, self.targets[0])


def best_file(target: str = "") -> str:
    """Name of a winner's .tflite: that of the first device, or of the target with that key."""
    return f"best-{target}.tflite" if target else "best.tflite"


class RunFolder:
    """A study on disk, read as it is asked for: no TensorFlow, no runtime, no lock.

    Args:
        path: of the folder.

    Attributes:
        path: that one.
        models: by hash.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.models = ArtifactStore(path / MODELS)

    @property
    def is_finished(self) -> bool:
        """Whether a search has ended here."""
        return _is_there(self.path / PLAN)

    @property
    def has_journal(self) -> bool:
        """Whether a search has found something here."""
        return _is_there(self.path / JOURNAL)

    @functools.cached_property
    def journal(self) -> JournalContent:
        """All that was found.

        Raises:
            ConfigError: there is none that can be read.
            FormatError: of another version, or damaged.
        """
        return read_journal(self.path)

    @functools.cached_property
    def plan(self) -> PlanFile:
        """What the search came to.

        Raises:
            FormatError: there is no finished search, a newer adadeep wrote it, or it is damaged.
        """
        if not self.is_finished:
            raise FormatError(
                f"{self.path} holds no finished search: there is no {PLAN}. Run `adadeep search`"
                " into it first."
            )
        return _read_plan(self.path / PLAN)

    def best(self, target: PlanTarget) -> bytes:
        """The winner's .tflite for a device.

        Raises:
            FormatError: it is missing, or another.
        """
        return _read_model(self.path / target.file, target.best.model_sha256)

    @functools.cached_property
    def initial(self) -> bytes:
        """The initial network's .tflite.

        Raises:
            FormatError: it is missing, or another.
        """
        sha256 = self.plan.targets[0].initial.model_sha256
        return _read_model(self.path / INITIAL_MODEL, sha256)

    @functools.cached_property
    def inputs(self) -> Rows:
        """Real samples: an array (n, ...) of float32 for each input of the winner.

        Raises:
            FormatError: they are missing or damaged.
        """
        return _read_inputs(self.path / SAMPLES)


def damaged(path: Path, reason: str) -> FormatError:
    """A file of a run that can't be used, and what to do."""
    return FormatError(
        f"{path} can't be used: {reason}. Repeat the search (the same command writes it anew), or"
        " restore the folder from a copy."
    )


def _is_there(path: Path) -> bool:
    """Whether something is there and may be asked for."""
    try:
        return path.exists()
    except OSError:
        return False


def _read_plan(path: Path) -> PlanFile:
    try:
        content = plain_json(read_bytes(path, _MOST_PLAN_BYTES), PLAN)
    except AdaDeepError as error:
        raise damaged(path, str(error).rstrip(".")) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > PLAN_VERSION:
        raise FormatError(
            f"{path}: schema_version {version}, this adadeep reads {PLAN_VERSION}; upgrade"
            " adadeep."
        )
    if version not in (1, PLAN_VERSION):
        raise damaged(path, f"it has no schema_version {PLAN_VERSION}")
    if version == 1:  # of adadeep 0.1: one device
        content = {**content, "targets": [content]}
    try:
        return convert(content, PlanFile, PLAN)
    except FormatError as error:
        raise damaged(path, str(error).rstrip(".")) from error


def _read_model(path: Path, sha256: str) -> bytes:
    try:
        model = read_bytes(path, MAX_MODEL_BYTES)
    except AdaDeepError as error:
        raise damaged(path, str(error).rstrip(".")) from error
    if hashlib.sha256(model).hexdigest() != sha256:
        raise damaged(path, f"it is not the model that {PLAN} names")
    return model


def _read_inputs(path: Path) -> Rows:
    try:
        with open_zip(path) as archive:
            held = set(archive.namelist())
            more = (f"inputs_{number}.npy" for number in range(2, _MOST_ENDS + 1))
            names = ["inputs.npy", *itertools.takewhile(held.__contains__, more)]
            return together(_checked(_array(archive.read(name))) for name in names)
    except Exception as error:  # zipfile, zlib and numpy raise whatever they stumble over
        raise damaged(path, why(error)) from error


def _array(data: bytes) -> npt.NDArray[Any]:
    """An array out of .npy, whose header must name as much data as there is."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = read[version](file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError(f"the samples are cut off, or are not of the shape {shape}")
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _checked(inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if inputs.ndim < 2 or not inputs.size or len(inputs) > _MOST_SAMPLES:
        raise ValueError(f"shape {inputs.shape} is not that of 1 to {_MOST_SAMPLES} samples")
    if inputs.dtype.kind not in "fiu":
        raise ValueError(f"the samples are of type {inputs.dtype}, not numbers")
    values = inputs.astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("a sample is not finite")
    return values
