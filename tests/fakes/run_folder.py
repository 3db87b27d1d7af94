"""A finished search made by hand: what `adadeep deploy` reads of it."""

import hashlib
import json

import numpy as np


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
        "measurement_key": "k",
        "seconds": 1.5,
        "test_accuracy": 0.96,
    }


def write_run(folder, best, initial, inputs):
    """Writes the four files as 0.1 did; returns the content of plan.json."""
    folder.mkdir(exist_ok=True)
    (folder / "best.tflite").write_bytes(best)
    (folder / "initial.tflite").write_bytes(initial)
    np.savez(folder / "samples.npz", inputs=inputs)
    layers = {"fc1": {"technique": "W1f", "rank_divisor": 12}}
    limits = {"min_accuracy": 0.9, "max_latency_ms": 2, "max_storage_bytes": 9.0}
    plan = {
        "schema": "adadeep.plan/1",
        "schema_version": 1,
        "adadeep_version": "0.1.0",
        "task": "toy",
        "device_title": "Another box",
        "device_fingerprint": "another",
        "seed": 0,
        "sampler": "dqn",
        "preset": "default",
        "meets_demand": True,
        "limits": {**limits, "max_energy_mj": 1.0},
        "episodes": 3,
        "plans_tried": 2,
        "best": trial("fc1:W1f(rank_divisor=12)", best, layers, 0.5),
        "initial": trial("initial", initial, {}, 1.5),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    return plan
