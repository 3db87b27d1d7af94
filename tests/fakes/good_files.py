"""Sound files of each kind that a command reads: what hostile ones are made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from adadeep.core.demand import UserDemand
from adadeep.core.device import Capability, CapabilityStatus, DeviceFacts
from adadeep.core.device_profile import (
    DeviceProfile,
    ProfileEntry,
    ProfileProvenance,
    ProfileReference,
    ProfileSession,
)
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.scores import SampleScores
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.profiles import files
from adadeep.storage.journal import JOURNAL, Journal
from adadeep.storage.records import Artifact, Ask, HeldTest, Session, TrialRecord, content_key
from adadeep.study.references import sharp_model
from adadeep.testing.measurements import measurement, together
from fakes import run_folder
from fakes.search_parts import model_of, spec_of, target_record, unit_of

MODEL = tflite_of(SingleLayer(dense(64, 10)))
OTHER_MODEL = tflite_of(SingleLayer(dense(64, 12)))


def _inputs() -> np.ndarray:
    return np.random.default_rng(0).random((4, 64), "f4")


def write_run(folder: Path) -> Path:
    """A finished search, as `deploy` reads it."""
    run_folder.write_run(folder, MODEL, OTHER_MODEL, _inputs())
    return folder


def write_run_of_0_1(folder: Path) -> Path:
    """The same of version 0.1."""
    run_folder.write_run_of_0_1(folder, MODEL, OTHER_MODEL, _inputs())
    return folder


def write_journal(folder: Path) -> Path:
    """A journal with every kind of record: two plans on one device, and one that failed."""
    target, bad = target_record(), CompressionPlan((("fc", LayerChoice("W9")),))
    session = Session("random", "default", 0, 1, {target.key: UserDemand(max_latency_ms=9.0)})
    scores = SampleScores.of(np.arange(50) > 2)
    with Journal.open(folder) as journal:
        journal.begin({"task": "toy", "split": 1})
        journal.defer(target)
        journal.defer(session)
        for number, plan in enumerate((CompressionPlan(), CompressionPlan(precision="int8"))):
            model = model_of(plan)
            made = together([model, sharp_model()], of=target.target)
            key, spec, sha256 = (
                content_key("basis", plan), spec_of(plan), made.measurements[0].model_sha256
            )  # fmt: skip
            if number:
                journal.add(Ask(number, plan))
            journal.add(Artifact(key, plan.key, sha256, len(model), 0.94, scores, spec))
            journal.add(made)
            if not number:
                journal.add(unit_of(made))
            journal.add(TrialRecord(plan, key, {target.key: made.id}))
            journal.add(HeldTest(plan.key, sha256, number, 0.025 * number, scores))
        journal.add(TrialRecord(bad, reason="ConversionError: no such operator"))
    return folder / JOURNAL


def write_profile(name: str = "box") -> tuple[Path, Path, Path]:
    """A profile in the library that the environment names: its TOML file, table and sessions."""
    facts = DeviceFacts("SERIAL-1", "adb", manufacturer="Maker", model=name)
    made = measurement(MODEL)
    layer = LayerSpec("layer", LayerKind.DENSE, (64,), (10,), weights=650, nonzero_weights=650)
    entries = tuple(
        ProfileEntry(SingleLayer(dense(64, units)).key, layer, "float32", made)
        for units in (10, 12)
    )
    capability = Capability("rapl", CapabilityStatus.ABSENT, "none there")
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0", made.agent)
    sessions = tuple(
        ProfileSession(
            f"2026-11-{day}T12:00:00+00:00", "search mnist", "0123abcd", 7, 1,
            replace(ProfileReference.of(made), latency_ms=0.1 + day / 1000, core_mask="f"),
        )
        for day in (20, 25)
    )  # fmt: skip
    path = files.save(DeviceProfile(name, facts, (capability,), origin, entries, sessions))
    library = path.parents[2]
    [table] = library.glob(f"tables/{name}/*.jsonl")
    return path, table, library / "sessions" / f"{name}.jsonl"
