"""MeasureSettings: how a model is to be measured."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from adadeep.core.reader import require_range


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How a model is to be measured (design, rule 2). Part of the target, and so of the cache key.

    Attributes:
        threads: of the runtime.
        core_mask: hexadecimal without 0x, bit N is core N; None leaves it to the scheduler.
        launches: how often the model is loaded anew; the timed runs are spread over them.
        warmup_min_runs: per launch, before the timed runs.
        warmup_min_ms: likewise.
        min_runs: timed runs in all, at least.
        max_runs: timed runs in all, at most.
        min_ms: time of the timed runs in all, at least.
        max_ms: time of the timed runs in all, at most; wins over the minima.
        ci_relative: enough when the 95 % confidence interval of the median is narrower than
            this fraction of the median.
        input_ranges: (name or None for all, low, high) of the values that inputs are fed.
        input_shapes: (name or None, shape) of inputs that leave sizes open.
        input_file: hash of the values that were given in a file; None if none were.
    """

    threads: int = 1
    core_mask: str | None = None
    launches: int = 2
    warmup_min_runs: int = 3
    warmup_min_ms: float = 20.0
    min_runs: int = 20
    max_runs: int = 2000
    min_ms: float = 60.0
    max_ms: float = 2000.0
    ci_relative: float = 0.02
    input_ranges: tuple[tuple[str | None, int | float, int | float], ...] = ()
    input_shapes: tuple[tuple[str | None, tuple[int, ...]], ...] = ()
    input_file: str | None = None

    def __post_init__(self) -> None:
        # 20 and 20.0 are the same setting and must give the same key, also after a trip by JSON.
        for name in ("warmup_min_ms", "min_ms", "max_ms", "ci_relative"):
            object.__setattr__(self, name, float(getattr(self, name)))
            require_range(name, 0, 1e9, getattr(self, name))

    @property
    def key(self) -> str:
        """8 hex digits that name these settings."""
        # What is not asked of the inputs is left out: the first keys were made without it.
        values = {n: v for n, v in asdict(self).items() if v or not n.startswith("input_")}
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]
