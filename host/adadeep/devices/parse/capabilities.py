"""What a device lets us read, judged from the sections of the facts script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from adadeep.core.device import NO_ANSWER, Capability, CapabilityStatus
from adadeep.devices.parse.battery import BatteryReading, counter_doubt
from adadeep.devices.parse.cpu_sysfs import CPU
from adadeep.devices.parse.power_supply import SUPPLY
from adadeep.devices.parse.sections import Reads, Section, integer, is_denied
from adadeep.devices.parse.thermal import parse_thermalservice, parse_zones

_RAILS = "android.hardware.power.stats.IPowerStats/default"
_HIGHEST_CURRENT = 20_000_000  # 20 A in microamperes


def shorten(text: str, width: int = 120) -> str:
    """The text on one line of at most that many characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3] + "..."


def _capability(name: str, status: CapabilityStatus, *evidence: str) -> Capability:
    return Capability(name, status, shorten("; ".join(part for part in evidence if part)))


def of_reads(name: str, reads: Reads, pattern: str, errors: str = "") -> Capability:
    """Readable if one file that matches was read, else denied or absent by what was said.

    Args:
        name: of the capability.
        reads: of the section.
        pattern: regular expression of the whole path.
        errors: what listing the folder said.
    """
    for path, value in reads.matching(pattern):
        if value:
            return _capability(name, CapabilityStatus.READABLE, f"{path} = {value}")
    failed = list(reads.failed(pattern))
    for path, message in failed:
        if is_denied(message):
            return _capability(name, CapabilityStatus.DENIED, f"{path}: {message}")
    if is_denied(errors):
        return _capability(name, CapabilityStatus.DENIED, errors)
    return _capability(name, CapabilityStatus.ABSENT, f"{failed[0][0]}: none" if failed else "")


def of_command(name: str, section: Section | None) -> Capability:
    """Readable if the command printed something and did not complain."""
    if section is None:
        return _capability(name, CapabilityStatus.ABSENT)
    said = section.errors or section.text
    if section.hung:
        return _capability(name, CapabilityStatus.ABSENT, NO_ANSWER)
    if section.denied:
        return _capability(name, CapabilityStatus.DENIED, said)
    if section.missing or section.exit_code not in (0, None):
        return _capability(name, CapabilityStatus.ABSENT, said)
    return _capability(name, CapabilityStatus.READABLE, section.text)


def cpu_capabilities(reads: Reads) -> Iterable[Capability]:
    """cpu_frequency, cpu_governor, cpu_caches."""
    folder = re.escape(CPU) + r"/(cpu|cpufreq/policy)[^/]*/(cpufreq/)?"
    yield of_reads("cpu_frequency", reads, folder + "(scaling|cpuinfo)_cur_freq")
    yield of_reads("cpu_governor", reads, folder + "scaling_governor")
    yield of_reads("cpu_caches", reads, re.escape(CPU) + r"/cpu[^/]*/cache/index[^/]*/size")


def thermal_zones(reads: Reads, errors: str) -> Capability:
    """Zones that give a temperature; implausible if none of those that answer does."""
    name, zones = "thermal_zones", parse_zones(reads)
    good = [zone for zone in zones if zone.celsius is not None]
    if good:
        shown = ", ".join(f"{zone.name} {zone.celsius:g} C" for zone in good[:3])
        return _capability(name, CapabilityStatus.READABLE, f"{len(good)} zones: {shown}")
    if zones:
        raw = next(iter(reads.matching(r".*/temp")))
        return _capability(name, CapabilityStatus.IMPLAUSIBLE, f"{raw[0]} = {raw[1]}")
    return of_reads(name, reads, r"/sys/class/thermal/[^/]*/temp", errors)


def thermal_service(section: Section | None) -> Capability:
    """`dumpsys thermalservice`: absent without a HAL behind it, implausible when overridden."""
    found = of_command("thermal_service", section)
    if found.status is not CapabilityStatus.READABLE or section is None:
        return found
    service = parse_thermalservice(section.text)
    if service.overridden:
        return _capability(found.name, CapabilityStatus.IMPLAUSIBLE, "IsStatusOverride: true")
    if not service.hal_ready:
        return _capability(found.name, CapabilityStatus.ABSENT, "HAL Ready: false")
    good = sum(thermometer.celsius is not None for thermometer in service.temperatures)
    if not good:
        return _capability(found.name, CapabilityStatus.ABSENT, "no thermometer of the HAL")
    status = f"Thermal Status: {service.status}"
    return _capability(found.name, CapabilityStatus.READABLE, status, f"{good} thermometers")


def battery(
    reading: BatteryReading | None, section: Section | None, reads: Reads, errors: str
) -> Capability:
    """The state of the battery, from the battery service or sysfs."""
    name = "battery"
    if reading and reading.doubts:
        return _capability(name, CapabilityStatus.IMPLAUSIBLE, *reading.doubts)
    if reading and reading.present is False:
        return _capability(name, CapabilityStatus.ABSENT, "present: false")
    if reading and (reading.level_percent is not None or reading.voltage_mv is not None):
        level = "" if reading.level_percent is None else f"level {reading.level_percent:g} %"
        voltage = "" if reading.voltage_mv is None else f"{reading.voltage_mv:g} mV"
        return _capability(name, CapabilityStatus.READABLE, level, voltage, reading.status or "")
    if section and (section.denied or section.hung):
        return of_command(name, section)
    return of_reads(name, reads, re.escape(SUPPLY) + r"/[^/]*/(capacity|uevent)", errors)


def battery_current(
    supply: tuple[str, Mapping[str, str]] | None,
    reading: BatteryReading | None,
    reads: Reads,
    errors: str,
) -> Capability:
    """The gauge's current in sysfs; unit and sign are for calibration to find out."""
    name, keys = "battery_current", supply[1] if supply else {}
    raw = integer(keys.get("CURRENT_NOW"))
    if supply is None or raw is None:
        if reading and reading.current_raw is not None:
            evidence = f"{reading.current_source} {reading.current_raw}"
            return _capability(name, CapabilityStatus.READABLE, evidence)
        return of_reads(name, reads, re.escape(SUPPLY) + r"/.*/current_now", errors)
    evidence = f"{SUPPLY}/{supply[0]}: current_now {raw}"
    if abs(raw) > _HIGHEST_CURRENT or raw in {-22, -61, -95}:
        return _capability(name, CapabilityStatus.IMPLAUSIBLE, evidence)
    if raw == 0 and reading and reading.status == "discharging":
        note = "0 while discharging"
        return _capability(name, CapabilityStatus.IMPLAUSIBLE, evidence, note)
    return _capability(name, CapabilityStatus.READABLE, evidence)


def battery_charge_counter(
    reading: BatteryReading | None, reads: Reads, errors: str
) -> Capability:
    """The coulomb counter, where it can be microampere-hours."""
    name = "battery_charge_counter"
    raw = reading.charge_counter_raw if reading else None
    if reading is None or raw is None:
        return of_reads(name, reads, re.escape(SUPPLY) + r"/.*/charge_(counter|now)", errors)
    if raw == 0:
        return _capability(name, CapabilityStatus.ABSENT, "Charge counter: 0")
    doubt = counter_doubt(raw, reading.level_percent)
    if doubt:
        return _capability(name, CapabilityStatus.IMPLAUSIBLE, f"charge counter: {doubt}")
    return _capability(name, CapabilityStatus.READABLE, f"charge counter: {raw} uAh")


def battery_energy_now(
    supply: tuple[str, Mapping[str, str]] | None, reads: Reads, errors: str
) -> Capability:
    """energy_now in sysfs (microwatt-hours)."""
    name, keys = "battery_energy_now", supply[1] if supply else {}
    raw = integer(keys.get("ENERGY_NOW"))
    if supply is None or raw is None:
        return of_reads(name, reads, re.escape(SUPPLY) + r"/.*/energy_now", errors)
    status = CapabilityStatus.READABLE if raw > 0 else CapabilityStatus.IMPLAUSIBLE
    return _capability(name, status, f"{SUPPLY}/{supply[0]}: energy_now {raw}")


def power_rails(section: Section | None, hwmon: Reads) -> Capability:
    """Rails of a power HAL with energy in them, or an INA2xx of hwmon."""
    name = "power_rails"
    if section and re.search(r"[0-9]\s*(m|u)Ws|\]\s*,\s*[0-9]", section.text):
        return _capability(name, CapabilityStatus.READABLE, _RAILS, _rail_row(section.text))
    for path, chip in hwmon.matching(r"/sys/class/hwmon/[^/]+/name"):
        folder = re.escape(path.removesuffix("name"))
        if re.match(r"ina[23]", chip):
            return of_reads(name, hwmon, folder + r"(power|curr)1_input")
    found = of_command(name, section)
    if found.status is CapabilityStatus.DENIED:
        return found
    return _capability(name, CapabilityStatus.ABSENT, section.errors if section else "")


def _rail_row(text: str) -> str:
    return next((row for row in text.split("\n") if re.search(r"\[[A-Z0-9_]+\]", row)), "")


def all_capabilities(
    sections: Mapping[str, Section],
    reads: Mapping[str, Reads],
    supply: tuple[str, Mapping[str, str]] | None,
    reading: BatteryReading | None,
) -> tuple[Capability, ...]:
    """Every capability that facts can tell, in the order in which they are shown.

    Args:
        sections: by name, as `split_sections` gives them.
        reads: the sections of file contents: "cpu", "power", "thermal", "energy".
        supply: the battery of power_supply, if there is one.
        reading: of the battery, all sources together.
    """
    errors = {name: section.errors for name, section in sections.items()}
    power, power_errors = reads["power"], errors.get("power", "")
    rapl = r"/sys/class/powercap/[^/]*/energy_uj"
    return (
        of_command("shell", sections.get("id")),
        *cpu_capabilities(reads["cpu"]),
        thermal_zones(reads["thermal"], errors.get("thermal", "")),
        thermal_service(sections.get("thermalservice")),
        battery(reading, sections.get("battery"), power, power_errors),
        battery_current(supply, reading, power, power_errors),
        battery_charge_counter(reading, power, power_errors),
        battery_energy_now(supply, power, power_errors),
        power_rails(sections.get("rails"), reads["energy"]),
        of_reads("rapl", reads["energy"], rapl),
        of_command("python", sections.get("python")),
        of_command("app_process", sections.get("java")),
    )
