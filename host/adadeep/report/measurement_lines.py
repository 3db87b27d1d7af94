"""Measurements as lines for people: what was measured, how, how sure it is, what disturbed it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adadeep.core.display import one_line
from adadeep.core.estimates import LatencyEstimate, PercentileEstimate, RatioEstimate
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Conditions, FedInput, Measurement
from adadeep.core.session import MeasuredTogether
from adadeep.core.units import format_bytes, format_ms

if TYPE_CHECKING:
    from adadeep.core.noise import NoiseModel

PERCENTILES = (0.95, 0.99)


def measurement_rows(
    measured: Measurement, noise: NoiseModel, session: MeasuredTogether | None = None
) -> list[tuple[str, str]]:
    """(what, value) pairs of everything that is known of a measurement.

    Args:
        measured: of the model.
        noise: of the device; tells how sure the latency is.
        session: that it is of, which says why it ended; references in it tell the device's drift.
    """
    return [
        *_latency_rows(measured, noise, session),
        ("timed runs", runs_text(measured)),
        *([("ended", str(session.ended))] if session else []),
        ("first inference", format_ms(measured.first_ms)),
        *_cache_rows(measured),
        ("load", format_ms(measured.load_ms)),
        ("memory", _memory(measured)),
        ("size of the file", format_bytes(measured.model_bytes)),
        *((f"input {one_line(fed.name, 40)}", _input(fed)) for fed in measured.inputs),
        ("nodes run by", ", ".join(f"{d.name}: {d.nodes}" for d in measured.delegates) or "-"),
        (
            "runtime",
            f"{measured.agent.runtime} {measured.agent.runtime_version}, "
            f"{_how(measured.settings)}",
        ),
        *([("ran on", ran)] if (ran := measured.before.scheduling) else []),
        ("conditions before", conditions_text(measured.before)),
        ("conditions after", conditions_text(measured.after)),
        *([("disturbed", "; ".join(measured.disturbed))] if measured.disturbed else []),
    ]


def _latency_rows(
    measured: Measurement, noise: NoiseModel, session: MeasuredTogether | None
) -> Iterator[tuple[str, str]]:
    found = noise.latency([measured], session)
    yield "latency, median", f"{format_ms(found.median_ms)}  (measured)"
    yield "95 % interval on this device", _centre(found)
    yield "another session, 95 %", _range(found.next_low_ms, found.next_high_ms)
    yield "this session alone, 95 %", _range(found.session_low_ms, found.session_high_ms)
    for fraction in PERCENTILES:
        yield f"p{100 * fraction:.0f}", _percentile(noise.percentile(measured, fraction))


def _centre(found: LatencyEstimate) -> str:
    basis = f"; {found.basis}" if found.basis else ""
    return f"{_range(found.low_ms, found.high_ms)}  (give or take {_share(found.relative)}{basis})"


def _percentile(found: PercentileEstimate) -> str:
    return f"{format_ms(found.value_ms)}  (95 %: {_range(found.low_ms, found.high_ms)})"


def _range(low_ms: float, high_ms: float) -> str:
    return f"{format_ms(low_ms)} to {format_ms(high_ms)}"


def _share(fraction: float) -> str:
    """0.113 -> "11 %", 0.0034 -> "0.34 %"."""
    return f"{100 * fraction:.2g} %"


def runs_text(measured: Measurement) -> str:
    """ "4,000 in 40 blocks, 10 placements, 1 launch"; groups are told where there are some."""
    launches = len({placement.launch for placement in measured.placements})
    parts = (
        _count(len(measured.blocks), "block"),
        _count(len(measured.placements), "placement"),
        _count(launches, "launch", "launches"),
    )
    groups = {block.group for block in measured.blocks}
    grouped = f", timed {max(groups)} at a time" if max(groups) > 1 else ""
    return f"{measured.runs:,} in {', '.join(parts)}{grouped}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _cache_rows(measured: Measurement) -> Iterator[tuple[str, str]]:
    """What a run takes whose weights and code are not at hand."""
    warm = measured.latency_ms
    if measured.cold_ms is not None:
        cold = f"{format_ms(measured.cold_ms)}, {measured.cold_ms / warm:.2f} times a warm one"
        yield "run with cold caches", cold
    times = switch_cost(measured)
    if times is not None:
        yield "first run after another network", f"{times:.2f} times a warm one"


def switch_cost(measured: Measurement) -> float | None:
    """How many times longer the first run takes after another network ran; None if not known."""
    pairs = [(block.dropped_ns, block.median_ms) for block in measured.blocks]
    ratios = [dropped / 1e6 / median for dropped, median in pairs if dropped]
    return statistics.median(ratios) if ratios else None


def comparison_rows(
    session: MeasuredTogether, names: Sequence[str], noise: NoiseModel
) -> list[tuple[str, str, str, str]]:
    """Of each model: name, latency, times the first one's with its interval, and what that means.

    Args:
        session: in which they were measured in turn.
        names: of its models, in their order.
        noise: of the device.
    """
    first, *others = session.measurements
    rows = [(names[0], format_ms(first.latency_ms), "1", "what the others are compared with")]
    for number, (name, other) in enumerate(zip(names[1:], others, strict=True), 1):
        found = noise.ratio(session, number, 0)
        rows.append((name, format_ms(other.latency_ms), ratio_text(found), verdict(found)))
    return rows


def ratio_text(found: RatioEstimate) -> str:
    """ "0.823 (0.811 to 0.836)": how many times as long, with the 95 % interval."""
    return f"{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f})"


def verdict(found: RatioEstimate) -> str:
    """ "18 % faster", "5.1 % slower"; "as good as" where the interval can't tell them apart."""
    if not found.is_different:
        return "as good as"
    if found.ratio < 1:
        return f"{_share(1 - found.ratio)} faster"
    return f"{_share(found.ratio - 1)} slower" if found.ratio < 2 else f"{found.ratio:.3g} times"


def conditions_text(state: Conditions) -> str:
    """One line: clocks, governor, hottest sensor, load, battery; what is unreadable says so.

    Of what Androids alone tell only what they told.
    """
    clocks = [khz for khz in state.cpu_khz if khz]
    governors = sorted({governor for governor in state.governors if governor})
    parts = [
        f"{min(clocks) / 1e3:.0f}-{max(clocks) / 1e3:.0f} MHz" if clocks else "clocks unreadable",
        "/".join(governors) or "governor unreadable",
    ]
    if state.temperatures_c:
        zone, value = max(state.temperatures_c.items(), key=lambda item: item[1])
        parts.append(f"{value:.0f} °C ({zone})")
    else:
        parts.append("temperature unreadable")
    hottest = max(state.cooling, key=state.cooling.__getitem__, default="")
    if state.cooling.get(hottest):
        parts.append(f"slowed for heat ({hottest} {state.cooling[hottest]})")
    if state.load_1min is not None:
        parts.append(f"load {state.load_1min:.2f}")
    if state.battery_percent is not None:
        parts.append(f"battery {state.battery_percent:.0f} % {state.battery_status or ''}".strip())
    return ", ".join([*parts, *_of_android(state)])


def _of_android(state: Conditions) -> Iterator[str]:
    if state.plugged is not None:
        yield "on battery" if state.plugged == "nothing" else f"power from {state.plugged}"
    if state.screen is not None:
        yield f"screen {state.screen}"
    if state.doze not in (None, "none"):
        yield f"{state.doze} doze"
    if state.battery_saver:
        yield "battery saver"
    if state.thermal_status:
        yield f"thermal status {state.thermal_status}"


def _input(fed: FedInput) -> str:
    shape = "x".join(map(str, fed.shape)) or "one number"
    text = f"{fed.dtype} {shape}, {one_line(fed.fed, 60)}"
    if fed.signature[:1] == (-1,) and fed.shape[0] == 1:
        return f"{text}; the model leaves the batch open: 1 was measured"
    return text


def _how(settings: MeasureSettings) -> str:
    threads = f"{settings.threads} thread{'s' if settings.threads > 1 else ''}"
    return f"{threads}, cores {settings.core_mask}" if settings.core_mask else threads


def _memory(measurement: Measurement) -> str:
    memory = measurement.memory
    if memory.peak_rss_bytes is None:
        return "unreadable"
    note = "" if memory.peak_was_reset else " (the peak may be an older one)"
    growth = format_bytes(memory.rss_growth_bytes)
    return f"{growth} more than before, peak {format_bytes(memory.peak_rss_bytes)}{note}"
