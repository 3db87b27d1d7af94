"""Time per measured candidate beyond its loads and runs, on the lab's box over a real adbd.

Elapsed time less loads, first inferences, dropped and timed runs: push, protocol, conditions,
reading around blocks. Beside it the plain way: `adb push` and a fresh process per model.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Block
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether
from adadeep.devices.discovery import select
from adadeep.measure.layer_models import micro_benchmark, tflite_of
from adadeep.measure.session import open_meter
from adadeep.study.references import sharp_model
from lab_box import adb, lab_box
from record import Row, options, save

EVERY = 4  # of the micro-benchmark's layers
PLAN = MeasuringPlan()
PLAIN_FOLDER = "/data/local/tmp"
# The usual benchmark script.
PLAIN = """
import json, sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
ns = time.perf_counter_ns
model = Interpreter(model_path=sys.argv[1], num_threads=1)
model.allocate_tensors()
detail = model.get_input_details()[0]
model.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
start, most = ns(), 1e6 * float(sys.argv[2])
while ns() - start < most:
    model.invoke()
print(json.dumps(ns() - start))
"""


def dropped_ns(block: Block) -> float:
    """Time of a block's dropped runs: the first one's, and the others until the plan's time."""
    return max(block.dropped_ns, PLAN.drop_ms * 1e6) if block.dropped_ns else 0.0


def accounted_ms(session: MeasuredTogether) -> float:
    """Loads, first inferences, and blocks: from the start of each to the end of its timed runs."""
    return sum(
        placement.load_ns + placement.first_ns
        + sum(dropped_ns(block) + sum(block.times_ns) for block in placement.blocks)
        for measured in session.measurements
        for placement in measured.placements
    ) / 1e6  # fmt: skip


def warm_agent(serial: str, models: list[bytes]) -> list[float]:
    """Overhead in ms of each candidate, measured beside the sharp reference."""
    [transport] = select([serial], Deadline.after(30))
    overheads = []
    with open_meter(transport, Deadline.after(120), MeasureSettings()) as meter:
        for _ in range(2):  # warms the agent, and the reference stays there; not counted
            meter.measure([models[0], sharp_model()], PLAN)
        for number, model in enumerate(models):
            start = time.perf_counter()
            session = meter.measure([model, sharp_model()], replace(PLAN, seed=number))
            elapsed_ms = 1000 * (time.perf_counter() - start)
            overheads.append(elapsed_ms - accounted_ms(session))
    return overheads


def plain_way(serial: str, models: list[bytes]) -> list[float]:
    """Overhead in ms of each candidate, pushed by adb and run by a process of its own."""
    overheads = []
    with tempfile.TemporaryDirectory() as folder:
        script, file = Path(folder, "plain.py"), Path(folder, "candidate.tflite")
        script.write_text(PLAIN)
        adb("-s", serial, "push", str(script), f"{PLAIN_FOLDER}/plain.py")
        for model in models:
            file.write_bytes(model)
            start = time.perf_counter()
            adb("-s", serial, "push", str(file), f"{PLAIN_FOLDER}/candidate.tflite")
            command = f"cd {PLAIN_FOLDER} && python3 plain.py candidate.tflite {PLAN.max_ms}"
            done = subprocess.run(
                ["adb", "-s", serial, "shell", command],
                check=True, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            elapsed_ms = 1000 * (time.perf_counter() - start)
            overheads.append(elapsed_ms - json.loads(done.stdout.splitlines()[-1]) / 1e6)
    return overheads


def main() -> None:
    chosen = options(__doc__)
    layers = micro_benchmark()[::EVERY]
    models = [tflite_of(single) for single in (layers[:3] if chosen.smoke else layers)]
    with lab_box() as serial:
        plain = plain_way(serial, models)
        warm = warm_agent(serial, models)
    sizes = f"{min(map(len, models)) / 1e3:.1f} kB to {max(map(len, models)) / 1e6:.0f} MB"
    detail = f"median of {len(warm)} models, {sizes}"
    ours, theirs = statistics.median(warm), statistics.median(plain)
    rows = [
        Row("warm agent: beyond loads and runs", ours, "ms", 30, detail=detail),
        Row("the same, 90th percentile", statistics.quantiles(warm, n=10)[-1], "ms"),
        Row("adb push and a process per model", theirs, "ms", detail=f"median of {len(plain)}"),
        Row("plain way over warm agent", theirs / ours, "times", 5, at_least=True),
    ]
    save(chosen, "candidate", "A measured candidate on the lab's box, over a real adbd", rows)


if __name__ == "__main__":
    main()
