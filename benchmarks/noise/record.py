"""Records the sessions that `bench_noise.py` replays: 100 minutes, in three groups.

    python benchmarks/noise/record.py [--file FILE] [--gap MINUTES] [--share 0..1] [--loop]

A group takes 17 minutes, the second 4 more, and begins --gap minutes (20) after the end of the one
before. What is in FILE is not recorded again: an interrupted recording goes on when the same
command is given. A machine that is to be judged runs nothing else meanwhile but what it always
runs.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from adadeep.core.measuring_plan import MeasuringPlan  # noqa: E402
from adadeep.core.session import MeasuredTogether  # noqa: E402
from noise import turns  # noqa: E402
from noise.networks import ABSOLUTE, PAIRS, REFERENCES, SELF, SHARP, network, plans  # noqa: E402
from noise.stored import Recorded, read, write  # noqa: E402

FILE = HERE / "recorded" / "sessions.jsonl.gz"
GROUPS = 3
Measure = Callable[[Sequence[bytes], MeasuringPlan, int, str], MeasuredTogether]

SERIES = MeasuringPlan(placements=1, least_placements=1, placement_ms=5_000, max_ms=6_000)
NOISE = MeasuringPlan(placements=16, placement_ms=250, max_ms=4_000)
ABSOLUTELY = MeasuringPlan(placements=60, placement_ms=80, max_ms=4_000)
COMPARED = MeasuringPlan(placements=60, placement_ms=80, max_ms=5_000)
ITSELF = MeasuringPlan(placements=60, placement_ms=80, max_ms=5_000)
CANDIDATE = MeasuringPlan(placements=12, placement_ms=80, max_ms=1_000)
LEARNING, LEARNING_STEP_S = (
    15,
    16.0,
)  # sessions that `--noise 4min` learns from, and from one to the next
SESSIONS, SELF_SESSIONS = 10, 33  # a group; of each model or pair, of each model against itself


@dataclass(frozen=True)
class Task:
    """A session that is to be recorded."""

    kind: str
    name: str
    number: int
    models: tuple[str, ...]
    plan: MeasuringPlan
    launches: int = 1


def tasks(group: int, share: float) -> Iterator[Task]:
    """Of a group; kinds alternate, so that each sees the whole time of the group."""
    sessions = max(round(SESSIONS * share), 2)
    if group == 0:
        yield from _noise_tasks()
    if group == 1:
        yield from _learning_tasks(max(round(LEARNING * share), 4))
    for number in range(sessions):
        yield from _judged_tasks(number)
        for name in SELF:
            for repeat in range(number, max(round(SELF_SESSIONS * share), 2), sessions):
                yield Task("self", name, repeat, (name, f"{name}+"), ITSELF)
    if group != 1:
        wanted = max(round(len(plans()) * share), 3)
        for name in list(plans())[:: len(plans()) // wanted]:
            base = "fc" if "fc" in name else "small-x3"
            yield Task("order", name, 0, (name, base, SHARP), CANDIDATE)


def _noise_tasks() -> Iterator[Task]:
    """20 s, as `adadeep-profile` takes for it."""
    yield Task("noise", "series", 0, REFERENCES, SERIES)
    for number in range(3):
        yield Task("noise", "references", number, REFERENCES, NOISE, 2)


def _learning_tasks(count: int) -> Iterator[Task]:
    """4 minutes, as `adadeep-profile --noise 4min` takes for it."""
    for number in range(count):
        yield Task("learning", "minutes", number, REFERENCES, NOISE)


def _judged_tasks(number: int) -> Iterator[Task]:
    for name in ABSOLUTE:
        beside = "ref-fc" if name == "fc" else SHARP
        yield Task("absolute", name, number, (name, beside), ABSOLUTELY)
    for first, second in PAIRS:
        yield Task("pair", f"{first}/{second}", number, (first, second), COMPARED, 2)


def brief(group: int) -> Iterator[Task]:
    """A few seconds of every kind, to see that all of it runs."""
    short = {"max_ms": 120.0, "placements": 6, "placement_ms": 10.0, "block_ms": 1.0}
    wanted = [one for one in tasks(group, 0.0) if one.number < 2 and "long" not in one.models]
    for task in wanted:
        models = tuple(name for name in task.models if name != "ref-long")
        plan = replace(task.plan, **short, drop_ms=0.0, warmup_ms=0.0, least_placements=1)
        yield replace(task, models=models, plan=plan, launches=1)


def record(measure: Measure, path: Path, group: int, wanted: Iterator[Task]) -> None:
    """Measures what is not in the file yet."""
    done = {one.key for one in read(path)}
    for task in wanted:
        key = f"{task.kind} {task.name} {group} {task.number}"
        if key in done:
            continue
        plan = replace(task.plan, seed=sum(map(ord, key)) * 1000 + task.number)
        begun = time.monotonic()
        session = measure([network(name) for name in task.models], plan, task.launches, key)
        write(path, Recorded(task.kind, task.name, group, task.number, session))
        print(f"{time.strftime('%H:%M:%S')} {key}", flush=True)
        if task.kind == "learning" and plan.max_ms >= NOISE.max_ms:
            time.sleep(max(LEARNING_STEP_S - (time.monotonic() - begun), 0.0))


def wait(path: Path, group: int, gap_s: float) -> None:
    """Until a group may begin; none for one that has begun."""
    ends: dict[int, float] = {}
    for one in read(path):
        ends[one.group] = one.session.measurements[0].after.timestamp
    if group not in ends and group - 1 in ends:
        time.sleep(max(ends[group - 1] + gap_s - time.time(), 0.0))


@contextlib.contextmanager
def measuring(by_loop: bool) -> Iterator[Measure]:
    """By the meter that users have, or by a loop of our own."""
    if by_loop:
        yield turns.measure
        return
    from noise.product import meter

    with meter() as measure:
        yield measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--gap", type=float, default=20.0, help="minutes between groups")
    parser.add_argument("--share", type=float, default=1.0, help="of the sessions, to try it")
    parser.add_argument("--loop", action="store_true", help="a loop of our own, not the product")
    arguments = parser.parse_args()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    for group in range(GROUPS):
        wait(arguments.file, group, 60 * arguments.gap)
        with measuring(arguments.loop) as measure:
            record(measure, arguments.file, group, tasks(group, arguments.share))


if __name__ == "__main__":
    main()
