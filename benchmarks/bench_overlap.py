"""Training the next plans while the last one is measured: what a search on a board gains.

The device lab's aarch64 machine counts instructions, so that the load of this computer does not
change what is measured on it. Training is pinned to one core in both runs; both look three plans
ahead. Plans are drawn at random: medians differ by some hundredths of a percent from run to run
(packets of adb arrive at other instructions), and a sampler that learns from them would sooner or
later ask for another plan. That the same costs give the same plans in every executor, for every
sampler, `tests/unit/study/test_study.py` shows.

    python benchmarks/bench_overlap.py [--smoke] [--results FOLDER]
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.demand import UserDemand
from adadeep.devices.discovery import select
from adadeep.storage.run_folder import RunFolder
from adadeep.study.builder import search
from adadeep.study.config import StudyConfig
from adadeep.study.trials import INITIAL
from lab_box import lab_board
from record import Row, options, save

LIMIT = 1.15
LOOK_AHEAD = 3
PLANS = 24


class Timing:
    """An observer that notes when the first plan is asked for and when the last one is told."""

    def __init__(self) -> None:
        self.first_ask_s = self.last_tell_s = 0.0

    def stage(self, text: str) -> None:
        del text

    def note(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr)

    def unit(self, title: str, unit: object, drift: float) -> None:
        pass

    def limits(self, title: str, limits: object, scale: object) -> None:
        del title, limits, scale
        self.first_ask_s = time.monotonic()

    def price(self, price: object) -> None:
        print(f"  {getattr(price, 'text', '')}", file=sys.stderr)

    def trial(self, event: object) -> None:
        self.last_tell_s = time.monotonic()
        print(f"  {getattr(event, 'number', '')}", end="", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Run:
    """A search.

    Attributes:
        seconds: from the first ask to the last tell.
        making_s: by plan, in the order of the trials, without the initial network.
        measuring_s: likewise.
        plans: asked for.
        medians_ms: of every model, by plan.
    """

    seconds: float
    making_s: list[float]
    measuring_s: list[float]
    plans: list[str]
    medians_ms: dict[str, float]


@contextlib.contextmanager
def one_core_to_train_on() -> Iterator[None]:
    """Child processes (the worker) run on one core; this process, too, which only waits."""
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(kept)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, kept)


def searched(executor: str, serial: str, task: str, plans: int) -> Run:
    """Runs a search in a folder of its own."""
    timing = Timing()
    with tempfile.TemporaryDirectory() as folder, one_core_to_train_on():
        config = StudyConfig(
            task=task, demand=UserDemand(max_accuracy_loss=0.02), episodes=plans,
            folder=Path(folder) / "run", executor=executor, look_ahead=LOOK_AHEAD,
            sampler="random",
        )  # fmt: skip
        search(config, select([serial], Deadline.after(60)), timing)
        content = RunFolder(Path(folder) / "run").journal
    print(file=sys.stderr)
    trials = [trial for trial in content.trials.values() if trial.plan != INITIAL]
    return Run(
        timing.last_tell_s - timing.first_ask_s,
        [trial.making_s for trial in trials],
        [trial.measuring_s for trial in trials],
        [ask.plan.label for session in content.sessions for ask in session.asks],
        {
            trial.plan.label: content.measured[key].measurements[0].latency_ms
            for trial in trials
            for key in trial.measurements.values()
        },
    )


def main() -> None:
    chosen = options(__doc__)
    task, plans = ("digits", 3) if chosen.smoke else ("mnist", PLANS)
    with lab_board() as serial:
        serial_run = searched("serial", serial, task, plans)
        overlapped = searched("overlapped", serial, task, plans)
    making, measuring = sum(serial_run.making_s), sum(serial_run.measuring_s)
    ends = serial_run.making_s[0] + serial_run.measuring_s[-1]
    same = serial_run.plans == overlapped.plans
    apart = max(
        abs(overlapped.medians_ms[label] / median - 1)
        for label, median in serial_run.medians_ms.items()
        if label in overlapped.medians_ms
    )
    detail = f"search {task}, {plans} plans, lab board, training on one core"
    bound = max(making, measuring) + ends
    rows = [
        Row("serial: first ask to last tell", serial_run.seconds, "s", detail=detail),
        Row("serial: sum of making", making, "s"),
        Row("serial: sum of measuring", measuring, "s"),
        Row("overlapped: first ask to last tell", overlapped.seconds, "s", detail=detail),
        Row(
            "overlapped over the longer sum, the first making and the last measuring",
            overlapped.seconds / bound, "times", LIMIT,
        ),
        Row("the same plans (1: yes)", float(same), "", 1.0, at_least=True),
        Row("largest difference of medians", 100 * apart, "%", 1.0),
    ]  # fmt: skip
    save(chosen, "overlap", "Overlap of training and measuring", rows)


if __name__ == "__main__":
    main()
