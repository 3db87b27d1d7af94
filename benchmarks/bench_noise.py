"""How often intervals hold, how wide they are, what they find: recorded sessions, replayed.

`noise/record.py` recorded them (100 minutes); anybody can replay them here, in a minute. What is
stated is judged by sessions that are not the one that states it.

    python benchmarks/bench_noise.py [--smoke] [--results FOLDER]
    python benchmarks/bench_noise.py --file FILE
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

import numpy as np

from adadeep.core.noise import PRIOR, NoiseModel, learned
from noise import replay, turns
from noise.networks import SELF
from noise.record import FILE, brief
from noise.record import record as record_sessions
from noise.replay import Held, Share
from noise.stored import Recorded, read
from record import Row, content_of, options, show, write

FASTER = {"small": 0.02, "fc": 0.07}


def absolute_rows(
    recorded: Sequence[Recorded], noise: NoiseModel, longer: NoiseModel | None
) -> list[Row]:
    rows = []
    for title, model, uses, since, limit in (
        ("learned in 20 s", noise, False, 0, None),
        ("learned in 20 s, as `measure` says it", noise, True, 0, 90.0),
        ("learned in 4 min", longer, False, 1, None),
        ("learned in 4 min, as `measure` says it", longer, True, 1, 90.0),
        ("the shipped guess", PRIOR, False, 0, None),
    ):
        if model is None:
            continue
        centres, following, own = replay.absolute(recorded, model, uses, uses, since)
        every = [held for of_model in centres.values() for held in of_model]
        if not every:
            return rows
        share = Share.of([[held.is_held] for held in every])
        nexts = Share.of([[h.is_held for h in one] for of in following.values() for one in of])
        score = np.mean([
            np.mean([h.score for h in of_model]) / own[name] for name, of_model in centres.items()
        ])  # fmt: skip
        rows += [
            percent(f"absolute, {title}: centre of other groups held", share, limit),
            percent(f"absolute, {title}: other sessions' medians held", nexts, None),
            Row(f"absolute, {title}: interval score", float(score), "x", limit and 1.3,
                detail="the interval of all sessions' own quantiles: 1; "
                + halves(centres)),
        ]  # fmt: skip
    held, score = replay.best_constant(recorded)
    rows.append(
        Row("absolute, the best width of each network in hindsight: interval score", score, "x",
            detail=f"about each session's median; held in {100 * held:.0f} %")
    )  # fmt: skip
    return rows


def halves(held: dict[str, list[Held]]) -> str:
    return "give or take " + ", ".join(
        f"{name} {100 * np.mean([h.half for h in of]):.2g} %" for name, of in held.items()
    )


def percent(what: str, share: Share, limit: float | None, at_least: bool = True) -> Row:
    detail = f"{100 * share.low:.0f} to {100 * share.high:.0f} %, {share.count} sessions"
    return Row(what, 100 * share.value, "%", limit, at_least, detail)


def ratio_rows(recorded: Sequence[Recorded], noise: NoiseModel) -> list[Row]:
    rows = []
    found = replay.ratios(recorded, noise)
    if found:
        every = [[held.is_held] for of in found.values() for held in of]
        rows.append(percent("ratio: centre of other sessions held", Share.of(every), 90.0))
    for name, held in found.items():
        if len(held) > 2:
            half, allowed = (
                float(np.median([h.half for h in held])),
                replay.allowed(recorded, noise, name, held),
            )
            detail = f"{100 * half:.2g} % for {100 * allowed:.2g} %: 1.96 sd, foretold or seen"
            rows.append(
                Row(f"ratio, {name}: half-width, median, over what placements allow",
                    half / allowed, "x", 1.3, detail=detail)
            )  # fmt: skip
    itself = replay.against_itself(recorded, noise, FASTER)
    if itself:
        different = [[one] for name in SELF for one in itself.get(name, ([], []))[0]]
        rows.append(
            percent("against itself: called different", Share.of(different), 8.0, at_least=False)
        )
    for name, (_, seen) in itself.items():
        what = f"{name}, {100 * FASTER[name]:.0f} % faster: found"
        rows.append(percent(what, Share.of([[one] for one in seen]), 80.0))
    return rows


def order_rows(recorded: Sequence[Recorded], noise: NoiseModel) -> list[Row]:
    differ, same = replay.order(recorded, noise)
    if not differ:
        return []
    detail = f"{same} of {differ} pairs that differ by more than 5 %"
    return [
        Row("plans an hour apart: in the same order", 100 * same / differ, "%", 99.5, True, detail)
    ]


def briefly_recorded() -> list[Recorded]:
    """What a few seconds here give, for --smoke: every kind of session."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sessions.jsonl.gz"
        for group in (0, 2):
            record_sessions(turns.in_process, path, group, brief(group))
        return list(read(path))


def rows_of(recorded: Sequence[Recorded]) -> tuple[list[Row], NoiseModel]:
    if not recorded:
        sys.exit("There is no recording: benchmarks/noise/record.py makes one, in 100 minutes.")
    teaching = [one.session for one in recorded if one.kind == "noise"]
    noise = learned(teaching, cache_bytes=8 << 20)
    minutes = [one.session for one in recorded if one.kind == "learning"]
    longer = learned([*teaching, *minutes], cache_bytes=8 << 20) if minutes else None
    rows = [*absolute_rows(recorded, noise, longer), *ratio_rows(recorded, noise)]
    return [*rows, *order_rows(recorded, noise)], noise


def main() -> None:
    if "--file" in sys.argv:
        rows, noise = rows_of(list(read(Path(sys.argv[sys.argv.index("--file") + 1]))))
        print(noise.words())
        show("Intervals", rows)
        return
    chosen = options(__doc__)
    rows, noise = rows_of(briefly_recorded() if chosen.smoke else list(read(FILE)))
    title = "Intervals of latency and ratios: how often they hold"
    show(title, rows)
    write(chosen, "noise", {**content_of("noise", title, rows), "references": replay.facts(noise)})


if __name__ == "__main__":
    main()
