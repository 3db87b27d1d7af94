"""Who runs when, in what groups, and when it is enough: exact rules that every agent repeats.

Pure; `device_agent/protocol/vectors/` has what each gives. `PROTOCOL.md` says them in words.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Optional, Sequence

_MASK = (1 << 64) - 1

# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom.
T_TABLE = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class Order:
    """A stream of orders: SplitMix64 and the shuffle of Fisher and Yates.

    Args:
        seed: 0 to 2^53.
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def draw(self) -> int:
        """The next number of the stream, 0 to 2^64 - 1."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def shuffled(self, count: int) -> List[int]:
        """0 to count - 1 in the next order; takes count - 1 numbers of the stream."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.draw() % (last + 1)
            order[last], order[other] = order[other], order[last]
        return order


def group_size(run_ns: float, clock_ns: float, block_ns: float, plan: Dict[str, Any]) -> int:
    """How many runs are timed as one.

    Args:
        run_ns: what a run takes, about.
        clock_ns: the clock's resolution or what reading it costs, whichever is more.
        block_ns: of a block.
        plan: `group` and `block_timings` of it.
    """
    run = max(run_ns, clock_ns / 100, 1.0)  # a run may be too short for the clock
    for_the_clock = math.ceil(plan["group"] * clock_ns / run)
    for_the_list = math.ceil(block_ns / (run * plan["block_timings"]))
    return int(max(1, for_the_clock, for_the_list))


def t_quantile(df: int) -> float:
    """The 97.5 % quantile of Student's t."""
    return T_TABLE[df - 1] if df <= len(T_TABLE) else 1.96 + 2.42 / df


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def placement_logs(medians_ns: Sequence[Sequence[float]]) -> List[float]:
    """What a placement says, one number for each interval of the stop rule.

    Of one model the logarithm of the median of its blocks; of several, for each but the first,
    the median over the rounds of how much longer the first took, as a logarithm.

    Args:
        medians_ns: a list for each model in the request's order: of a run, by round.
    """
    if len(medians_ns) == 1:
        return [math.log(median(medians_ns[0]))]
    logs = [[math.log(value) for value in blocks] for blocks in medians_ns]
    return [median([a - b for a, b in zip(logs[0], other)]) for other in logs[1:]]


def half_width(series: Sequence[Sequence[float]]) -> Optional[float]:
    """Half the width of the widest 95 % t interval of the means of some series.

    Args:
        series: of each interval what the placements said; None comes of fewer than two.
    """
    count = len(series[0])
    if count < 2:
        return None
    widest = 0.0
    for values in series:
        mean = math.fsum(values) / count
        variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
        widest = max(widest, t_quantile(count - 1) * math.sqrt(variance / count))
    return widest


def ended(
    placements: int, width: Optional[float], elapsed_ms: float, plan: Dict[str, Any]
) -> Optional[str]:
    """Why a session ends after a placement; None if it goes on.

    Args:
        placements: that are done.
        width: `half_width` of them.
        elapsed_ms: since the first load.
        plan: `half_width`, `least_placements`, `placements` and `max_ms` of it.
    """
    wanted = plan["half_width"]
    may_be_narrow = wanted > 0 and placements >= plan["least_placements"]
    if may_be_narrow and width is not None and width <= wanted:
        return "narrow"
    if placements >= plan["placements"]:
        return "placements"
    return "time" if elapsed_ms >= plan["max_ms"] else None
