"""Folders of searches: of now, made by a whole search of stand-ins, and of version 0.1."""

import json

from fakes.run_folder import trial
from unit.study.test_outcome import finished, write

LIMITS = {
    "min_accuracy": 0.9, "max_latency_ms": 2.0, "max_storage_bytes": 9.0, "max_energy_mj": 1.0,
}  # fmt: skip
JOURNAL_OF_0_1 = (
    {"kind": "header", "schema_version": 1, "adadeep_version": "0.1.0", "study": {"task": "toy"}},
    {"kind": "trial", "plan": {}},
)


def of_now(folder, devices=1):
    """A finished search of eight plans; returns its outcome."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    outcome, store = finished(folder, devices)
    write(outcome, store)
    return outcome


def of_version_0_1(folder):
    """A finished search of then, as far as it is shown; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = {"fc1": {"technique": "W1f", "rank_divisor": 12}}
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
        "limits": LIMITS,
        "episodes": 3,
        "plans_tried": 2,
        "best": trial("fc1:W1f(rank_divisor=12)", b"best", layers, 0.5),
        "initial": trial("initial", b"initial", {}, 1.5),
    }
    (folder / "plan.json").write_text(json.dumps(plan))
    lines = "".join(json.dumps(record) + "\n" for record in JOURNAL_OF_0_1)
    (folder / "journal.jsonl").write_text(lines)
    return folder
