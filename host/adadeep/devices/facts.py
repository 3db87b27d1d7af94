"""Facts of a device and what it lets us read, gathered by one shell script in one call."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace

from adadeep.core.clock import Deadline
from adadeep.core.device import Battery, Capability, DeviceFacts, hashed
from adadeep.core.errors import TransientDeviceError
from adadeep.core.transport import Transport
from adadeep.devices.facts_script import facts_script
from adadeep.devices.parse.battery import (
    BatteryReading,
    parse_batterystats_capacity_mah,
    parse_dumpsys_battery,
)
from adadeep.devices.parse.capabilities import all_capabilities
from adadeep.devices.parse.clusters import group_clusters
from adadeep.devices.parse.cpu_sysfs import parse_cpu_sysfs
from adadeep.devices.parse.cpuinfo import CpuInfo, parse_cpuinfo
from adadeep.devices.parse.features import android_kind, linux_kind, parse_features
from adadeep.devices.parse.getprop import (
    parse_build_prop,
    parse_getprop,
    parse_identity,
    platform_name,
)
from adadeep.devices.parse.meminfo import parse_ram_bytes
from adadeep.devices.parse.os_release import (
    abi_of_machine,
    parse_linux_identity,
    parse_os_release,
)
from adadeep.devices.parse.power_supply import batteries_of, combine, reading_of, supplies_of
from adadeep.devices.parse.sections import Reads, Section, decode, parse_reads, split_sections


def gather_facts(
    transport: Transport, deadline: Deadline
) -> tuple[DeviceFacts, tuple[Capability, ...]]:
    """Asks the device once, and makes facts and capabilities of what it says.

    Args:
        transport: the way to the device.
        deadline: a phone takes about two seconds, most of it for its services.

    Raises:
        TransientDeviceError: the answer broke off, or the deadline passed.
        StableDeviceError: the device can't be used (unauthorized, ...).
    """
    token = f"adadeep-{secrets.token_hex(8)}"
    result = transport.run(facts_script(token), deadline)
    sections, complete = split_sections(decode(result.stdout), token)
    if not complete:
        raise TransientDeviceError(
            f"{transport.serial}: the answer about the device's facts broke off after "
            f"{len(sections)} parts; check the cable and try again."
        )
    return read_facts(sections, transport.serial, transport.kind)


def read_facts(
    sections: Mapping[str, Section], serial: str, transport: str
) -> tuple[DeviceFacts, tuple[Capability, ...]]:
    """Facts and capabilities out of the sections of the script.

    Of serial numbers, which are nobody's business, facts hold hashes and evidence holds none;
    only `serial` stays, by which the device is spoken to.

    Args:
        sections: by name; those that are missing leave their facts unknown.
        serial: of the device.
        transport: "adb" or "local".
    """
    names = ("cpu", "power", "thermal", "energy", "linux")
    reads = {name: parse_reads(_text(sections, name)) for name in names}
    batteries = batteries_of(supplies_of(reads["power"]))
    reading = _battery_reading(sections, batteries)
    capabilities = all_capabilities(sections, reads, batteries[0] if batteries else None, reading)
    info = parse_cpuinfo(_text(sections, "cpuinfo"))
    sysfs = parse_cpu_sysfs(reads["cpu"])
    kernel, machine = _kernel(sections, reads["linux"])
    facts = DeviceFacts(
        serial=serial,
        transport=transport,
        kernel=kernel,
        machine=machine,
        clusters=group_clusters(info, sysfs),
        caches=sysfs.caches,
        ram_bytes=parse_ram_bytes(_text(sections, "meminfo")),
        battery=_battery(reading),
    )
    properties = parse_getprop(_text(sections, "getprop")) or parse_build_prop(
        _text(sections, "build_prop")
    )
    if properties:
        has_battery = _has_battery(reading, sections)
        facts = _as_android(facts, properties, sections, info, has_battery)
    else:
        facts = _as_linux(facts, sections, reads["linux"], info)
    return facts, tuple(_without_serials(item, facts) for item in capabilities)


def _without_serials(capability: Capability, facts: DeviceFacts) -> Capability:
    """The capability, its evidence without what is, or is called, a serial number."""
    own = {facts.serial: hashed(facts.serial)}

    def cover(match: re.Match[str]) -> str:
        word = match[0]
        return own.get(word) or ("..." if hashed(word) == facts.hardware_serial else word)

    evidence = re.sub(r"(?i)(serial[_ a-z]*[=:]\s*)[^|;\s]+", r"\1...", capability.evidence)
    return replace(capability, evidence=re.sub(r"[\w.:-]{4,}", cover, evidence)[:120])


def _text(sections: Mapping[str, Section], name: str) -> str:
    return sections.get(name, Section()).text


def _kernel(sections: Mapping[str, Section], linux: Reads) -> tuple[str | None, str | None]:
    """Release and machine out of "Linux 6.1.0 aarch64"; old Androids have no uname."""
    match = re.match(r"\S+ (\S+) (\S+)\s*$", _text(sections, "uname").strip())
    if match:
        return match[1], match[2]
    return linux.values.get("/proc/sys/kernel/osrelease"), None


def _battery_reading(
    sections: Mapping[str, Section], supplies: list[tuple[str, Mapping[str, str]]]
) -> BatteryReading | None:
    """The battery service first (it is calibrated), then sysfs, then the power profile."""
    capacity_mah = parse_batterystats_capacity_mah(_text(sections, "stats"))
    profile = BatteryReading(capacity_mah=capacity_mah) if capacity_mah else None
    service = parse_dumpsys_battery(_text(sections, "battery"))
    return combine([service, *(reading_of(keys, name) for name, keys in supplies), profile])


def _battery(reading: BatteryReading | None) -> Battery | None:
    if reading is None or reading.present is False:
        return None
    battery = Battery(
        capacity_mah=reading.capacity_mah,
        level_percent=reading.level_percent,
        status=reading.status,
        voltage_mv=reading.voltage_mv,
        temperature_c=reading.temperature_c,
    )
    return None if battery == Battery() else battery


def _has_battery(reading: BatteryReading | None, sections: Mapping[str, Section]) -> bool | None:
    """None if nothing tells: no service answered and sysfs could not be read."""
    if reading is not None:
        return reading.present is not False
    power = sections.get("power")
    return None if power is None or power.denied else False


_CHIP = re.compile(
    r"\b((msm|apq|sdm|sm|sda|qcs|qrb|mt|exynos ?|kirin ?|hi|sc|sp|ums|bcm|omap|rk|t)[0-9]{3,4}"
    r"|tegra|snapdragon|unisoc|dimensity|helio)", re.I
)  # fmt: skip


def _soc(soc: str | None, info: CpuInfo, platform: str | None) -> str | None:
    """The chip's own name; else a "Hardware" line or x86 model; else the platform's name."""
    if soc:
        return soc
    if info.hardware and _CHIP.search(info.hardware):
        return info.hardware
    return info.model_name or platform or info.hardware


def _as_android(
    facts: DeviceFacts,
    properties: Mapping[str, str],
    sections: Mapping[str, Section],
    info: CpuInfo,
    has_battery: bool | None,
) -> DeviceFacts:
    identity = parse_identity(properties)
    features = parse_features(_text(sections, "features"))
    return replace(
        facts,
        manufacturer=identity.manufacturer,
        model=identity.model,
        device=identity.device,
        soc=_soc(identity.soc, info, platform_name(properties)),
        kind=android_kind(identity.characteristics, features, has_battery),
        abis=identity.abis or abi_of_machine(facts.machine),
        os="android",
        os_version=identity.release,
        sdk=identity.sdk,
        build_fingerprint=identity.fingerprint,
        hardware_serial=hashed(identity.serial) if identity.serial else None,
    )


def _as_linux(
    facts: DeviceFacts, sections: Mapping[str, Section], reads: Reads, info: CpuInfo
) -> DeviceFacts:
    identity = parse_linux_identity(reads)
    machine = facts.machine or ""
    return replace(
        facts,
        manufacturer=identity.manufacturer,
        model=identity.model,
        soc=identity.soc or info.model_name or info.hardware,
        kind=linux_kind(identity.device_tree_model, identity.product_name, machine),
        abis=abi_of_machine(machine),
        os="linux",
        os_version=parse_os_release(_text(sections, "os_release")),
        hardware_serial=hashed(identity.machine_id) if identity.machine_id else None,
    )
