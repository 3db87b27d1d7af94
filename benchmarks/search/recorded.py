"""Recorded tables: every plan of LeNet's space as `record_truth.py` made and measured it.

A file of a task and a training gives two tables, one a device: the board, whose clock counts
instructions (exact), and this computer. There the truth is the median of a plan's ratios to the
initial network over placements in memory, times the initial network's own latency; a sampler
hears one placement. It hears the validation data's samples; test data are the truth.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.device import DeviceFacts
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.search import KnownCosts, TargetKnowledge
from adadeep.core.space import SearchSpace
from adadeep.core.trial import Trial, TrialState
from search.spaces import plan_of, space_of
from search.table import TEST, VALIDATION, Columns

FOLDER = Path(__file__).resolve().parent / "tables"
GROUP = "recorded"
BOARD, LOCAL = "board", "local"
MEMBERS = {VALIDATION: "search", "held": "held", TEST: "test"}
FACTS = {
    BOARD: DeviceFacts("table", "adb", kind="board", machine="aarch64", os="linux"),
    LOCAL: DeviceFacts("local", "local", kind="computer", machine="x86_64", os="linux"),
}
_NORMAL_95 = 1.96
_MEASURED = 0.95  # of the plans: fewer are no table of the board
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Recording:
    """A file of tables.

    Attributes:
        name: task and training: "digits-0".
        space: of its plans.
        rows: by plan; what `record_truth.make` wrote, without samples.
        bits: packed samples that are right, by member; (plans, bytes).
        counts: samples, by member.
        numbers: of the rows, by plan.
        errors: why a plan could not be made, by its key.
    """

    name: str
    space: SearchSpace
    rows: dict[CompressionPlan, dict[str, Any]]
    bits: dict[str, Any]
    counts: dict[str, int]
    numbers: dict[CompressionPlan, int]
    errors: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Recording:
        """A file that `record_truth.pack` wrote."""
        with np.load(path) as file:
            about = json.loads(file["about"].tobytes())
            bits = {member: file[member] for member in MEMBERS.values()}
        plans = [plan_of(row["plan"]) for row in about["plans"]]
        return cls(
            path.stem,
            space_of(about["space"]),
            dict(zip(plans, about["plans"], strict=True)),
            bits,
            about["counts"],
            {plan: number for number, plan in enumerate(plans)},
            about["errors"],
        )

    @property
    def is_measured_on_board(self) -> bool:
        """Whether the initial network and nearly all plans are."""
        known = [row["board_ms"] is not None for row in self.rows.values()]
        initial = self.rows[CompressionPlan()]["board_ms"] is not None
        return initial and sum(known) >= _MEASURED * len(known)

    def scores(self, plan: CompressionPlan, part: str) -> SampleScores:
        """Of the validation, held-back or test samples."""
        member = MEMBERS[part]
        bits = np.unpackbits(self.bits[member][self.numbers[plan]], count=self.counts[member])
        return SampleScores.of(bits.astype(np.bool_))


class RecordedTable:
    """A recording on a device.

    Args:
        recording: of a task and a training.
        device: "board" or "local".
    """

    def __init__(self, recording: Recording, device: str) -> None:
        self.name = f"{recording.name} {device}"
        self.space = recording.space
        self._recording = recording
        self._device = device
        tells = self.expected_ms(CompressionPlan()) is not None
        self.knowledge = TargetKnowledge(
            FACTS[device], time_prior=self.expected_ms if tells else None
        )
        self._accuracies: dict[str, dict[CompressionPlan, float]] = {}
        self._columns: dict[str, Columns] = {}
        self._initial_ms = recording.rows[CompressionPlan()]["local"]["ms"]
        self._spread = self._typical_spread()

    def known_costs(self, plan: CompressionPlan) -> KnownCosts | None:
        """What the formulas told when it was recorded."""
        row = self._recording.rows.get(plan)
        if row is None or row["known"] is None:
            return None
        return KnownCosts(**row["known"])

    def scores(self, plan: CompressionPlan, part: str) -> SampleScores:
        """Of the samples of a part: "validation", "held" or "test"."""
        return self._recording.scores(plan, part)

    def expected_ms(self, plan: CompressionPlan) -> float | None:
        """T as the device's profile let expect it when the table was packed."""
        row = self._recording.rows.get(plan)
        expected: float | None = row.get("expected_ms", {}).get(self._device) if row else None
        return expected

    def hear(self, plan: CompressionPlan, seed: int) -> Trial:
        """Validation samples, and T as one measurement gives it."""
        latency = self._heard_ms(plan, seed)
        if latency is None:
            reason = self._recording.errors.get(plan.key, "it does not run on the device")
            return Trial(plan, TrialState.FAILED, reason=reason)
        scores = self._recording.scores(plan, VALIDATION)
        return Trial(
            plan, TrialState.COMPLETE, scores.quality, self._cost(plan, latency), scores=scores
        )

    def judge(self, plan: CompressionPlan, part: str) -> tuple[float, Cost] | None:
        """Accuracy on a part, and T without noise."""
        true_ms = self.latency_ms(plan)
        if true_ms is None:
            return None
        latency = Quantity(true_ms, Provenance.MEASURED, self._device)
        return self._accuracy(plan, part), self._cost(plan, latency)

    def columns(self, part: str) -> Columns:
        """Of the plans that run on the device, in the file's order."""
        if part not in self._columns:
            rows = self._recording.rows
            plans = [plan for plan in rows if self.latency_ms(plan) is not None]
            self._columns[part] = Columns(
                np.array([self._accuracy(plan, part) for plan in plans]),
                np.array([rows[plan]["energy_mj"] for plan in plans]),
                np.array([self.latency_ms(plan) for plan in plans], dtype=np.float64),
                np.array([rows[plan]["storage_bytes"] for plan in plans]),
            )
        return self._columns[part]

    def latency_ms(self, plan: CompressionPlan) -> float | None:
        """T without noise; None where the plan could not be made or measured."""
        row = self._recording.rows.get(plan)
        if row is None:
            return None
        if self._device == BOARD:
            return row["board_ms"]
        ratio = 1.0 if plan == CompressionPlan() else float(np.median(_ratios(row)))
        return self._initial_ms * ratio

    def _heard_ms(self, plan: CompressionPlan, seed: int) -> Quantity | None:
        true_ms = self.latency_ms(plan)
        if true_ms is None or self._device == BOARD:
            return None if true_ms is None else Quantity(true_ms, Provenance.MEASURED, BOARD)
        heard = true_ms
        if plan != CompressionPlan():  # limits are relative to it: all that noise is the others'
            rng = np.random.default_rng([seed, zlib.crc32(f"{self.name} {plan.key}".encode())])
            heard = self._initial_ms * float(rng.choice(_ratios(self._recording.rows[plan])))
        factor = math.exp(_NORMAL_95 * self._spread)
        return Quantity(heard, Provenance.MEASURED, LOCAL, low=heard / factor, high=heard * factor)

    def _typical_spread(self) -> float:
        """Standard deviation of log T between placements: the median of the plans'."""
        logs = [np.log(_ratios(row)) for row in self._recording.rows.values()]
        spreads = [float(np.median(np.abs(log - np.median(log)))) for log in logs]
        return _MAD_TO_SD * float(np.median(spreads))

    def _accuracy(self, plan: CompressionPlan, part: str) -> float:
        found = self._accuracies.setdefault(part, {})
        if plan not in found:
            found[plan] = self._recording.scores(plan, part).quality
        return found[plan]

    def _cost(self, plan: CompressionPlan, latency: Quantity) -> Cost:
        row = self._recording.rows[plan]
        return Cost(
            latency,
            Quantity(row["energy_mj"], Provenance.ANALYTIC, "Eq. 5"),
            row["storage_bytes"],
            row["activation_bytes"],
            row["file_bytes"],
            row["macs"],
        )


def _ratios(row: dict[str, Any]) -> list[float]:
    return row["local"]["ratios"]


@dataclass(frozen=True)
class RecordedSource:
    """The table of a file on a device."""

    path: Path
    device: str

    group = GROUP

    @property
    def name(self) -> str:
        return f"{self.path.stem} {self.device}"

    @property
    def fingerprint(self) -> str:
        return _fingerprint(self.path)

    def draw(self, seed: int) -> RecordedTable:
        del seed
        return _table(self.path, self.device)


def sources(folder: Path = FOLDER) -> list[RecordedSource]:
    """Of all files in the folder; without a board that did not measure (nearly) all plans yet."""
    return [
        RecordedSource(path, device)
        for path in sorted(folder.glob("*.npz"))
        for device in (BOARD, LOCAL)
        if device == LOCAL or _recording(path).is_measured_on_board
    ]


@functools.cache
def _recording(path: Path) -> Recording:
    return Recording.read(path)


@functools.cache
def _table(path: Path, device: str) -> RecordedTable:
    return RecordedTable(_recording(path), device)


@functools.cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
