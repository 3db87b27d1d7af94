"""Time per measured candidate beyond warm-up and timed runs, on the lab's box over a real adbd.

Elapsed time less first inference, warm-up and timed runs: push, load, protocol, conditions, and
the runs of the anchor model. Beside it the plain way: `adb push` and a fresh process per model.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement
from adadeep.devices.discovery import select
from adadeep.measure.layer_models import micro_benchmark, tflite_of
from adadeep.measure.session import open_meter
from lab_box import adb, lab_box
from record import Row, options, save

EVERY = 4  # of the micro-benchmark's layers
PLAIN_FOLDER = "/data/local/tmp"
# The usual benchmark script, with the same rule for when to stop.
PLAIN = """
import json, sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
s = json.loads(sys.argv[2])
ns = time.perf_counter_ns
accounted, timed = 0, []
for launch in range(s["launches"]):
    model = Interpreter(model_path=sys.argv[1], num_threads=s["threads"])
    model.allocate_tensors()
    detail = model.get_input_details()[0]
    model.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    def once():
        start = ns()
        model.invoke()
        return ns() - start
    warm = [once()]
    while len(warm) < 1 + s["warmup_min_runs"] or sum(warm[1:]) < 1e6 * s["warmup_min_ms"]:
        warm.append(once())
    share, runs = (launch + 1) / s["launches"], []
    while True:
        runs.append(once())
        ms, count = sum(timed + runs) / 1e6, len(timed + runs)
        if count >= s["max_runs"] * share or ms >= s["max_ms"] * share:
            break
        if count >= s["min_runs"] * share and ms >= s["min_ms"] * share:
            o, n = sorted(timed + runs), count
            low = max(int((n - 1.96 * n ** 0.5) / 2), 0)
            if o[n - 1 - low] - o[low] <= s["ci_relative"] * o[n // 2]:
                break
    timed += runs
    accounted += sum(warm)
print(json.dumps(accounted + sum(timed)))
"""


def accounted_ms(measurement: Measurement) -> float:
    """First inferences, warm-up and timed runs."""
    return sum(
        launch.first_ns + sum(launch.warmup_ns) + sum(launch.runs_ns)
        for launch in measurement.launches
    ) / 1e6  # fmt: skip


def warm_agent(serial: str, models: list[bytes]) -> tuple[list[float], int]:
    """Overhead in ms of each candidate, and how many were left out because they were repeated."""
    [transport] = select([serial], Deadline.after(30))
    overheads, repeated = [], 0
    with open_meter(transport, Deadline.after(120), MeasureSettings()) as meter:
        meter.measure(models[:1])  # warms the agent; not counted
        for model in models:
            start = time.perf_counter()
            [measurement] = meter.measure([model])
            elapsed_ms = 1000 * (time.perf_counter() - start)
            if measurement.attempts == 1:
                overheads.append(elapsed_ms - accounted_ms(measurement))
            else:
                repeated += 1
    return overheads, repeated


def plain_way(serial: str, models: list[bytes]) -> list[float]:
    """Overhead in ms of each candidate, pushed by adb and run by a process of its own."""
    settings = json.dumps(asdict(MeasureSettings()))
    overheads = []
    with tempfile.TemporaryDirectory() as folder:
        script, file = Path(folder, "plain.py"), Path(folder, "candidate.tflite")
        script.write_text(PLAIN)
        adb("-s", serial, "push", str(script), f"{PLAIN_FOLDER}/plain.py")
        for model in models:
            file.write_bytes(model)
            start = time.perf_counter()
            adb("-s", serial, "push", str(file), f"{PLAIN_FOLDER}/candidate.tflite")
            command = f"cd {PLAIN_FOLDER} && python3 plain.py candidate.tflite '{settings}'"
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
        warm, repeated = warm_agent(serial, models)
    sizes = f"{min(map(len, models)) / 1e3:.1f} kB to {max(map(len, models)) / 1e6:.0f} MB"
    detail = f"median of {len(warm)} models, {sizes}"
    ours, theirs = statistics.median(warm), statistics.median(plain)
    rows = [
        Row("warm agent: beyond warm-up and timed runs", ours, "ms", 30, detail=detail),
        Row("the same, 90th percentile", statistics.quantiles(warm, n=10)[-1], "ms"),
        Row("repeated as disturbed, left out", repeated, "models"),
        Row("adb push and a process per model", theirs, "ms", detail=f"median of {len(plain)}"),
        Row("plain way over warm agent", theirs / ours, "times", 5, at_least=True),
    ]
    save(chosen, "candidate", "A measured candidate on the lab's box, over a real adbd", rows)


if __name__ == "__main__":
    main()
