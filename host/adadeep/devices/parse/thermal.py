"""Temperatures: `dumpsys thermalservice` and /sys/class/thermal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adadeep.devices.parse.sections import Reads, clean_lines

ZONE = "/sys/class/thermal/thermal_zone"
_TYPES = {0: "cpu", 1: "gpu", 2: "battery", 3: "skin", 4: "usb", 5: "power amplifier", 9: "npu"}
_ROW = re.compile(
    r"Temperature\{\s*mValue=(-?[0-9.]+|NaN), mType=(-?[0-9]+), mName=([^,}]*), mStatus=(-?[0-9]+)"
)
_LIMITS = re.compile(r"lmh|trip|-step|bcl|vbat|ibat|soc$", re.I)  # zones that are no thermometers


@dataclass(frozen=True, slots=True)
class Temperature:
    """One thermometer.

    Attributes:
        name: as the device says.
        kind: "cpu", "gpu", "battery", "skin", "usb", ...; None if the device does not say.
        celsius: None where the reading can't be one (not fitted, off, out of range).
    """

    name: str
    kind: str | None
    celsius: float | None


@dataclass(frozen=True, slots=True)
class ThermalService:
    """What the thermal service says now; its cached section is left out: it is stale.

    Attributes:
        status: 0 none, 1 light, 2 moderate, 3 severe, 4 critical, 5 emergency, 6 shutdown; None
            unless a HAL stands behind it.
        hal_ready: whether a HAL answers.
        overridden: a test hook holds the status; it means nothing.
        temperatures: of the HAL.
    """

    status: int | None = None
    hal_ready: bool = False
    overridden: bool = False
    temperatures: tuple[Temperature, ...] = ()


def _plausible(celsius: float) -> float | None:
    """None for 0, -40, -99.9 and -273 (not fitted, off) and what no phone survives."""
    if celsius == 0 or not -39.9 <= celsius <= 135:
        return None
    return round(celsius, 3)


def parse_thermalservice(text: str) -> ThermalService:
    """Status and the thermometers of the section "Current temperatures from HAL"."""
    current: list[Temperature] = []
    in_current = False
    for line in clean_lines(text):
        if line.rstrip().endswith(":") and "Temperature{" not in line:
            in_current = "current temperatures from hal" in line.lower()
        match = _ROW.search(line) if in_current else None
        if match and int(match[2]) in _TYPES and match[1] != "NaN":
            current.append(_row(match[1], int(match[2]), match[3]))
    status = re.search(r"Thermal Status:\s*([0-6])\b", text)
    ready = bool(re.search(r"HAL Ready:\s*true", text)) or bool(current)
    return ThermalService(
        status=int(status[1]) if status and ready else None,
        hal_ready=ready,
        overridden=bool(re.search(r"IsStatusOverride:\s*true", text)),
        temperatures=tuple(current),
    )


def _row(value: str, kind: int, name: str) -> Temperature:
    try:
        celsius = _plausible(float(value))
    except ValueError:  # "1.2.3"
        celsius = None
    return Temperature(name.strip(), _TYPES[kind], celsius)


def zone_celsius(text: str, name: str = "") -> float | None:
    """The reading of a zone in degrees; zones of one device may be in three units.

    Thousandths from 1000 up (and down), tenths where a number is too hot for degrees, else
    degrees. "Result:30 Raw:7f6f" is an ADC's way to say 30.

    Args:
        text: what the file holds.
        name: of the zone; limits that look like thermometers are left out.
    """
    match = re.match(r"\s*(?:Result:)?\s*(-?[0-9]{1,9})(\.[0-9]+)?(?=\s|$)", text)
    if not match or _LIMITS.search(name):
        return None
    value = float(match[1] + (match[2] or ""))
    if abs(value) >= 1000:
        value /= 1000
    elif value >= 150:
        value /= 10
    return _plausible(value)


def _kind(name: str) -> str | None:
    lowered = name.lower()
    for words, kind in (
        (("cpu", "soc", "tsens", "x86_pkg", "big", "little"), "cpu"),
        (("gpu",), "gpu"),
        (("batt",), "battery"),
        (("skin", "case_therm", "quiet"), "skin"),
    ):
        if any(word in lowered for word in words):
            return kind
    return None


def parse_zones(reads: Reads) -> tuple[Temperature, ...]:
    """The zones by number, each with its type and reading."""
    found: list[tuple[int, Temperature]] = []
    for path, text in reads.matching(re.escape(ZONE) + r"[0-9]{1,4}/temp"):
        number = path.removeprefix(ZONE).partition("/")[0]
        name = reads.values.get(f"{ZONE}{number}/type", f"thermal_zone{number}")
        found.append((int(number), Temperature(name, _kind(name), zone_celsius(text, name))))
    return tuple(zone for _, zone in sorted(found, key=lambda item: item[0]))
