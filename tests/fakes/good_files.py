"""Sound files of each kind that a command reads: what hostile ones are made from."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.device import Capability, CapabilityStatus, DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileEntry, ProfileProvenance
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.trial import Trial, TrialState
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.profiles import files
from adadeep.testing.measurements import measurement
from fakes import run_folder

MODEL = tflite_of(SingleLayer(dense(64, 10)))
OTHER_MODEL = tflite_of(SingleLayer(dense(64, 12)))


def write_run(folder: Path) -> Path:
    """A finished search, as `deploy` reads it."""
    inputs = np.random.default_rng(0).random((4, 64), "f4")
    run_folder.write_run(folder, MODEL, OTHER_MODEL, inputs)
    return folder


def journal_lines() -> bytes:
    """A journal of a header, an artifact, a measurement and a trial."""
    made = measurement(MODEL)
    plan = CompressionPlan()
    header = {
        "kind": "header", "schema_version": 1, "adadeep_version": "0.1.0",
        "created": "2026-11-24T00:00:00+00:00", "study": {"task": "toy", "seed": 0},
    }  # fmt: skip
    artifact = {
        "kind": "artifact", "plan_key": plan.key, "model_sha256": made.model_sha256,
        "file_bytes": len(MODEL), "accuracy": 0.9, "macs": 640, "storage_bytes": 2600.0,
        "activation_bytes": 300.0, "energy_mj": 0.1,
    }  # fmt: skip
    cost = Cost(
        Quantity(made.latency_ms, Provenance.MEASURED, "box"),
        Quantity(0.1, Provenance.ANALYTIC, "Eq. 5"),
        2600.0, 300.0, len(MODEL), 640,
    )  # fmt: skip
    trial = Trial(plan, TrialState.COMPLETE, 0.9, cost, made.model_sha256, made.key)
    records = [header, artifact, {"kind": "measurement", **msgspec.to_builtins(made)},
               {"kind": "trial", **msgspec.to_builtins(trial)}]  # fmt: skip
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def write_profile(name: str = "box") -> tuple[Path, Path]:
    """A profile in the library that the environment names: its TOML file and its table."""
    facts = DeviceFacts("SERIAL-1", "adb", manufacturer="Maker", model=name)
    made = measurement(MODEL)
    layer = LayerSpec("layer", LayerKind.DENSE, (64,), (10,), weights=650, nonzero_weights=650)
    entries = tuple(
        ProfileEntry(SingleLayer(dense(64, units)).key, layer, "float32", made)
        for units in (10, 12)
    )
    capability = Capability("rapl", CapabilityStatus.ABSENT, "none there")
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0", made.agent)
    path = files.save(DeviceProfile(name, facts, (capability,), origin, entries))
    [table] = files.library_dir().glob(f"tables/{name}/*.jsonl")
    return path, table
