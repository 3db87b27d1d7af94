"""MeasuringPlan: how long models are measured together, and in what turns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from adadeep.core.reader import require_range

_MOST_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class MeasuringPlan:
    """How a session of one or several models goes: placements, rounds, blocks.

    A placement loads every model anew, in a random order. In it rounds follow one another; in a
    round each model has a block, in a random order; in a block it runs again and again.
    `device_agent/protocol/PROTOCOL.md` says it exactly.

    Attributes:
        seed: of the orders.
        placements: how many, at most.
        least_placements: at least, whatever the stop rule says; the longest time wins.
        placement_ms: timed runs of all models together in a placement, at least.
        block_ms: timed runs of a block, at least.
        drop_runs: first runs of a block that don't count, at least: the caches are another's.
        drop_ms: their time, at least.
        warmup_ms: every model runs so long before the first placement of a process.
        group: runs are timed in groups that are so many times longer than the clock's resolution
            and cost.
        block_timings: at most so many timings a block; shorter runs are timed in larger groups.
        cold_runs: of each model in a placement, each after a buffer was read that drives all else
            out of the caches; 0: none.
        cold_bytes: the size of that buffer.
        half_width: enough when the 95 % t interval of the placements' mean log ratios (of one
            model: of their log medians) is no wider to either side; 0: never.
        max_ms: the longest time of it all.
    """

    seed: int = 0
    placements: int = 20
    least_placements: int = 4
    placement_ms: float = 80.0
    block_ms: float = 15.0
    drop_runs: int = 1
    drop_ms: float = 1.0
    warmup_ms: float = 20.0
    group: int = 100
    block_timings: int = 100
    cold_runs: int = 0
    cold_bytes: int = 0
    half_width: float = 0.0
    max_ms: float = 1000.0

    def __post_init__(self) -> None:
        # 20 and 20.0 are the same plan and must give the same job, also after a trip by JSON.
        for name in ("placement_ms", "block_ms", "drop_ms", "warmup_ms", "half_width", "max_ms"):
            object.__setattr__(self, name, float(getattr(self, name)))
        require_range("seed", 0, 2**53, self.seed)
        require_range("placements", 1, 1000, self.placements, self.least_placements)
        require_range("a time in ms", 0, _MOST_MS, self.placement_ms, self.drop_ms, self.warmup_ms)
        require_range("a time in ms", 1e-3, _MOST_MS, self.block_ms, self.max_ms)
        require_range("drop_runs", 0, 1000, self.drop_runs)
        require_range("cold_runs", 0, 100, self.cold_runs)
        require_range("group", 1, 100_000, self.group)
        require_range("block_timings", 1, 10_000, self.block_timings)
        require_range("cold_bytes", 0, 64 << 20, self.cold_bytes)
        require_range("half_width", 0, 1, self.half_width)

    @property
    def message(self) -> dict[str, Any]:
        """As a request has it."""
        return asdict(self)
