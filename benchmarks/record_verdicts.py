"""Records which samples compressed LeNets get right, for replays of verdicts.

Each plan is applied, fine-tuned and converted as a search does it; then its .tflite is run on the
search's part of the validation data, on the held-back part and on the test data. MNIST takes a
quarter of an hour on one core, digits three minutes. `bench_verdicts.py` and the tests replay
searches on the result.

    ADADEEP_DATA=... python benchmarks/record_verdicts.py mnist|digits [--plans 130] [--folder F]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.space import SearchSpace, build_space
from adadeep.cost.formulas import energy_mj
from adadeep.search.random_sampler import RandomSampler
from adadeep.study.worker_messages import Made, OpenTask

RECORDED = Path(__file__).parents[1] / "tests" / "data" / "recorded"


def plans_of(space: SearchSpace, count: int) -> list[CompressionPlan]:
    """The initial network, each choice alone in both precisions, then plans drawn at random."""
    plans = [CompressionPlan(precision=precision) for precision in of_a_search()]
    for point in space.points:
        for option in point.options[1:] if point.layer else ():
            choice = ((point.layer.name, space.actions[option]),)
            plans += [CompressionPlan(choice, precision) for precision in of_a_search()]
    sampler = RandomSampler(space, 0)
    while len(plans) < count:
        plan = sampler.ask()
        if plan not in plans:
            plans.append(plan)
    return plans[:count]


def record(name: str, count: int, target: Path) -> None:
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.core.errors import AdaDeepError
    from adadeep.study.maker import KerasMaker

    rows: list[dict[str, object]] = []
    found: dict[str, list[SampleScores]] = {"search": [], "held": [], "test": []}
    with tempfile.TemporaryDirectory() as folder:
        opening = OpenTask(name, 0, f"{folder}/initial.keras", goes_on=False)
        maker = KerasMaker.open(opening, print)
        techniques = list(TECHNIQUES.usable().values())
        plans = plans_of(build_space(maker.spec, techniques, of_a_search()), count)
        for number, plan in enumerate(plans):
            start = time.perf_counter()
            try:
                made = maker.make(plan, folder)
            except AdaDeepError as error:
                print(f"{number} {plan.label}: {error}")
                continue
            rows.append(row_of(plan, made))
            found["search"].append(made.scores)
            for part in ("held", "test"):
                found[part].append(maker.judge(made.model, part))
            shown = " ".join(f"{correct[-1].quality:.4f}" for correct in found.values())
            print(f"{number} {shown} {time.perf_counter() - start:.1f} s {plan.label}", flush=True)
            for path in filter(None, (made.model, made.network)):
                Path(path).unlink()
    counts = {part: correct[0].count for part, correct in found.items()}
    content = json.dumps({"task": name, "seed": 0, "counts": counts, "plans": rows})
    target.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        target / f"{name}-lenet.npz",
        about=np.frombuffer(content.encode(), np.uint8),
        **{
            part: np.array([np.packbits(correct.array) for correct in rows_])
            for part, rows_ in found.items()
        },
    )  # fmt: skip


def row_of(plan: CompressionPlan, made: Made) -> dict[str, object]:
    """What is told of a network beside the samples."""
    return {
        "plan": json.loads(plan.canonical_json),
        "storage_bytes": made.spec.parameter_storage_bytes,
        "macs": made.spec.macs,
        "energy_mj": energy_mj(made.spec),
        "file_bytes": Path(made.model).stat().st_size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("mnist", "digits"))
    parser.add_argument("--plans", type=int, default=130)
    parser.add_argument("--folder", type=Path, default=RECORDED, help="of the table")
    arguments = parser.parse_args()
    record(arguments.task, arguments.plans, arguments.folder)


if __name__ == "__main__":
    main()
