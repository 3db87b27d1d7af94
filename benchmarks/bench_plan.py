"""What LeNet's training takes and gives; and a plan: compress, fine-tune, convert, check, judge.

    ADADEEP_DATA=... python benchmarks/bench_plan.py [--smoke] [--results FOLDER]

The training is of the initial network of a search, its accuracy that of its .tflite on all test
data. The plans are of MNIST as a search makes them, in one process after a first one that is not
counted (TensorFlow starts). Smoke: of the digits, one plan, hardly trained.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from adadeep.core.space import build_space
from record import Row, options, save

LIMIT_S = 2.5
TRAINING_LIMIT_S, ACCURACY = 180, 99.2  # %
TEXTS = (
    "conv2=C2", "fc1=W1f", "fc1=W3", "conv2=L1", "fc1=L3", "conv2=C2,fc1=W1f",
    "conv2=C2 int8", "fc1=W1f int8", "conv2=L1,fc1=W1f int8", "int8",
)  # fmt: skip
PARTS = {"apply_plan": "compress", "convert": "convert", "check": "check"}


@contextmanager
def timed(maker: Any, took: dict[str, float]) -> Iterator[None]:
    """Adds up what the parts of `KerasMaker.make` take."""
    from adadeep.study import maker as module

    def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                took[name] += time.perf_counter() - start

        return call

    with ExitStack() as stack:
        for name, title in PARTS.items():
            stack.enter_context(patch.object(module, name, wrapped(title, getattr(module, name))))
        for name, title in (("_compressed", "trained"), ("_judged", "judge")):
            function = wrapped(title, getattr(maker, name))
            stack.enter_context(patch.object(maker, name, function))
        yield


@contextmanager
def hardly_trained(task: str) -> Iterator[None]:
    """Meanwhile that task is trained by a few steps: enough to see that everything runs."""
    from adadeep.study import opening

    loaded = opening.load_task(task)
    quick = replace(loaded.recipe, base_steps=2, fine_tune_steps=1)
    with patch.object(opening, "load_task", lambda _: replace(loaded, recipe=quick)):
        yield


def main() -> None:
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.convert.precisions.registry import of_a_search
    from adadeep.core.plan import CompressionPlan
    from adadeep.core.plan_text import PlanText
    from adadeep.study.maker import KerasMaker
    from adadeep.study.worker_messages import OpenTask

    chosen = options(__doc__)
    task, texts = ("digits", TEXTS[:1]) if chosen.smoke else ("mnist", TEXTS)
    every: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if chosen.smoke:
            stack.enter_context(hardly_trained(task))
        opening = OpenTask(task, seed=0, initial=f"{folder}/initial.keras", goes_on=False)
        start = time.perf_counter()
        maker = KerasMaker.open(opening, lambda _: None)
        trained_s = time.perf_counter() - start
        first = maker.make(CompressionPlan(), folder)
        accuracy = 100 * float(maker.judge(first.model, "test").array.mean())
        space = build_space(maker.spec, list(TECHNIQUES.usable().values()), of_a_search())
        plans = [PlanText.read(text).plan(space) for text in texts]
        maker.make(plans[0], folder)
        for plan in plans:
            took: dict[str, float] = defaultdict(float)
            start = time.perf_counter()
            with timed(maker, took):
                maker.make(plan, folder)
            total = time.perf_counter() - start
            took["fine-tune"] = took.pop("trained") - took["compress"]
            took["the rest (files, description)"] = total - sum(took.values())
            shown = ", ".join(f"{name} {seconds:.2f}" for name, seconds in took.items())
            print(f"{plan.label}: {total:.2f} s; {shown}", flush=True)
            for name, seconds in (*took.items(), ("whole", total)):
                every[name].append(seconds)
    steps = maker.start.task.recipe.base_steps
    rows = [
        Row("LeNet trained", trained_s, "s", TRAINING_LIMIT_S,
            detail=f"{steps} steps on {task}, TensorFlow's start with it"),
        Row("of that: accuracy", accuracy, "%", ACCURACY, at_least=True,
            detail="of the .tflite on the test data"),
        Row("a LeNet plan, judged, median", statistics.median(every.pop("whole")), "s",
            LIMIT_S, detail=f"{len(texts)} plans on {task}"),
    ]  # fmt: skip
    rows += [
        Row(f"of that: {name}", statistics.median(values), "s", detail="median")
        for name, values in every.items()
    ]
    save(chosen, "plan", "Making a plan's network", rows)


if __name__ == "__main__":
    main()
