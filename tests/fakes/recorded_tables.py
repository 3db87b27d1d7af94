"""A recording of every plan of LeNet's space, made by a formula, as record_truth.py writes it."""

import base64
import json

import numpy as np

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.space import build_space
from adadeep.study.known import KnownBeforehand
from fakes.lenet_spec import lenet_spec
from search import packing
from search.record_truth import plans_of

COUNTS = {"search": 359, "held": 179, "test": 359}
FAILING, UNMEASURED = 7, 11  # numbers of plans


def fake_space():
    return build_space(lenet_spec(), list(TECHNIQUES.usable().values()), of_a_search())


def fake_rows(seed=0):
    """Rows of a journal: each choice loses some samples, and saves MACs at another speed."""
    rng = np.random.default_rng(seed)
    space = fake_space()
    shape = len(space.points), len(space.actions)
    loss, speed = rng.exponential(0.008, shape), rng.uniform(0.2, 1.0, shape)
    hardness = {member: rng.random(count) for member, count in COUNTS.items()}
    known = KnownBeforehand(space.model, knows_energy=True)
    rows = []
    for number, plan in enumerate(plans_of(space)):
        decisions = space.decisions(plan)
        taken = [(p, a) for p, a in enumerate(decisions) if a and space.points[p].layer]
        lost = sum(loss[at] for at in taken) + 0.004 * (plan.precision == "int8")
        ratio = np.prod([speed[at] for at in taken]) * (0.5 if plan.precision == "int8" else 1)
        row = {"key": plan.key, "plan": json.loads(plan.canonical_json)}
        if number == FAILING:
            rows.append({**row, "error": "it was not made"})
            continue
        for member, hard in hardness.items():
            flips = rng.random(len(hard)) < 0.004
            right = (hard < 0.98 - lost) ^ flips
            row[member] = base64.b64encode(np.packbits(right).tobytes()).decode()
        ratios = [round(float(ratio * rng.lognormal(0, 0.01)), 5) for _ in range(5)]
        row |= _costs(known(plan), ratio, space.model)
        rows.append({**row, "local": {"ratios": ratios, "ms": round(float(0.05 * ratio), 6)}})
    return rows


def _costs(known, ratio, model):
    if known is None:
        storage, macs = 4.0 * model.weights * ratio, round(model.macs * ratio)
        return {"storage_bytes": storage, "activation_bytes": 2e4, "macs": macs,
                "energy_mj": 0.2 * float(ratio), "file_bytes": round(storage) + 5000}  # fmt: skip
    return {
        "storage_bytes": known.storage_bytes,
        "activation_bytes": known.activation_bytes,
        "macs": known.macs,
        "energy_mj": known.energy_mj,
        "file_bytes": round(known.file_bytes) - 2000,
    }


def write_fake(folder, name="fake-0", seed=0, unmeasured=(UNMEASURED,)):
    """Packs a recording into folder/NAME.npz; returns its rows and the board's latencies."""
    rows = fake_rows(seed)
    on_board = {
        row["key"]: row["local"]["ms"] * 40
        for number, row in enumerate(rows)
        if "local" in row and number not in unmeasured
    }
    about = packing.About("fake", lenet_spec(), COUNTS)
    packing.write(folder / f"{name}.npz", about, rows, on_board)
    return rows, on_board
