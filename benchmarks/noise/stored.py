"""Recorded sessions as they are kept: a line each, gzipped; a block has at most 5 of its timings.

The timings that are kept are quantiles of the block's, so that its median stays as it was.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Block, Conditions, Measurement, Memory, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended, MeasuredTogether

KEPT, KEPT_OF_RATIOS = 5, 3  # timings of a block: an odd number keeps the median
AGENT = Agent("linux-python", "0.2.0.dev0", "ai_edge_litert", "2")


@dataclass(frozen=True)
class Recorded:
    """A session, and what it was recorded for.

    Attributes:
        kind: "noise", "absolute", "pair", "self" or "order".
        name: of the case: the model or pair, or "run N" of all plans.
        group: 0, 1, 2: at least 20 minutes apart.
        number: of the session among those of the kind, name and group.
        session: what was measured.
    """

    kind: str
    name: str
    group: int
    number: int
    session: MeasuredTogether

    @property
    def key(self) -> str:
        return f"{self.kind} {self.name} {self.group} {self.number}"


def together(
    session: str,
    plan: MeasuringPlan,
    shas: Sequence[str],
    sizes: Sequence[int],
    placements: Sequence[Sequence[Placement]],
    timestamp: float,
) -> MeasuredTogether:
    """What a meter would give."""
    state = Conditions(timestamp)
    measured = [
        Measurement(sha, size, "0" * 16, "recorded", AGENT, MeasureSettings(), tuple(own),
                    (), Memory(), state, state, session)
        for sha, size, own in zip(shas, sizes, placements, strict=True)
    ]  # fmt: skip
    return MeasuredTogether(session, plan, tuple(measured), Ended.PLACEMENTS)


def write(path: Path, recorded: Recorded) -> None:
    """Appends a session: gzip's members follow one another."""
    with gzip.open(path, "at") as file:
        file.write(json.dumps(_packed(recorded), separators=(",", ":")) + "\n")


def read(path: Path) -> Iterator[Recorded]:
    """All sessions of a file, in their order; none where there is no file."""
    if path.exists():
        with gzip.open(path, "rt") as file:
            for line in file:
                yield _unpacked(json.loads(line))


def _packed(recorded: Recorded) -> dict[str, Any]:
    session = recorded.session
    head = {n: getattr(recorded, n) for n in ("kind", "name", "group", "number")}
    first = session.measurements[0]
    base = first.placements[0].blocks[0].start_ns
    kept = KEPT if recorded.kind == "absolute" else KEPT_OF_RATIOS
    return {
        **head,
        "session": session.id,
        "plan": asdict(session.plan),
        "at": round(first.before.timestamp, 1),
        "models": [
            [
                one.model_sha256,
                one.model_bytes,
                [_packed_placement(p, base, kept) for p in one.placements],
            ]
            for one in session.measurements
        ],
    }


def _packed_placement(placement: Placement, base: int, kept: int) -> list[Any]:
    blocks = [
        [
            b.round,
            (b.start_ns - base) // 1000,
            b.group,
            _thinned(b, kept),
            b.dropped_ns,
            b.delay_ns,
        ]
        for b in placement.blocks
    ]
    return [placement.number, placement.launch, placement.load_ns, placement.first_ns, blocks]


def _thinned(block: Block, kept: int) -> list[int]:
    if len(block.times_ns) <= kept:
        return sorted(block.times_ns)
    levels = (np.arange(kept) + 0.5) / kept
    return [round(float(t)) for t in np.quantile(block.times_ns, levels)]


def _unpacked(line: dict[str, Any]) -> Recorded:
    models = line["models"]
    placements = [[_unpacked_placement(p) for p in own] for _, _, own in models]
    session = together(
        line["session"], MeasuringPlan(**line["plan"]), [m[0] for m in models],
        [m[1] for m in models], placements, line["at"],
    )  # fmt: skip
    return Recorded(line["kind"], line["name"], line["group"], line["number"], session)


def _unpacked_placement(packed: list[Any]) -> Placement:
    number, launch, load, first, blocks = packed
    made = tuple(
        Block(r, start * 1000, group, tuple(times), dropped, delay_ns=delay)
        for r, start, group, times, dropped, delay in blocks
    )
    return Placement(number, launch, load, first, made)
