"""Records which samples compressed LeNets get right, for replays of verdicts.

Each plan is applied, fine-tuned and converted as a search does it; then its .tflite is run on the
search's part of the validation data, on the held-back part and on the test data. MNIST takes a
quarter of an hour on one core, digits three minutes. `bench_verdicts.py` and the tests replay
searches on the result.

    ADADEEP_DATA=... python benchmarks/record_verdicts.py mnist|digits [--plans 130]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.plan import CompressionPlan
from adadeep.core.space import SearchSpace, build_space
from adadeep.search.random_sampler import RandomSampler

RECORDED = Path(__file__).parents[1] / "tests" / "data" / "recorded"


def plans_of(space: SearchSpace, count: int) -> list[CompressionPlan]:
    """The initial network, each choice alone in both precisions, then plans drawn at random."""
    plans = [CompressionPlan(precision=precision) for precision in PRECISIONS]
    for point in space.points:
        for option in point.options[1:] if point.layer else ():
            choice = ((point.layer.name, space.actions[option]),)
            plans += [CompressionPlan(choice, precision) for precision in PRECISIONS]
    sampler = RandomSampler(space, 0)
    while len(plans) < count:
        plan = sampler.ask()
        if plan not in plans:
            plans.append(plan)
    return plans[:count]


def record(name: str, count: int) -> None:
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.convert.verify import run_tflite
    from adadeep.core.errors import AdaDeepError
    from adadeep.core.scores import judged
    from adadeep.study.maker import KerasMaker
    from adadeep.training.tasks import load_task

    task = load_task(name)
    data = task.data
    rows: list[dict[str, object]] = []
    bits: dict[str, list[np.ndarray]] = {"search": [], "held": [], "test": []}
    with tempfile.TemporaryDirectory() as folder:
        maker = KerasMaker(task, Path(folder), 0)
        techniques = [TECHNIQUES.get(name) for name in TECHNIQUES]
        plans = plans_of(build_space(maker.spec, techniques, tuple(PRECISIONS)), count)
        for number, plan in enumerate(plans):
            start = time.perf_counter()
            try:
                made = maker.make(plan)
            except AdaDeepError as error:
                print(f"{number} {plan.label}: {error}")
                continue
            held = judged(task.metric, run_tflite(made.model, data.x_held), data.y_held)
            test = judged(task.metric, run_tflite(made.model, data.x_test), data.y_test)
            scores = {"search": made.scores, "held": held, "test": test}
            for part, judgement in scores.items():
                bits[part].append(np.packbits(judgement.array))
            rows.append(
                {
                    "plan": json.loads(plan.canonical_json), "storage_bytes": made.storage_bytes,
                    "macs": made.macs, "energy_mj": made.energy_mj, "file_bytes": len(made.model),
                }
            )  # fmt: skip
            shown = " ".join(f"{judgement.mean:.4f}" for judgement in scores.values())
            print(f"{number} {shown} {time.perf_counter() - start:.1f} s {plan.label}", flush=True)
    counts = {part: judgement.count for part, judgement in scores.items()}
    RECORDED.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"task": name, "seed": 0, "counts": counts, "plans": rows})
    np.savez_compressed(
        RECORDED / f"{name}-lenet.npz",
        about=np.frombuffer(content.encode(), np.uint8),
        **{part: np.array(packed) for part, packed in bits.items()},
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("mnist", "digits"))
    parser.add_argument("--plans", type=int, default=130)
    arguments = parser.parse_args()
    record(arguments.task, arguments.plans)


if __name__ == "__main__":
    main()
