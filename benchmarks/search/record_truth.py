"""Records the truth that searches are judged on: every plan of LeNet's space, made and measured.

For each data set and each of two trainings every plan is applied, fine-tuned and converted as a
search does it; which samples its .tflite gets right is kept for the search's validation data, the
held-back part and the test data. Its latency is taken on this computer, in turn with the initial
network over several placements in memory, and on the device lab's aarch64 machine, whose clock
counts instructions. What is recorded stays in a work folder, so that the same command goes on
where it ended; `pack` writes the tables that `bench_search.py` reads.

    ADADEEP_DATA=... python benchmarks/search/record_truth.py make digits 0     hours in all: mnist
    python benchmarks/search/record_truth.py board digits                      needs the device lab
    python benchmarks/search/record_truth.py profile                           likewise
    python benchmarks/search/record_truth.py pack
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from adadeep.convert.precisions.registry import PRECISIONS, of_a_search
from adadeep.core.plan import CompressionPlan
from adadeep.core.space import SearchSpace, build_space
from adadeep.cost.formulas import energy_mj
from adadeep.search.moves import count_plans, nth_plan
from adadeep.study.worker_messages import Made, OpenTask
from search.spaces import some

HERE = Path(__file__).resolve().parent
TABLES, WORK = HERE / "tables", Path(os.environ.get("ADADEEP_TABLES_WORK", HERE / "work"))
LIBRARY = WORK / "library"  # of profiles
PARTS = ("search", "held", "test")
PLACEMENTS, ROUNDS, BLOCK_S, WARM_UP = 5, 4, 0.01, 3


def plans_of(space: SearchSpace) -> Iterator[CompressionPlan]:
    """Every plan, the initial network first."""
    return (space.plan(nth_plan(space, number)) for number in range(count_plans(space)))


def scores_of(maker: Any, made: Made, plan: CompressionPlan, part: str) -> str:
    """Which samples of a part a plan's network gets right: Keras' where its numbers are the same.

    Args:
        maker: that made it last.
        made: its files.
        plan: of it.
        part: "held" or "test".
    """
    from adadeep.convert.verify import run_tflite
    from adadeep.core.scores import judged
    from adadeep.training.fit import outputs_of

    data, metric = maker.task.data, maker.task.metric
    x, y = (some(getattr(data, f"{kind}_{part}"), maker.name) for kind in "xy")
    if PRECISIONS.get(plan.precision).runs_as_trained:
        outputs = outputs_of(maker.latest, x)
    else:
        outputs = run_tflite(Path(made.model).read_bytes(), x)
    return judged(metric, outputs, y).packed


def make(task: str, seed: int) -> None:
    """Makes and judges what is not recorded yet; a model of training 0 stays for the board."""
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.core.errors import AdaDeepError
    from search.recording_maker import RecordingMaker

    folder = WORK / task
    folder.mkdir(parents=True, exist_ok=True)
    journal = WORK / f"{task}-{seed}.jsonl"
    done = {row["key"] for row in lines(journal)}
    initial = folder / f"initial-{seed}.keras"
    maker = RecordingMaker.open(OpenTask(task, seed, str(initial), goes_on=True), print)
    maker.name = task
    space = build_space(maker.spec, list(TECHNIQUES.usable().values()), of_a_search())
    plans = list(plans_of(space))
    print(f"{task} {seed}: {len(plans)} plans, {len(done)} recorded")
    reference: bytes | None = None
    for number, plan in enumerate(plans):
        start = time.perf_counter()
        if plan.key in done and number:
            continue
        with tempfile.TemporaryDirectory(dir=folder) as made_in:
            row: dict[str, Any] = {"key": plan.key, "plan": json.loads(plan.canonical_json)}
            try:
                made = maker.make(plan, made_in)
                model = Path(made.model).read_bytes()
                reference = reference or model
                if plan.key in done:
                    continue  # the initial network, made anew to be measured beside
                row |= _costs(made, len(model))
                row["search"] = made.scores.packed
                row |= {part: scores_of(maker, made, plan, part) for part in PARTS[1:]}
                made_s = time.perf_counter() - start
                row["local"] = ratios(model, reference)
                if not seed:
                    Path(made.model).replace(folder / f"{plan.key}.tflite")
            except AdaDeepError as error:
                made_s = time.perf_counter() - start
                row["error"] = str(error)
        append(journal, row)
        spent = time.perf_counter() - start
        told = row.get("error") or f"ratio {statistics.median(row['local']['ratios']):.3f}"
        print(f"{number} {made_s:.1f} {spent:.1f} s {told} {plan.label}", flush=True)


def _costs(made: Made, size: int) -> dict[str, float]:
    return {
        "storage_bytes": made.spec.parameter_storage_bytes,
        "activation_bytes": made.spec.activation_storage_bytes,
        "macs": made.spec.macs,
        "energy_mj": energy_mj(made.spec),
        "file_bytes": size,
    }


def ratios(model: bytes, reference: bytes) -> dict[str, Any]:
    """Latency over the reference's, one value a placement; blocks of both alternate."""
    found, own = [], []
    for _ in range(PLACEMENTS):
        pair = [_Runner(model), _Runner(reference)]
        blocks: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for runner, times in zip(pair, blocks, strict=True):
                times.append(runner.block_ms())
        medians = [statistics.median(times) for times in blocks]
        found.append(medians[0] / medians[1])
        own.append(medians[0])
    return {"ratios": [round(r, 5) for r in found], "ms": round(statistics.median(own), 6)}


class _Runner:
    """A model in an interpreter of its own."""

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=model, num_threads=1)
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()[0]
        rng = np.random.default_rng(0)
        data = rng.random(details["shape"])
        if details["dtype"] != np.float32:
            data = data * 200 - 100
        self._interpreter.set_tensor(details["index"], data.astype(details["dtype"]))

    def block_ms(self) -> float:
        """Median of a block of runs; the first ones after another model ran are dropped."""
        for _ in range(WARM_UP):
            self._interpreter.invoke()
        times, end = [], time.perf_counter() + BLOCK_S
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            self._interpreter.invoke()
            times.append(1000 * (time.perf_counter() - start))
        return statistics.median(times)


def board(task: str) -> None:
    """Measures what was made on the lab's aarch64 machine."""
    from adadeep.core.clock import Deadline
    from adadeep.core.measure_settings import MeasureSettings
    from adadeep.core.measuring_plan import MeasuringPlan
    from adadeep.devices.discovery import select
    from adadeep.measure.session import MeterOptions, open_meter
    from lab_box import lab_board

    journal = WORK / f"{task}-board.jsonl"
    done = {row["key"] for row in lines(journal)}
    models = sorted((WORK / task).glob("*.tflite"))
    left = [model for model in models if model.stem not in done]
    print(f"{task}: {len(models)} models, {len(done)} measured")
    with lab_board() as serial:
        [transport] = select([serial], Deadline.after(60))
        with open_meter(
            transport, Deadline.after(120), MeasureSettings(), MeterOptions()
        ) as meter:
            for model in left:
                start = time.perf_counter()
                session = meter.measure([model.read_bytes()], MeasuringPlan())
                [measured] = session.measurements
                append(journal, {"key": model.stem, "ms": measured.latency_ms})
                print(
                    f"{model.stem} {measured.latency_ms} {time.perf_counter() - start:.1f} s",
                    flush=True,
                )


def profile() -> None:
    """Profiles this computer and the lab's machine, for what a search expects of T beforehand."""
    from lab_box import lab_board

    _profile("local", "local")
    with lab_board() as serial:
        _profile(serial, "board")


def _profile(device: str, name: str) -> None:
    command = [sys.executable, "-m", "adadeep", "profile", "-d", device, "--name", name]
    subprocess.run(command, check=True, env={**os.environ, "ADADEEP_LIBRARY": str(LIBRARY)})


def pack() -> None:
    """Writes a table for each recording that is whole, and says what is missing."""
    os.environ["ADADEEP_LIBRARY"] = str(LIBRARY)
    from search import packing

    for journal in sorted(WORK.glob("*-[01].jsonl")):
        task, _, seed = journal.stem.rpartition("-")
        about = packing.described(task, int(seed), WORK / task / f"initial-{seed}.keras")
        rows = lines(journal)
        left = {plan.key for plan in plans_of(about.space)} - {row["key"] for row in rows}
        if left:
            print(f"{journal.name}: {len(left)} plans are not recorded yet: no table")
            continue
        on_board = {row["key"]: row["ms"] for row in lines(WORK / f"{task}-board.jsonl")}
        path = TABLES / f"{journal.stem}.npz"
        packing.write(path, about, rows, on_board)
        made = [row for row in rows if "error" not in row]
        missing = sum(row["key"] not in on_board for row in made)
        print(f"{path.name}: {len(made)} plans, {missing} not measured on the board")


def lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a journal; a last line that was cut off is none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def append(path: Path, row: dict[str, Any]) -> None:
    """Adds a row, on the disk before anything else is made."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("make", "board", "profile", "pack"))
    parser.add_argument("task", nargs="?", choices=("mnist", "digits"))
    parser.add_argument("seed", nargs="?", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.what == "make":
        make(chosen.task, chosen.seed)
    elif chosen.what == "board":
        board(chosen.task)
    elif chosen.what == "profile":
        profile()
    else:
        pack()


if __name__ == "__main__":
    main()
