"""Records the sessions that `bench_noise.py` replays: 75 minutes, in three groups.

    python benchmarks/noise/record.py [--file FILE] [--gap MINUTES] [--share 0..1] [--loop]

A group takes 12 minutes and begins --gap minutes (30) after the one before. What is in FILE is
not recorded again: an interrupted recording goes on when the same command is given. A machine
that is to be judged runs nothing else meanwhile but what it always runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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

NOISE = MeasuringPlan(placements=12, placement_ms=250, max_ms=5_000)  # 4 of them are 20 s
ABSOLUTELY = MeasuringPlan(placements=60, placement_ms=80, max_ms=4_000)
COMPARED = MeasuringPlan(placements=60, placement_ms=80, max_ms=5_000)
ITSELF = MeasuringPlan(placements=30, placement_ms=80, max_ms=2_400)
CANDIDATE = MeasuringPlan(placements=12, placement_ms=80, max_ms=1_000)


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
    sessions = max(round(10 * share), 2)
    if group == 0:
        for number in range(4):
            yield Task("noise", "references", number, REFERENCES, NOISE, 1 + number % 2)
    for number in range(sessions):
        for name in ABSOLUTE:
            models = (name, "ref-fc" if name == "fc" else SHARP)
            yield Task("absolute", name, number, models, ABSOLUTELY)
        for first, second in PAIRS:
            yield Task("pair", f"{first}/{second}", number, (first, second), COMPARED, 2)
        for name in SELF:
            for repeat in range(max(round(3.4 * share * 10 / sessions), 1)):
                own = (name, f"{name}+")
                yield Task("self", name, 100 * repeat + number, own, ITSELF)
    if group != 1:
        for name in plans():
            base = "fc" if "fc" in name else "small-x3"
            yield Task("order", name, 0, (name, base, SHARP), CANDIDATE)


def record(measure: Measure, path: Path, group: int, share: float) -> None:
    done = {one.key for one in read(path)}
    for task in tasks(group, share):
        key = f"{task.kind} {task.name} {group} {task.number}"
        if key in done:
            continue
        seed = sum(map(ord, key)) * 1000 + task.number
        plan = MeasuringPlan(**{**task.plan.message, "seed": seed})
        session = measure([network(name) for name in task.models], plan, task.launches, key)
        write(path, Recorded(task.kind, task.name, group, task.number, session))
        print(f"{time.strftime('%H:%M:%S')} {key}", flush=True)


def by_product() -> Measure:
    """Sessions of the meter that users have, on this computer."""
    from noise.product import measure

    return measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--gap", type=float, default=30.0, help="minutes between groups' starts")
    parser.add_argument("--share", type=float, default=1.0, help="of the sessions, to try it")
    parser.add_argument("--loop", action="store_true", help="a loop of our own, not the product")
    arguments = parser.parse_args()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    measure = turns.measure if arguments.loop else by_product()
    for group in range(GROUPS):
        begun = time.monotonic()
        record(measure, arguments.file, group, arguments.share)
        rest = arguments.gap * 60 - (time.monotonic() - begun)
        if group + 1 < GROUPS and rest > 0:
            time.sleep(rest)


if __name__ == "__main__":
    main()
