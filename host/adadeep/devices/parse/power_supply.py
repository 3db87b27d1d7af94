"""/sys/class/power_supply: batteries by their type, not by their name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from adadeep.devices.parse.battery import (
    BatteryReading,
    plausible_temperature_c,
    plausible_voltage_mv,
)
from adadeep.devices.parse.sections import Reads, clean_lines, integer

V = TypeVar("V")

SUPPLY = "/sys/class/power_supply"
_PAIR = re.compile(r"\b(?:POWER_SUPPLY_)?([A-Z][A-Z0-9_]*)=([^,\n}]*)")
_PERIPHERAL = re.compile(r"hid|wacom|mouse|keyboard|pen|headset|wls|wireless", re.I)
_ERRNO = {-5, -11, -19, -22, -61, -95, -110}  # drivers that print the error instead of a value


def parse_uevent(text: str) -> dict[str, str]:
    """KEY -> value, without the prefix; the first of a key wins; notes behind // are dropped."""
    found: dict[str, str] = {}
    for line in clean_lines(text):
        for match in _PAIR.finditer(line):
            found.setdefault(match[1], match[2].split("//")[0].strip())
    return found


def supplies_of(reads: Reads) -> dict[str, dict[str, str]]:
    """Supply -> KEY -> value, out of lines ``/sys/class/power_supply/NAME/uevent:KEY=value``.

    Single files (``.../NAME/current_now:5``) count as keys too.
    """
    found: dict[str, dict[str, str]] = {}
    for path, value in reads.matching(re.escape(SUPPLY) + r"/[^/]+/[^/]+"):
        name, _, file = path.removeprefix(SUPPLY + "/").partition("/")
        supply = found.setdefault(name, {})
        if file == "uevent":
            supply.update(parse_uevent(value.replace("|", "\n")))
        else:
            supply.setdefault(file.upper(), value)
    return found


def _is_battery(name: str, supply: Mapping[str, str]) -> bool:
    kind = supply.get("TYPE", "").lower()
    if supply.get("SCOPE", "").lower() == "device" or _PERIPHERAL.search(name):
        return False
    return kind == "battery" or (kind in ("", "bms") and "CAPACITY" in supply)


def batteries_of(supplies: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Mapping[str, str]]]:
    """Supplies that are batteries of the device, the most talkative of type Battery first."""
    found = [(name, keys) for name, keys in supplies.items() if _is_battery(name, keys)]
    return sorted(found, key=lambda s: (s[1].get("TYPE", "").lower() != "battery", -len(s[1])))


def number_of(supply: Mapping[str, str], *keys: str) -> int | None:
    """The first of the keys that holds a number, and no error's."""
    for key in keys:
        value = integer(supply.get(key))
        if value is not None and value not in _ERRNO:
            return value
    return None


def _capacity_mah(supply: Mapping[str, str]) -> float | None:
    """Design capacity: microampere-hours, or by its size milliampere-hours, or from energy."""
    charge = number_of(supply, "CHARGE_FULL_DESIGN")
    if charge and 80_000 <= charge <= 60_000_000:
        return charge / 1000
    if charge and 80 <= charge <= 60_000:
        return float(charge)
    energy = number_of(supply, "ENERGY_FULL_DESIGN")
    voltage = number_of(supply, "VOLTAGE_MIN_DESIGN", "VOLTAGE_NOW")
    if not energy or not voltage or voltage < 1_000_000:
        return None
    capacity_mah = round(1000 * energy / voltage, 1)
    return capacity_mah if 10 <= capacity_mah <= 1_000_000 else None


def reading_of(supply: Mapping[str, str], name: str = "") -> BatteryReading:
    """One supply as a reading; sysfs counts in microvolts, tenths of a degree, uA, uAh."""
    current = number_of(supply, "CURRENT_NOW")
    averaged = current is None
    status = supply.get("STATUS", "").lower()
    level = number_of(supply, "CAPACITY")
    voltage = number_of(supply, "VOLTAGE_NOW", "BATT_VOL")
    voltage_mv = plausible_voltage_mv(voltage)
    known = {"charging", "discharging", "full", "not charging", "unknown"}
    doubts = () if voltage is None or voltage_mv else (f"voltage_now {voltage}",)
    return BatteryReading(
        present={"1": True, "0": False}.get(supply.get("PRESENT", "")),
        level_percent=float(level) if level is not None and 0 <= level <= 100 else None,
        status=status if status in known else None,
        voltage_mv=voltage_mv,
        temperature_c=plausible_temperature_c(number_of(supply, "TEMP", "BATT_TEMP")),
        capacity_mah=_capacity_mah(supply),
        current_raw=number_of(supply, "CURRENT_AVG") if averaged else current,
        current_source=f"{SUPPLY}/{name}: current_{'avg' if averaged else 'now'}",
        charge_counter_raw=number_of(supply, "CHARGE_COUNTER", "CHARGE_NOW"),
        doubts=doubts,
    )


def _first(values: Iterable[V | None]) -> V | None:
    return next((value for value in values if value is not None), None)


def combine(readings: Iterable[BatteryReading | None]) -> BatteryReading | None:
    """One reading out of several: of each field the first that is known."""
    known = [reading for reading in readings if reading]
    if not known:
        return None
    current = next((r for r in known if r.current_raw is not None), known[0])
    return BatteryReading(
        present=_first(r.present for r in known),
        level_percent=_first(r.level_percent for r in known),
        status=_first(r.status for r in known),
        voltage_mv=_first(r.voltage_mv for r in known),
        temperature_c=_first(r.temperature_c for r in known),
        capacity_mah=_first(r.capacity_mah for r in known),
        current_raw=current.current_raw,
        current_source=current.current_source,
        charge_counter_raw=_first(r.charge_counter_raw for r in known),
        doubts=tuple(doubt for r in known for doubt in r.doubts),
        plugged=_first(r.plugged for r in known),
    )
