"""A session of several launches: a new agent process each, and their placements in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from adadeep.core.measurement import Measurement, Memory, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended, MeasuredTogether

_SEED_STEP, _SEEDS = 0x9E3779B97F4A7, 1 << 53  # orders of launches have nothing in common


def launch_plan(plan: MeasuringPlan, launch: int, launches: int) -> MeasuringPlan:
    """What one of several launches does: its share of the placements and of the time."""
    if launches == 1:
        return plan
    placements = math.ceil(plan.placements / launches)
    least = math.ceil(plan.least_placements / launches)
    return replace(
        plan,
        seed=(plan.seed + launch * _SEED_STEP) % _SEEDS,
        placements=placements,
        least_placements=min(placements, least),
        max_ms=plan.max_ms / launches,
    )


def merged(name: str, plan: MeasuringPlan, parts: Sequence[MeasuredTogether]) -> MeasuredTogether:
    """The sessions of the launches as one; numbers of placements go on.

    Args:
        name: the id of the whole.
        plan: of the whole.
        parts: of the same models, in the order in which they ran.
    """
    columns = zip(*(part.measurements for part in parts), strict=True)
    return MeasuredTogether(
        id=name,
        plan=plan,
        measurements=tuple(_merged_model(name, column) for column in columns),
        ended=_ended([part.ended for part in parts]),
    )


def _merged_model(name: str, of_launches: Sequence[Measurement]) -> Measurement:
    placements: list[Placement] = []
    for launch, one in enumerate(of_launches):
        start = len(placements)
        placements += (
            replace(placement, number=start + number, launch=launch)
            for number, placement in enumerate(one.placements)
        )
    reasons = (reason for one in of_launches for reason in one.disturbed)
    return replace(
        of_launches[0],
        session=name,
        placements=tuple(placements),
        memory=_merged_memory([one.memory for one in of_launches]),
        after=of_launches[-1].after,
        disturbed=tuple(dict.fromkeys(reasons)),
    )


def _merged_memory(of_launches: Sequence[Memory]) -> Memory:
    """That of the launch that took most."""
    return max(of_launches, key=lambda memory: memory.peak_rss_bytes or 0)


def _ended(reasons: Sequence[Ended]) -> Ended:
    """Narrow if all were; of the others the last that was not."""
    others = [reason for reason in reasons if reason is not Ended.NARROW]
    return others[-1] if others else Ended.NARROW
