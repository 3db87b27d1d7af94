"""What measuring a candidate takes, as a search does it, on the lab's box over a real adbd.

All of it; the share of making the models anew; and what is beyond: elapsed time less loads, first
inferences, dropped and timed runs, so push, protocol, conditions, reading around blocks. Beside it
the plain way: `adb push` and a fresh process per model. Each model is measured three times, as
another one each time (bytes behind it change its hash); the least is what it takes where nothing
else runs meanwhile, and the median of all what it took here.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Block
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise_pool import Like
from adadeep.core.session import MeasuredTogether
from adadeep.devices.discovery import select
from adadeep.measure.layer_models import micro_benchmark, tflite_of
from adadeep.measure.session import open_meter
from adadeep.study.measuring import CANDIDATE
from adadeep.study.references import sharp_model
from lab_box import adb, lab_box
from record import Row, options, save

EVERY = 4  # of the micro-benchmark's layers
EXPECTED_MS = 1.0  # of a run: what a search knows of the initial network
PLAIN_MS = 1000
REPEATS = 3
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


@dataclass(frozen=True)
class Took:
    """What a candidate took, in ms: all of it, making models anew, and beyond loads and runs."""

    whole: float
    remade: float
    beyond: float


def dropped_ns(block: Block, plan: MeasuringPlan) -> float:
    """Time of a block's dropped runs: the first one's, and the others until the plan's time."""
    if not block.dropped_ns:
        return 0.0
    run_ns = 1e6 * block.median_ms
    return block.dropped_ns + run_ns * math.ceil(
        max(1e6 * plan.drop_ms - block.dropped_ns, 0.0) / run_ns
    )


def accounted_ms(session: MeasuredTogether) -> float:
    """Loads, first inferences, and blocks: from the start of each to the end of its timed runs."""
    return sum(
        placement.load_ns + placement.first_ns
        + sum(dropped_ns(block, session.plan) + sum(block.times_ns) for block in placement.blocks)
        for measured in session.measurements
        for placement in measured.placements
    ) / 1e6  # fmt: skip


def remade_ms(session: MeasuredTogether) -> float:
    """From each placement's last block to the next one's first; the first counts as they do."""
    count = len(session.measurements[0].placements)
    placed = [
        sorted(
            (block for one in session.measurements for block in one.placements[number].blocks),
            key=lambda block: block.start_ns,
        )
        for number in range(count)
    ]
    gaps = [
        after[0].start_ns - dropped_ns(after[0], session.plan)
        - before[-1].start_ns - sum(before[-1].times_ns)
        for before, after in itertools.pairwise(placed)
    ]  # fmt: skip
    return statistics.fmean(gaps) * count / 1e6 if gaps else 0.0


def variants(model: bytes) -> list[bytes]:
    """The same network under other hashes; a FlatBuffer does not mind what follows it."""
    return [model + bytes(16 * number) for number in range(REPEATS)]


def warm_agent(serial: str, models: list[bytes]) -> list[list[Took]]:
    """Of each candidate, measured beside the sharp reference, every time."""
    [transport] = select([serial], Deadline.after(30))
    sharp = sharp_model()
    with open_meter(transport, Deadline.after(120), MeasureSettings()) as meter:
        for _ in range(2):  # warms the agent, and the reference stays there; not counted
            meter.measure([sharp, models[0] + bytes(8)], MeasuringPlan())

        def measured(model: bytes, seed: int) -> Took:
            likes = [Like(len(one), EXPECTED_MS) for one in (model, sharp)]
            plan = replace(CANDIDATE.plan(meter.noise, likes), seed=seed)
            start = time.perf_counter()
            session = meter.measure([model, sharp], plan)
            whole = 1000 * (time.perf_counter() - start)
            return Took(whole, remade_ms(session), whole - accounted_ms(session))

        return [[measured(one, n) for n, one in enumerate(variants(model))] for model in models]


def plain_way(serial: str, models: list[bytes]) -> list[list[float]]:
    """Overhead in ms of each candidate, pushed by adb and run by a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        script, file = Path(folder, "plain.py"), Path(folder, "candidate.tflite")
        script.write_text(PLAIN)
        adb("-s", serial, "push", str(script), f"{PLAIN_FOLDER}/plain.py")

        def overhead(model: bytes) -> float:
            file.write_bytes(model)
            start = time.perf_counter()
            adb("-s", serial, "push", str(file), f"{PLAIN_FOLDER}/candidate.tflite")
            command = f"cd {PLAIN_FOLDER} && python3 plain.py candidate.tflite {PLAIN_MS}"
            done = subprocess.run(
                ["adb", "-s", serial, "shell", command],
                check=True, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            elapsed_ms = 1000 * (time.perf_counter() - start)
            return elapsed_ms - json.loads(done.stdout.splitlines()[-1]) / 1e6

        return [[overhead(one) for one in variants(model)] for model in models]


def tenth(values: list[float]) -> float:
    """A tenth of them are larger."""
    return statistics.quantiles(values, n=10)[-1]


def main() -> None:
    chosen = options(__doc__)
    layers = micro_benchmark()[::EVERY]
    models = [tflite_of(single) for single in (layers[:3] if chosen.smoke else layers)]
    with lab_box() as serial:
        plain = plain_way(serial, models)
        warm = warm_agent(serial, models)
    save(
        chosen, "candidate", "A measured candidate on the lab's box, over a real adbd",
        rows_of(models, warm, plain),
    )  # fmt: skip


def rows_of(models: list[bytes], warm: list[list[Took]], plain: list[list[float]]) -> list[Row]:
    sizes = f"{min(map(len, models)) / 1e3:.1f} kB to {max(map(len, models)) / 1e6:.0f} MB"
    least = [min(one.beyond for one in of_model) for of_model in warm]
    ours, theirs = statistics.median(least), statistics.median(map(min, plain))
    every = [one for of_model in warm for one in of_model]
    shares = [min(100 * one.remade / one.whole for one in of_model) for of_model in warm]
    detail = f"median of {len(models)} models, {sizes}, the least of {REPEATS} times"
    return [
        Row("a candidate, whole: 90th percentile", tenth([one.whole for one in every]), "ms", 1000,
            detail=f"median {statistics.median(one.whole for one in every):.0f} ms"),
        Row("making models anew, of that: the most", max(shares), "%", 20,
            detail=f"median {statistics.median(shares):.1f} %, the least of {REPEATS} times"),
        Row("warm agent: beyond loads and runs", ours, "ms", 15, detail=detail),
        Row("the same, 90th percentile", tenth(least), "ms"),
        Row("the same, median of all times", statistics.median(x.beyond for x in every), "ms"),
        Row("adb push and a process per model", theirs, "ms", detail=detail),
        Row("plain way over warm agent", theirs / ours, "times", 5, at_least=True),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
