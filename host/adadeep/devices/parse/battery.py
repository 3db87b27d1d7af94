"""The battery: `dumpsys battery`, `dumpsys batterystats`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from adadeep.devices.parse.sections import clean_lines, integer

STATUSES = {1: "unknown", 2: "charging", 3: "discharging", 4: "not charging", 5: "full"}
_KEYS = (
    "AC powered", "USB powered", "Wireless powered", "Dock powered", "Max charging current",
    "Max charging voltage", "Charge counter", "status", "health", "present", "level", "scale",
    "voltage", "temperature", "technology",
)  # fmt: skip
_SOURCES = {"AC": "ac", "USB": "usb", "Wireless": "wireless", "Dock": "dock"}
_FAKED = "UPDATES STOPPED"
_GLUED = re.compile("(?<!charging )(?=(?:" + "|".join(_KEYS) + "): )")
_LINE = re.compile(r"\s{0,8}([A-Za-z][A-Za-z ]*):(.*)")
_NOTE = re.compile(r"//|#")


@dataclass(frozen=True, slots=True)
class BatteryReading:
    """What one source says of the battery, checked; None is unknown.

    Attributes:
        present: whether there is one.
        level_percent: 0..100.
        status: one of `STATUSES`.
        voltage_mv: None where it can't be one.
        temperature_c: None where it can't be one.
        capacity_mah: design capacity.
        current_raw: unit and sign as the vendor likes.
        current_source: what said so.
        charge_counter_raw: should be microampere-hours.
        doubts: why readings are not to be believed, each with the evidence.
        plugged: where power comes from: "ac", "usb", "wireless", "dock", "nothing".
    """

    present: bool | None = None
    level_percent: float | None = None
    status: str | None = None
    voltage_mv: float | None = None
    temperature_c: float | None = None
    capacity_mah: float | None = None
    current_raw: int | None = None
    current_source: str = ""
    charge_counter_raw: int | None = None
    doubts: tuple[str, ...] = ()
    plugged: str | None = None

    @property
    def is_faked(self) -> bool:
        """Whether a test command holds the state."""
        return any(doubt.startswith(_FAKED) for doubt in self.doubts)


def plausible_voltage_mv(raw: int | None) -> float | None:
    """Millivolts of a pack; microvolts are told by their size. None outside 2.2 V to 30 V."""
    if raw is None:
        return None
    voltage_mv = raw / 1000 if abs(raw) >= 1_000_000 else float(raw)
    return voltage_mv if 2200 <= voltage_mv <= 30_000 else None


def plausible_temperature_c(raw: int | None) -> float | None:
    """Degrees out of tenths; None outside -30 to 100, and for an exact 0 (no sensor)."""
    celsius = None if raw is None else raw / 10
    return celsius if celsius and -30 <= celsius <= 100 else None


def counter_doubt(raw: int, level_percent: float | None) -> str | None:
    """Why a charge counter can't be microampere-hours; None if it can.

    By the level it implies a full capacity, which must lie between a watch's and a tablet's.
    """
    if raw <= 0:
        return f"{raw} is no charge"
    full_mah = raw / 10 / level_percent if level_percent else raw / 1000
    lowest = 80.0 if level_percent and level_percent >= 3 else 2.0
    if lowest <= full_mah <= 60_000:
        return None
    guess = " (looks like mAh)" if full_mah < lowest and 50 <= raw <= 60_000 else ""
    return f"{raw} uAh would make a battery of {full_mah:.3g} mAh{guess}"


def _fields(text: str) -> dict[str, str]:
    """First value of each key; keys that were glued to one line are parted."""
    found: dict[str, str] = {}
    for line in clean_lines(text):
        glued = line.count(": ") > 3 and "level: " in line
        for piece in _GLUED.split(line) if glued else [line]:
            match = _LINE.match(piece)
            if match:
                found.setdefault(match[1].strip(), _NOTE.split(match[2], maxsplit=1)[0].strip())
    return found


def _level(fields: dict[str, str]) -> float | None:
    level, scale = integer(fields.get("level")), integer(fields.get("scale")) or 100
    if level is None or scale <= 0 or not 0 <= level <= scale:
        return None
    return 100 * level / scale


def _plugged(fields: dict[str, str]) -> str | None:
    """The first source that gives power; None if none of them is told."""
    told = {name: fields.get(f"{source} powered") for source, name in _SOURCES.items()}
    if not any(told.values()):
        return None
    return next((name for name, powered in told.items() if powered == "true"), "nothing")


def _doubts(text: str, fields: dict[str, str], reading: BatteryReading) -> tuple[str, ...]:
    found = []
    if _FAKED in text:
        found.append(f"{_FAKED}: the state is held by a test command")
    raw_voltage = integer(fields.get("voltage"))
    if raw_voltage is not None and reading.voltage_mv is None:
        found.append(f"voltage: {raw_voltage}")
    raw_level = integer(fields.get("level"))
    if raw_level is not None and reading.level_percent is None:
        found.append(f"level: {raw_level}")
    return tuple(found)


def parse_dumpsys_battery(text: str) -> BatteryReading | None:
    """The reading; None if the text is no answer of the battery service."""
    fields = _fields(text)
    if not {"level", "status", "voltage"} & set(fields):
        return None
    voltage_mv = plausible_voltage_mv(integer(fields.get("voltage")))
    faked = "voltage" in fields and voltage_mv is None  # then the temperature is made up as well
    tenths_c = None if faked else integer(fields.get("temperature"))
    reading = BatteryReading(
        present={"true": True, "false": False}.get(fields.get("present", "").lower()),
        level_percent=_level(fields),
        status=STATUSES.get(integer(fields.get("status")) or 0),
        voltage_mv=voltage_mv,
        temperature_c=plausible_temperature_c(tenths_c),
        current_raw=integer(fields.get("current now")),
        current_source="dumpsys battery: current now:",
        charge_counter_raw=integer(fields.get("Charge counter")),
        plugged=_plugged(fields),
    )
    return replace(reading, doubts=_doubts(text, fields, reading))


def parse_batterystats_capacity_mah(text: str) -> float | None:
    """The capacity that the power profile states: "Capacity: 3050, Computed drain: ..."."""
    for pattern in (r"\bCapacity:\s*([0-9.]+)", r"Estimated battery capacity:\s*([0-9.]+)"):
        match = re.search(pattern, text)
        try:
            capacity_mah = float(match[1]) if match else 0.0
        except ValueError:
            continue
        if 80 <= capacity_mah <= 60_000:  # 10 mAh and 1000 mAh exactly stand in unfilled profiles
            return capacity_mah
    return None
