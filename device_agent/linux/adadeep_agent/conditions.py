"""What state the device is in: clocks, governors, temperatures, load, battery.

What can't be read is None, or missing from the map; nothing here raises.
"""

from __future__ import annotations

import os
import time
from typing import Any, Dict, List, Optional

_CPU = "/sys/devices/system/cpu"
_THERMAL = "/sys/class/thermal"
_POWER = "/sys/class/power_supply"


def read_text(path: str) -> Optional[str]:
    """The stripped text of a file; None if it can't be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def read_int(path: str) -> Optional[int]:
    """The number in a file; None if there is none."""
    text = read_text(path)
    try:
        return int(text) if text else None
    except ValueError:
        return None


def parse_core_list(text: str) -> List[int]:
    """ "0-3,6" -> [0, 1, 2, 3, 6]; what is no such list gives an empty one."""
    cores: List[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            cores.extend(range(int(first), int(last or first) + 1))
    except ValueError:
        return []
    return cores


def celsius(raw: int) -> Optional[float]:
    """A thermal zone's number in degrees Celsius; zones use m°C, 0.1 °C or °C.

    None for what no sensor of a living device says: 0, below -40, above 150.
    """
    value = raw / 1000 if abs(raw) >= 1000 else raw / 10 if abs(raw) > 150 else float(raw)
    return value if -40 < value <= 150 and value != 0 else None


def temperatures() -> Dict[str, float]:
    """Zone type -> °C, of the zones that can be read; a second zone of a type gets "#N"."""
    found: Dict[str, float] = {}
    try:
        zones = sorted(z for z in os.listdir(_THERMAL) if z.startswith("thermal_zone"))
    except OSError:
        return found
    for zone in zones:
        raw = read_int(f"{_THERMAL}/{zone}/temp")
        value = celsius(raw) if raw is not None else None
        if value is not None:
            name = read_text(f"{_THERMAL}/{zone}/type") or zone
            found[name if name not in found else f"{name}#{zone[12:]}"] = value
    return found


def _battery() -> Dict[str, Any]:
    try:
        supplies = sorted(os.listdir(_POWER))
    except OSError:
        supplies = []
    for supply in supplies:
        folder = f"{_POWER}/{supply}"
        if read_text(f"{folder}/type") == "Battery":
            return {
                "battery_percent": read_int(f"{folder}/capacity"),
                "battery_status": read_text(f"{folder}/status"),
            }
    return {"battery_percent": None, "battery_status": None}


def _load() -> Optional[float]:
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def conditions() -> Dict[str, Any]:
    """The device's state now, as the `before` and `after` of a result hold it."""
    online = parse_core_list(read_text(f"{_CPU}/online") or "")
    cores = range(max(online) + 1) if online else range(0)
    clocks = [read_int(f"{_CPU}/cpu{core}/cpufreq/scaling_cur_freq") for core in cores]
    governors = [read_text(f"{_CPU}/cpu{core}/cpufreq/scaling_governor") for core in cores]
    state: Dict[str, Any] = {
        "timestamp": round(time.time(), 3),
        "cpu_khz": clocks if any(clocks) else [],
        "governors": governors if any(governors) else [],
        "temperatures_c": temperatures(),
        "load_1min": _load(),
        "online_cores": online,
    }
    state.update(_battery())
    return state
