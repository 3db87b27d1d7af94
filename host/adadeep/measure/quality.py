"""What disturbed a measurement, by cause: told with the numbers, never guessed from them alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from adadeep.core.measurement import Block, Conditions, Measurement, Placement
from adadeep.core.session import MeasuredTogether

MAX_CLOCK_DROP = 0.10  # of a core, from the first to the last blocks on it
MAX_WAIT = 0.05  # of the timed runs' time, spent waiting for a processor
MAX_SLOWDOWN = 0.25  # more than the flicker of a busy computer
_LEAST_TIMINGS = 16  # of a placement, to be compared one by one
THROTTLING = 2  # from this thermal status on; 1 is "light: nobody notices"
_STATUSES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
_PARTS = 4  # first and last quarter are compared


def clock_drop(blocks: Sequence[Block]) -> float | None:
    """How far the clock of the core fell that fell furthest, as a fraction; None if unreadable.

    Cores are judged by themselves, for a model may move from a quick one to a slow one. The clock
    is read after a block, so it is one under load.
    """
    drops = []
    for core in {block.core for block in blocks}:
        clocks = [float(block.khz) for block in blocks if block.core == core and block.khz]
        if len(clocks) > 1:
            drops.append(max(0.0, 1 - _change(clocks)))
    return max(drops, default=None)


def waited_share(blocks: Sequence[Block]) -> float | None:
    """How long timed runs waited for a processor, of their time; None if the kernel hides it."""
    known = [block for block in blocks if block.delay_ns is not None]
    total = sum(sum(block.times_ns) for block in known)
    return sum(block.delay_ns or 0 for block in known) / total if total else None


def slowdown(measured: Measurement) -> float:
    """How much slower the model became while it stayed loaded, or over the session: 0.3 is 30 %.

    0 where there are too few placements to tell that from what other programs do.
    """
    series = [_while_loaded(placement) for placement in measured.placements]
    loaded = [_change(values) for values in series if values]
    whole = [placement.median_ms for placement in measured.placements]
    changes = [0.0]
    if len(loaded) > 2:
        changes.append(statistics.median(loaded) - 1)
    if len(whole) >= 2 * _PARTS:
        changes.append(_change(whole) - 1)
    return max(changes)


def _while_loaded(placement: Placement) -> list[float]:
    """What its runs took, in order, by block or (where blocks are few) by timing; or nothing."""
    if len(placement.blocks) >= _PARTS:
        return [block.median_ms for block in placement.blocks]
    timings = [ms for block in placement.blocks for ms in block.runs_ms]
    return timings if len(timings) >= _LEAST_TIMINGS else []


def _change(values: Sequence[float]) -> float:
    """The median of the last quarter over that of the first."""
    size = max(1, len(values) // _PARTS)
    return statistics.median(values[-size:]) / statistics.median(values[:size])


def causes(measured: Measurement) -> tuple[str, ...]:
    """What disturbed it; empty if nothing that can be read speaks against it."""
    return tuple(_causes(measured))


def _causes(measured: Measurement) -> Iterator[str]:
    blocks = measured.blocks
    drop, waited = clock_drop(blocks), waited_share(blocks)
    if drop is not None and drop > MAX_CLOCK_DROP:
        yield f"the clock dropped {drop:.0%}"
    if heat := heat_limit(measured):
        yield heat
    if waited is not None and waited > MAX_WAIT:
        # The kernel counts what dropped runs waited, too.
        yield f"waited {min(waited, 1.0):.0%} of the time for a processor"
    if (slower := slowdown(measured)) > MAX_SLOWDOWN:
        yield f"became {slower:.0%} slower while it was measured"
    yield from _of_state(measured.before, measured.after)


def _of_state(before: Conditions, after: Conditions) -> Iterator[str]:
    """What an Android says by itself."""
    hottest = max(state.thermal_status or 0 for state in (before, after))
    if hottest >= THROTTLING:
        yield f"the device throttled: its thermal status was {_STATUSES[hottest]}"
    if before.screen and after.screen and before.screen != after.screen:
        yield f"the screen was {before.screen}, then {after.screen}"
    if {before.doze, after.doze} & {"light", "deep"}:
        yield "the device dozed"
    if before.battery_saver or after.battery_saver:
        yield "battery saver was on"


def with_causes(session: MeasuredTogether) -> MeasuredTogether:
    """The session with what disturbed each of its models."""
    return _marked(session, causes)


def disturbed_by(session: MeasuredTogether, reasons: Sequence[str]) -> MeasuredTogether:
    """The session with what disturbed all its models."""
    return _marked(session, lambda _: reasons)


def _marked(
    session: MeasuredTogether, reasons: Callable[[Measurement], Sequence[str]]
) -> MeasuredTogether:
    told = [tuple(dict.fromkeys((*m.disturbed, *reasons(m)))) for m in session.measurements]
    if all(new == m.disturbed for new, m in zip(told, session.measurements, strict=True)):
        return session
    marked = (replace(m, disturbed=n) for m, n in zip(session.measurements, told, strict=True))
    return replace(session, measurements=tuple(marked))


def heat_limit(measured: Measurement) -> str | None:
    """How the kernel slowed the processor for its heat meanwhile; None if it tells of nothing."""
    before, after = measured.before, measured.after
    if before.throttled is not None and after.throttled is not None:
        times = after.throttled - before.throttled
        if times > 0:
            plural = "s" if times > 1 else ""
            return f"the processor was too hot and slowed down {times:,} time{plural}"
    states = {name: max(n, before.cooling.get(name, 0)) for name, n in after.cooling.items()}
    name = max(states, key=states.__getitem__, default="")
    return f"slowed down for its heat ({name} {states[name]})" if states.get(name) else None


def throttled(session: MeasuredTogether) -> bool:
    """Whether the device lowered its clock while the session went, or the kernel says so."""
    drops = (clock_drop(one.blocks) for one in session.measurements)
    lowered = max((drop for drop in drops if drop is not None), default=0.0) > MAX_CLOCK_DROP
    return lowered or any(heat_limit(one) for one in session.measurements)


def hottest_c(state: Conditions) -> float | None:
    """The hottest sensor; None where none can be read."""
    return max(state.temperatures_c.values(), default=None)


def quickest_khz(state: Conditions) -> int | None:
    """The clock of the core that is quickest now; None where none can be read."""
    return max((khz for khz in state.cpu_khz if khz), default=None)
