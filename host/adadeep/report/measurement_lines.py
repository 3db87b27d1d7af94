"""A measurement as lines for people: what was measured, how, and under which conditions."""

from __future__ import annotations

from adadeep.core.display import one_line
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Conditions, FedInput, Measurement
from adadeep.core.units import format_bytes, format_ms


def measurement_rows(measurement: Measurement) -> list[tuple[str, str]]:
    """(what, value) pairs of everything that `adadeep measure` shows."""
    summary = measurement.latency
    launches = len(measurement.launches)
    rows = [
        ("latency, median", f"{format_ms(summary.median)}  (measured)"),
        (
            "95 % interval of the median",
            f"{format_ms(summary.ci_low)} to {format_ms(summary.ci_high)}"
            f"  ({100 * summary.ci_relative:.1f} % wide)",
        ),
        ("5th, 95th percentile", f"{format_ms(summary.p5)}, {format_ms(summary.p95)}"),
        ("timed runs", f"{summary.count} in {launches} launches, after {_warm_up(measurement)}"),
        ("first inference", format_ms(measurement.first_ms)),
        ("load", format_ms(measurement.load_ms)),
        ("memory", _memory(measurement)),
        ("size of the file", format_bytes(measurement.model_bytes)),
        *((f"input {one_line(fed.name, 40)}", _input(fed)) for fed in measurement.inputs),
        ("nodes run by", ", ".join(f"{d.name}: {d.nodes}" for d in measurement.delegates) or "-"),
        ("anchor model", _anchor(measurement)),
        (
            "runtime",
            f"{measurement.agent.runtime} {measurement.agent.runtime_version}, "
            f"{_how(measurement.settings)}",
        ),
        ("conditions before", conditions_text(measurement.before)),
        ("conditions after", conditions_text(measurement.after)),
    ]
    if measurement.disturbed:
        text = f"{'; '.join(measurement.disturbed)} (kept after {measurement.attempts} attempts)"
        rows.append(("suspect", text))
    return rows


def conditions_text(state: Conditions) -> str:
    """One line: clocks, governor, hottest sensor, load, battery; what is unreadable says so."""
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
    if state.load_1min is not None:
        parts.append(f"load {state.load_1min:.2f}")
    if state.battery_percent is not None:
        parts.append(f"battery {state.battery_percent:.0f} % {state.battery_status or ''}".strip())
    return ", ".join(parts)


def _input(fed: FedInput) -> str:
    shape = "x".join(map(str, fed.shape)) or "one number"
    text = f"{fed.dtype} {shape}, {one_line(fed.fed, 60)}"
    if fed.signature[:1] == (-1,) and fed.shape[0] == 1:
        return f"{text}; the model leaves the batch open: 1 was measured"
    return text


def _warm_up(measurement: Measurement) -> str:
    return f"{sum(len(launch.warmup_ns) for launch in measurement.launches)} warm-up runs"


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


def _anchor(measurement: Measurement) -> str:
    if measurement.anchor_ratio is None:
        return "not measured"
    drift = measurement.anchor_drift
    shown = "" if drift is None else f", which drifted {100 * drift:+.1f} % meanwhile"
    return f"{measurement.anchor_ratio:.2f} times its latency{shown}"
