"""Whether a compressed network gains by learning of the initial one, too, besides the labels.

Networks and data are those of bench_own_models.py, kept in $ADADEEP_OWN_MODELS. Each plan is
fine-tuned from the same inherited weights by the recipe that a search would infer: by labels
alone, and with a share of the loss that is the distance from the initial network's outputs; with
each seed. It is judged on all samples that no training sees. $OWN_MODELS names the networks.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench_own_models import folder_of, prepared
from own import data
from record import Row, options, save

PLANS = {
    "cnn1d": ("fc1=W1f:24", "fc1=W3:0.9"),
    "siamese": ("conv2=L1,conv3=L1", "conv3=C2"),
    "two_in_two_out": ("conv3=C2",),
}
SHARES = (0.5, 0.9)
SEEDS = 2
SMOKE = ("cnn1d",)
TITLE = "Learning of the initial network, too, against labels alone"


def judged(maker: Any, model: Any) -> float:
    """Mean score on the validation, held-back and test data."""
    from adadeep.core.scores import judged as scores_of
    from adadeep.training.fit import outputs_of

    task = maker.start.task
    parts = [(getattr(task.data, f"x_{part}"), getattr(task.data, f"y_{part}"))
             for part in ("val", "held", "test")]  # fmt: skip
    found = [scores_of(task.metric, outputs_of(model, x), y) for x, y in parts]
    return float(np.concatenate([scores.array for scores in found]).mean())


def gains(maker: Any, text: str, steps: int, seeds: int) -> Iterator[tuple[float, float]]:
    """Of each seed and share: the share, and the quality less that by labels alone."""
    from adadeep.compress.apply import apply_plan, needs_training
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.core.free_plan import free_plan
    from adadeep.core.plan_text import PlanText
    from adadeep.training.fit import outputs_of
    from adadeep.training.objective import Teaching

    task = maker.start.task
    plan, _ = free_plan(PlanText.read(text), maker.spec, TECHNIQUES.usable(), ("float32",))
    made = apply_plan(maker.start.network, plan, task.data.x_train[:500])
    teacher = outputs_of(maker.start.network, task.data.x_train)
    inherited = made.network.get_weights()
    for seed in range(seeds):
        found = {}
        for share in (0.0, *SHARES):
            made.network.set_weights(inherited)
            objective = replace(task.recipe.objective, teaching=Teaching(share))
            replace(task.recipe, objective=objective).train(
                made, task.data, steps * needs_training(plan), seed, task.recipe.fine_tune_rate,
                teacher=teacher if share else None,
            )  # fmt: skip
            found[share] = judged(maker, made.network)
        print(f"  {text} {steps} steps, seed {seed}: {found}", flush=True)
        yield from ((share, found[share] - found[0.0]) for share in SHARES)


def rows_of(name: str, folder: Path, smoke: bool) -> Iterator[Row]:
    """Of one network: for each share what it gains, on the mean of plans and seeds."""
    from adadeep.core.own_task import OwnTask
    from adadeep.study.maker import KerasMaker
    from adadeep.study.worker_messages import OpenTask

    own = OwnTask(str(folder / f"{name}.keras"), str(folder / f"{name}.npz"))
    request = OpenTask(name, 0, str(folder / f"initial-{name}.keras"), goes_on=False, own=own)
    maker = KerasMaker.open(request, lambda _: None)
    points = 100 / maker.start.task.metric.high
    steps, seeds = (2, 1) if smoke else (maker.start.task.recipe.fine_tune_steps, SEEDS)
    every = [gain for text in PLANS[name] for gain in gains(maker, text, steps, seeds)]
    for share in SHARES:
        some = [points * gain for one, gain in every if one == share]
        spread = statistics.stdev(some) if len(some) > 1 else 0.0
        detail = (
            f"{len(PLANS[name])} plans, {seeds} seeds, from {min(some):.2f} to {max(some):.2f}"
        )
        detail += f", standard deviation {spread:.2f}; {steps} steps"
        yield Row(f"{name}, share {share:g} of the loss: gain", statistics.fmean(some),
                  "points", detail=detail)  # fmt: skip


def main() -> None:
    chosen = options(__doc__)
    if data.folder() is None:
        row = Row("networks taught", 0, "", detail="ADADEEP_DATA names no data sets")
        save(chosen, "distillation", TITLE, [row])
        return
    asked = os.environ.get("OWN_MODELS", " ".join(PLANS)).split()
    names = SMOKE if chosen.smoke else tuple(asked)
    with folder_of(chosen) as folder:
        rows: list[Row] = []
        for name in names:
            prepared(name, folder, chosen)
            rows += rows_of(name, folder, chosen.smoke)
            save(chosen, "distillation", TITLE, rows)


if __name__ == "__main__":
    main()
