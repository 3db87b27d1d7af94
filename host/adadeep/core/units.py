"""Text such as "4ms", "500kB", "1%", "2mJ" to numbers in the one unit used inside, and back."""

from __future__ import annotations

import math
import re

from adadeep.core.errors import ConfigError

_DURATION_S = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0}
_TIME_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
_BYTES = {
    "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1024.0, "mib": 1024.0**2, "gib": 1024.0**3,
}  # fmt: skip
_ENERGY_MJ = {"nj": 1e-6, "uj": 1e-3, "µj": 1e-3, "mj": 1.0, "j": 1e3}


def _parse(text: str, units: dict[str, float], what: str, example: str) -> float:
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-zµ%]*)\s*", text)
    unit = match[2].lower() if match else ""
    if not match or unit not in units:
        raise ConfigError(f"{text!r} is no {what}; write for example {example}.")
    value = float(match[1]) * units[unit]
    if not math.isfinite(value):
        raise ConfigError(f"{text!r} is too large for a {what}; write for example {example}.")
    return value


def parse_latency_ms(text: str) -> float:
    """ "4ms", "250us", "0.1s" -> milliseconds."""
    return _parse(text, _TIME_MS, "latency", "4ms or 250us")


def parse_duration_s(text: str) -> float:
    """ "20min", "90s", "1.5h" -> seconds."""
    return _parse(text, _DURATION_S, "duration", "20min, 90s or 2h")


def parse_storage_bytes(text: str) -> float:
    """ "500kB" (1000 bytes each), "2MiB" (1024 x 1024) -> bytes."""
    return _parse(text, _BYTES, "size", "500kB or 2MB")


def parse_energy_mj(text: str) -> float:
    """ "2mJ", "300uJ" -> millijoules."""
    return _parse(text, _ENERGY_MJ, "energy", "2mJ or 300uJ")


def parse_fraction(text: str) -> float:
    """ "1%" or "0.01" -> 0.01.

    Raises:
        ConfigError: not a number, or outside 0..1.
    """
    value = _parse(text, {"": 1.0, "%": 0.01}, "fraction", "1% or 0.01")
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"{text!r} is outside 0 to 100 %; write for example 1% or 0.01.")
    return value


def format_bytes(value: float | None) -> str:
    """1234567 -> "1.23 MB"; None -> "-"."""
    if value is None:
        return "-"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def format_duration(seconds: float) -> str:
    """For people, about: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.2g} h"


def format_ms(value: float | None) -> str:
    """0.1234 -> "0.123 ms"; None -> "-"."""
    return "-" if value is None else f"{value:.3g} ms" if value < 100 else f"{value:.0f} ms"


def format_mj(value: float | None) -> str:
    """0.1234 -> "0.123 mJ"; None -> "-"."""
    return "-" if value is None else f"{value:.3g} mJ"


def format_count(value: float | None) -> str:
    """28324864 -> "28.3 M"; None -> "-"."""
    if value is None:
        return "-"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}"


def format_percent(fraction: float | None) -> str:
    """0.983 -> "98.3 %"; None -> "-"."""
    return "-" if fraction is None else f"{100 * fraction:.1f} %"
