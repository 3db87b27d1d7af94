"""What is asked of sessions beside their times: which model, when, in which state."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence

import numpy as np

from adadeep.core.measurement import Measurement
from adadeep.core.session import MeasuredTogether

OCCASION_S = 600.0  # another state of what else runs there is to be expected after that
AT_ONCE_S = 30.0  # sessions that follow one another sooner are one: their noise is the same


def member(session: MeasuredTogether, model: int | str) -> Measurement:
    """A model of a session, by its number or its hash.

    Raises:
        ValueError: it was not in it.
    """
    found = session.of(model) if isinstance(model, str) else None
    if isinstance(model, int) and 0 <= model < len(session.measurements):
        found = session.measurements[model]
    if found is None:
        raise ValueError(f"the session has no model {model}")
    return found


def spanned_s(measurement: Measurement) -> float:
    """How long it was measured, the turns of others included and the loading left out."""
    blocks = measurement.blocks
    steps = [b.start_ns - a.start_ns for a, b in itertools.pairwise(blocks)]
    step_ns = statistics.median([one for one in steps if one > 0] or [sum(blocks[0].times_ns)])
    return step_ns * len(blocks) / 1e9


def mean_rounds(measurement: Measurement) -> float:
    """Of its placements."""
    return float(np.mean([len(placement.blocks) for placement in measurement.placements]))


def at_times(measurements: Sequence[Measurement]) -> list[float]:
    """Log medians; of sessions that followed one another at once the mean: their noise is one."""
    groups: list[list[float]] = []
    last = -math.inf
    for one in sorted(measurements, key=lambda m: m.before.timestamp):
        if one.before.timestamp - last >= AT_ONCE_S:
            groups.append([])
            last = one.before.timestamp
        groups[-1].append(math.log(one.latency_ms))
    return [float(np.mean(group)) for group in groups]


def occasions(times_s: Iterable[float]) -> int:
    """How many times a device was met, sessions within ten minutes being one."""
    count, last = 0, -math.inf
    for time_s in sorted(times_s):
        if time_s - last >= OCCASION_S:
            count, last = count + 1, time_s
    return count


def state_of(measurement: Measurement) -> str:
    """What noise depends on beside the model: the device, how it runs there, and its state."""
    before, settings = measurement.before, measurement.settings
    governors = "+".join(sorted({one for one in before.governors if one})) or "?"
    power = "battery" if before.battery_status == "Discharging" else "mains"
    agent = measurement.agent
    parts = (measurement.device_fingerprint, agent.runtime, f"threads {settings.threads}",
             f"cores {settings.core_mask or 'any'}", governors, power)  # fmt: skip
    return " ".join(parts)[:300]
