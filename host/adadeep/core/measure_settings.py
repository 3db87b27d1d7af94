"""MeasureSettings: how a model runs while it is measured. Part of the target."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How a model runs while it is measured: part of the target, and so of the cache key.

    How long it is measured, and beside what, is no part of it: see `MeasuringPlan`.

    Attributes:
        threads: of the runtime.
        core_mask: hexadecimal without 0x, bit N is core N; None leaves it to the scheduler.
        input_ranges: (name or None for all, low, high) of the values that inputs are fed.
        input_shapes: (name or None, shape) of inputs that leave sizes open.
        input_file: hash of the values that were given in a file; None if none were.
    """

    threads: int = 1
    core_mask: str | None = None
    input_ranges: tuple[tuple[str | None, int | float, int | float], ...] = ()
    input_shapes: tuple[tuple[str | None, tuple[int, ...]], ...] = ()
    input_file: str | None = None

    @property
    def key(self) -> str:
        """8 hex digits that name these settings."""
        values = {n: v for n, v in asdict(self).items() if v or not n.startswith("input_")}
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]
