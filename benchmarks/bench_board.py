"""Measuring where nothing strays: the lab's aarch64 machine, whose clock counts instructions.

There every interval is to be narrow and to hold, and every order exact: what is wide or wrong is
our own making. The machine is started anew for each group of sessions. Noise is learned in the
first, on networks that are not judged; an interval is judged by sessions of another start.

    python benchmarks/bench_board.py [--smoke] [--results FOLDER]
    python benchmarks/bench_board.py --record     # 5 minutes; one that was cut short goes on
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

import numpy as np

from adadeep.core.clock import Deadline
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import NoiseModel, learned
from adadeep.core.session import MeasuredTogether
from adadeep.devices.discovery import make_transport
from adadeep.measure.session import open_meter
from lab_box import lab_board
from noise import replay
from noise.networks import REFERENCES
from noise.record import Task, record
from noise.replay import Held
from noise.stored import Recorded, read
from record import Row, content_of, options, show, write

FILE = Path(__file__).resolve().parent / "noise" / "recorded" / "board.jsonl.gz"
STARTS, SESSIONS = 2, 2  # of the machine; of each case after a start
WIDTH = 0.2  # percent: from the lower end of the 95 % interval to the upper one
ABSOLUTE = ("tiny", "small", "fc", "middle")
PAIRS = (("small", "small-9"), ("small-x3", "small"), ("fc", "fc-9"), ("fc", "small-x3"))
FASTER = {"small": 0.02, "fc": 0.07}
PLANS = (*(f"plan-{n}" for n in range(0, 20, 6)), "plan-fc-0", "plan-fc-4")
# A second of the machine takes several here, and nothing is gained by long sessions there.
STRETCH = MeasuringPlan(placements=1, placement_ms=2700, block_ms=12, max_ms=2970)
PLACED = MeasuringPlan(placements=8, placement_ms=60, block_ms=12, max_ms=900)
LONE = MeasuringPlan(placements=6, placement_ms=12, block_ms=4, max_ms=160)
TURNS = MeasuringPlan(placements=6, placement_ms=20, block_ms=4, max_ms=250)


def tasks(start: int, smoke: bool) -> Iterator[Task]:
    """What is measured after a start."""
    few = 1 if smoke else None
    if start == 0:
        stretch = replace(STRETCH, placement_ms=100, max_ms=200) if smoke else STRETCH
        yield Task("noise", "references", 0, REFERENCES[: 2 if smoke else None], stretch)
        # The longest one takes 42 ms a run there.
        yield Task("noise", "references", 1, REFERENCES[: 2 if smoke else 3], PLACED, 2)
    for number in range(1 if smoke else SESSIONS):
        yield from (Task("absolute", n, number, (n,), LONE) for n in ABSOLUTE[:few])
        yield from (Task("pair", f"{a}/{b}", number, (a, b), TURNS) for a, b in PAIRS[:few])
        yield from (Task("self", n, number, (n, f"{n}+"), TURNS) for n in list(FASTER)[:few])
    for name in PLANS[:: 5 if smoke else 1]:
        yield Task("order", name, 0, (name, "small-x3"), TURNS)


def recorded(path: Path, smoke: bool) -> list[Recorded]:
    """All sessions; those that the file lacks are measured first."""
    for start in range(STARTS):
        done = {one.key for one in read(path)}
        wanted = [f"{t.kind} {t.name} {start} {t.number}" for t in tasks(start, smoke)]
        if done >= set(wanted):
            continue
        with lab_board() as serial, open_meter(make_transport(serial), soon()) as meter:

            def measure(
                models: Sequence[bytes], plan: MeasuringPlan, launches: int, name: str
            ) -> MeasuredTogether:
                del name
                session = meter.measure(models, plan, launches)
                meter.acknowledge([session.id])
                return session

            record(measure, path, start, tasks(start, smoke))
    return list(read(path))


def soon() -> Deadline:
    return Deadline.after(240)


def interval_rows(what: str, found: dict[str, list[Held]]) -> list[Row]:
    every = [held for of_case in found.values() for held in of_case]
    widths = {name: 100 * max(2 * held.half for held in own) for name, own in found.items()}
    detail = "the widest of each: " + ", ".join(f"{n} {w:.2g} %" for n, w in widths.items())
    held = f"{sum(h.is_held for h in every)} of {len(every)}; by the other sessions"
    share = 100 * float(np.mean([h.is_held for h in every]))
    return [
        Row(f"{what}: whole width of the 95 % interval, widest", max(widths.values()), "%", WIDTH,
            detail=detail),
        Row(f"{what}: intervals that held", share, "%", 95.0, True, held),
    ]  # fmt: skip


def self_rows(sessions: Sequence[Recorded], noise: NoiseModel) -> list[Row]:
    found = replay.against_itself(sessions, noise, FASTER)
    different = [one for own, _ in found.values() for one in own]
    seen = [one for _, own in found.values() for one in own]
    return [
        Row("a network against itself: called different", float(sum(different)), "sessions", 0.0,
            detail=f"of {len(different)}"),
        Row("2 % (small) or 7 % (13 MB) faster: found", 100 * float(np.mean(seen)), "%", 100.0,
            True, f"of {len(seen)} sessions"),
    ]  # fmt: skip


def order_rows(sessions: Sequence[Recorded], noise: NoiseModel) -> list[Row]:
    differ, same = replay.order(sessions, noise)
    if not differ:  # the recording was cut short
        return []
    detail = f"{same} of {differ} pairs that differ by more than 5 %"
    share = 100 * same / differ
    return [Row("plans after two starts: in the same order", share, "%", 100.0, True, detail)]


def main() -> None:
    if "--record" in sys.argv:
        recorded(FILE, smoke=False)
        return
    chosen = options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.jsonl.gz" if chosen.smoke else FILE
        sessions = recorded(path, chosen.smoke)
    noise = learned([one.session for one in sessions if one.kind == "noise"])
    rows = [
        *interval_rows("latency", replay.absolute(sessions, noise, update=False)[0]),
        *interval_rows("ratio", replay.ratios(sessions, noise)),
        *self_rows(sessions, noise),
        *order_rows(sessions, noise),
    ]
    title = "A machine that counts instructions: how narrow intervals are, and what holds"
    show(title, rows)
    write(chosen, "board", {**content_of("board", title, rows), "noise": noise.words()})


if __name__ == "__main__":
    main()
