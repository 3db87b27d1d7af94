"""The state of a device at one moment, out of what an agent read there, and had run."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adadeep.core.measurement import Conditions
from adadeep.devices.parse.battery import BatteryReading, parse_dumpsys_battery
from adadeep.devices.parse.cpu_sysfs import CPU, parse_core_list
from adadeep.devices.parse.power_service import parse_dumpsys_power
from adadeep.devices.parse.power_supply import SUPPLY, batteries_of, number_of, supplies_of
from adadeep.devices.parse.scheduling import SCHEDULING_PATHS, scheduling_of
from adadeep.devices.parse.sections import Reads, integer
from adadeep.devices.parse.thermal import ZONE, ThermalService, parse_thermalservice, zone_celsius

_LOAD = "/proc/loadavg"
_HIGHEST_KHZ = 100_000_000
_COOLING = "/sys/class/thermal/cooling_device"
_COUNT = "thermal_throttle/{}_throttle_count"
_MOST_THROTTLED, _MOST_STATE = 10**12, 1000
# Of all that cools (fans, screens, chargers) what slows a processor down.
_SLOWS = re.compile(r"(thermal-)?(cpufreq|idle)-[\w.-]{1,30}|Processor|intel_powerclamp", re.ASCII)

# What an agent is asked to read; in the order of their worth, for an answer is bounded.
CONDITION_PATHS = (
    f"{CPU}/online",
    _LOAD,
    f"{CPU}/cpu*/cpufreq/scaling_cur_freq",
    f"{CPU}/cpu*/cpufreq/scaling_governor",
    f"{SUPPLY}/*/type",
    f"{SUPPLY}/*/capacity",
    f"{SUPPLY}/*/status",
    f"{ZONE}*/temp",
    f"{ZONE}*/type",
    f"{CPU}/cpu*/{_COUNT.format('core')}",
    f"{CPU}/cpu*/{_COUNT.format('package')}",
    f"{_COOLING}*/type",
    f"{_COOLING}*/cur_state",
)
# Of an agent on Android beside these; first, for they are few.
ANDROID_PATHS = (*SCHEDULING_PATHS, *CONDITION_PATHS)


_BATTERY, _THERMAL, _POWER = "dumpsys battery", "dumpsys thermalservice", "dumpsys power"
# What an agent on Android is asked to run: where a shell may not read the files, services tell.
CONDITION_COMMANDS = (_BATTERY, _THERMAL, _POWER)


def conditions_of(
    timestamp: float,
    texts: Mapping[str, str | None],
    commands: Mapping[str, str | None] | None = None,
) -> Conditions:
    """The conditions; what is not told, or can't be, is None or empty.

    Of a battery and of a thermometer the files go before the services: these may be older.

    Args:
        timestamp: seconds since 1970, by the device's clock.
        texts: what the files hold, by path; None for one that could not be read.
        commands: what each wrote; None for one that failed.
    """
    said = {name: text or "" for name, text in (commands or {}).items()}
    reads = Reads({path: text.strip() for path, text in texts.items() if text is not None})
    online = parse_core_list(reads.values.get(f"{CPU}/online"))
    cores = range(max(online) + 1) if online else range(0)
    clocks = tuple(_khz(reads, core) for core in cores)
    governors = tuple(_of_core(reads, core, "scaling_governor") for core in cores)
    service = parse_dumpsys_battery(said.get(_BATTERY, ""))
    percent, status = _battery(reads, service)
    thermal = parse_thermalservice(said.get(_THERMAL, ""))
    power = parse_dumpsys_power(said.get(_POWER, ""))
    return Conditions(
        timestamp=timestamp,
        cpu_khz=clocks if any(clocks) else (),
        governors=governors if any(governors) else (),
        temperatures_c={**_of_service(thermal), **_temperatures(reads)},
        load_1min=_load(reads),
        battery_percent=percent,
        battery_status=status,
        online_cores=online,
        throttled=_throttled(reads, cores),
        cooling=_cooling(reads),
        thermal_status=None if thermal.overridden else thermal.status,
        screen=power.screen,
        doze=power.doze,
        battery_saver=power.battery_saver,
        plugged=service.plugged if service and not service.is_faked else None,
        scheduling=scheduling_of(texts),
    )


def _of_service(thermal: ThermalService) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in thermal.temperatures:
        if one.celsius is not None:
            found.setdefault(one.name or one.kind or "?", one.celsius)
    return found


def _of_core(reads: Reads, core: int, name: str) -> str | None:
    return reads.values.get(f"{CPU}/cpu{core}/cpufreq/{name}")


def _khz(reads: Reads, core: int) -> int | None:
    number = integer(_of_core(reads, core, "scaling_cur_freq"))
    return number if number is not None and 0 <= number <= _HIGHEST_KHZ else None


def _temperatures(reads: Reads) -> dict[str, float]:
    """Zone type -> degrees, of the zones that have one; a second zone of a type gets "#N"."""
    found: dict[str, float] = {}
    for path, text in sorted(reads.matching(re.escape(ZONE) + r"[0-9]{1,4}/temp")):
        number = path.removeprefix(ZONE).partition("/")[0]
        name = reads.values.get(f"{ZONE}{number}/type") or f"thermal_zone{number}"
        celsius = zone_celsius(text, name)
        if celsius is not None:
            found[name if name not in found else f"{name}#{number}"] = celsius
    return found


def _throttled(reads: Reads, cores: range) -> int | None:
    """Both counters of all cores; those of a package are there once for each of its cores."""
    texts = (
        reads.values.get(f"{CPU}/cpu{core}/{_COUNT.format(what)}")
        for core in cores
        for what in ("core", "package")
    )
    counts = [n for text in texts if (n := integer(text)) is not None and 0 <= n < _MOST_THROTTLED]
    return sum(counts) if counts else None


def _cooling(reads: Reads) -> dict[str, int]:
    """Name -> state; a second one of a type gets "#N". What is off may say -1."""
    found: dict[str, int] = {}
    for path, text in sorted(reads.matching(re.escape(_COOLING) + r"[0-9]{1,4}/cur_state")):
        number = path.removeprefix(_COOLING).partition("/")[0]
        name, state = reads.values.get(f"{_COOLING}{number}/type", ""), integer(text)
        if _SLOWS.fullmatch(name) and state is not None and state <= _MOST_STATE:
            found[name if name not in found else f"{name}#{number}"] = max(state, 0)
    return found


def _load(reads: Reads) -> float | None:
    match = re.match(r"[0-9]{1,6}(\.[0-9]{1,6})?(?=\s)", reads.values.get(_LOAD, ""))
    return float(match[0]) if match else None


def _battery(reads: Reads, service: BatteryReading | None) -> tuple[float | None, str | None]:
    """Level in percent, and status as the kernel spells it."""
    batteries = batteries_of(supplies_of(reads))
    if not batteries:
        if service is None or service.present is False or service.is_faked:
            return None, None
        return service.level_percent, service.status.capitalize() if service.status else None
    keys = batteries[0][1]
    percent = number_of(keys, "CAPACITY")
    is_level = percent is not None and 0 <= percent <= 100
    return percent if is_level else None, keys.get("STATUS") or None
