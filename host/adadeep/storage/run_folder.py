"""What a finished search left in its folder, read as foreign data: run folders travel.

- `plan.json`: the winning plan, what both networks cost and how each number was obtained.
- `best.tflite`, `initial.tflite`: the winner and the initial network.
- `samples.npz`: real inputs, among others.

Names in it become paths on devices, so they are checked as strictly as numbers are.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.cost import Cost
from adadeep.core.errors import AdaDeepError, FormatError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.reader import (
    convert,
    plain_json,
    read_bytes,
    require_hex,
    require_name,
    require_range,
    why,
)
from adadeep.core.verdict import Verdicts
from adadeep.storage.archives import open_zip
from adadeep.storage.artifacts import MAX_MODEL_BYTES

SCHEMA_VERSION = 1
PLAN, SAMPLES = "plan.json", "samples.npz"
BEST_MODEL, INITIAL_MODEL = "best.tflite", "initial.tflite"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}")
_MOST_SAMPLES = 512
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
    """

    label: str
    key: str
    plan: PlanContent
    model_sha256: str
    accuracy: float
    cost: Cost
    test_accuracy: float | None = None
    verdicts: Verdicts | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.label) <= _LONGEST_LABEL:
            raise ValueError(f"label has {len(self.label)} characters")
        require_hex("key", 16, self.key)
        require_hex("model_sha256", 64, self.model_sha256)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The content of plan.json, as far as it is read.

    Attributes:
        task: its name; a part of the winner's name on devices.
        device_fingerprint: of the device of the search.
        meets_demand: whether the winner keeps every limit.
        limits: that the plans were held against.
        best: the winner.
        initial: the initial network.
        device_title: for people.
        metric: what accuracies mean; its name, whether it is installed here or not.
    """

    task: str
    device_fingerprint: str
    meets_demand: bool
    limits: PlanLimits
    best: PlanTrial
    initial: PlanTrial
    device_title: str = ""
    metric: Scale = ACCURACY_SCALE

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.task):
            raise ValueError("task is no name of at most 80 letters, digits, '.', '_' and '-'")
        for trial in (self.best, self.initial):
            self.metric.require("an accuracy", trial.accuracy, trial.test_accuracy)
        span, lowest = self.metric.span, self.limits.min_accuracy
        require_range("min_accuracy", self.metric.low - span, self.metric.high + span, lowest)


@dataclass(frozen=True, slots=True, eq=False)
class RunFiles:
    """The files of a finished search.

    Attributes:
        plan: the content of plan.json.
        best: the winner's .tflite.
        initial: the initial network's.
        inputs: (n, ...) float32, real samples.
    """

    plan: PlanFile
    best: bytes
    initial: bytes
    inputs: npt.NDArray[np.float32]


def read_run(folder: Path) -> RunFiles:
    """Reads what a finished search left.

    Raises:
        FormatError: there is no finished search, a newer adadeep wrote it, or it is damaged.
    """
    if not (folder / PLAN).exists():
        raise FormatError(
            f"{folder} holds no finished search: there is no {PLAN}. Run `adadeep search` into it"
            " first."
        )
    plan = _read_plan(folder / PLAN)
    best = _read_model(folder / BEST_MODEL, plan.best.model_sha256)
    initial = _read_model(folder / INITIAL_MODEL, plan.initial.model_sha256)
    return RunFiles(plan, best, initial, _read_inputs(folder / SAMPLES))


def damaged(path: Path, reason: str) -> FormatError:
    """A file of a run that can't be used, and what to do."""
    return FormatError(
        f"{path} can't be used: {reason}. Repeat the search (the same command writes it anew), or"
        " restore the folder from a copy."
    )


def _read_plan(path: Path) -> PlanFile:
    try:
        content = plain_json(read_bytes(path, _MOST_PLAN_BYTES), PLAN)
    except AdaDeepError as error:
        raise damaged(path, str(error).rstrip(".")) from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise FormatError(
            f"{path}: schema_version {version}, this adadeep reads {SCHEMA_VERSION}; upgrade"
            " adadeep."
        )
    if version != SCHEMA_VERSION:
        raise damaged(path, f"it has no schema_version {SCHEMA_VERSION}")
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


def _read_inputs(path: Path) -> npt.NDArray[np.float32]:
    try:
        with open_zip(path) as archive, archive.open("inputs.npy") as member:
            return _checked(_array(member.read()))
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
