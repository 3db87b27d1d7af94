"""Finished searches made by hand: what `adadeep deploy` reads of them, now and of version 0.1."""

import hashlib
import json

import numpy as np

OTHER_KEY = "0123abcd"  # of the second target
OTHER_FINGERPRINT = "e" * 16
HEAD = {"task": "toy", "seed": 0, "sampler": "dqn", "preset": "default"}
LIMITS = {
    "min_accuracy": 0.9, "max_latency_ms": 2, "max_storage_bytes": 9.0, "max_energy_mj": 1.0,
}  # fmt: skip
LAYERS = {"fc1": {"technique": "W1f", "rank_divisor": 12}}
LABEL = "fc1:W1f(rank_divisor=12)"


def cost(latency_ms):
    latency = {"value": latency_ms, "provenance": "measured", "source": "Box", "suspect": []}
    energy = {"value": 0.5, "provenance": "analytic", "source": "Eq. 5", "suspect": []}
    sizes = {"storage_bytes": 12.5, "activation_bytes": 3.0, "file_bytes": 20, "macs": 100}
    return {"latency_ms": latency, "energy_mj": energy, **sizes}


def trial(label, model, layers, latency_ms):
    return {
        "label": label,
        "key": hashlib.sha256(label.encode()).hexdigest()[:16],
        "plan": {"layers": layers, "precision": "float32"},
        "state": "complete",
        "reason": None,
        "accuracy": 0.97,
        "cost": cost(latency_ms),
        "reward": {"gain": 0.1, "satisfaction": 0.2, "total": 0.3, "feasible": True},
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "session": "0123456789abcdef",
        "seconds": 1.5,
        "test_accuracy": 0.96,
    }


def verdict(limit, estimate):
    ends = {"low": 0.9 * estimate, "high": 1.1 * estimate}
    return {
        "limit": limit, "estimate": estimate, **ends, "basis": "by hand", "state": "met",
        "is_within": True,
    }  # fmt: skip


def target(best, initial, **about):
    """What a search of now found for one device."""
    verdicts = {
        "accuracy_loss": verdict(0.1, 0.01),
        "latency_ms": verdict(2.0, 0.5),
        "energy_mj": verdict(1.0, 0.5),
        "storage_bytes": verdict(9.0, 5.0),
    }
    return {
        "key": "fedcba98",
        "device_fingerprint": "another",
        "device_title": "Another box",
        "agent": "linux-python",
        "provenances": {"latency_ms": "measured", "energy_mj": "analytic"},
        "limits": LIMITS,
        "meets_demand": True,
        "acceptable": True,
        "file": "best.tflite",
        "best": {**trial(LABEL, best, LAYERS, 0.5), "verdicts": verdicts},
        "initial": {**trial("initial", initial, {}, 1.5), "verdicts": verdicts},
        **about,
    }


def write_run(folder, best, initial, inputs, other=None):
    """Writes the files of a run; returns the content of plan.json.

    With `other`, the winner on a second device, it is a run of two.
    """
    targets = [target(best, initial)]
    _write_files(folder, best, initial, inputs)
    if other is not None:
        file = f"best-{OTHER_KEY}.tflite"
        (folder / file).write_bytes(other)
        about = {"key": OTHER_KEY, "device_fingerprint": OTHER_FINGERPRINT, "file": file}
        targets.append(target(other, initial, **about))
    plan = {
        "schema": "adadeep.plan/2",
        "schema_version": 2,
        "adadeep_version": "0.2.0",
        **HEAD,
        "look_ahead": 1,
        "meets_demand": True,
        "acceptable": True,
        "episodes": 3,
        "episodes_asked": 3,
        "stop": None,
        "plans_tried": 2,
        "finalists": [],
        "left": [],
        "targets": targets,
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    return plan


def write_run_of_0_1(folder, best, initial, inputs):
    """Writes the four files as version 0.1 did; returns the content of plan.json."""
    _write_files(folder, best, initial, inputs)
    plan = {
        "schema": "adadeep.plan/1",
        "schema_version": 1,
        "adadeep_version": "0.1.0",
        **HEAD,
        "device_title": "Another box",
        "device_fingerprint": "another",
        "meets_demand": True,
        "limits": LIMITS,
        "episodes": 3,
        "plans_tried": 2,
        "best": trial(LABEL, best, LAYERS, 0.5),
        "initial": trial("initial", initial, {}, 1.5),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    return plan


def _write_files(folder, best, initial, inputs):
    folder.mkdir(exist_ok=True)
    (folder / "best.tflite").write_bytes(best)
    (folder / "initial.tflite").write_bytes(initial)
    np.savez(folder / "samples.npz", inputs=inputs)
