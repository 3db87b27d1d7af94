"""What a device is: how it is reached, its facts, what it lets us read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum


class CapabilityStatus(StrEnum):
    """What came of an attempt to read something."""

    READABLE = "readable"
    DENIED = "denied"
    ABSENT = "absent"
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a device may let us read or do, with the evidence.

    Attributes:
        name: for example "cpu_frequency", "battery_current", "thermal_zones", "agent", "shell_v2".
        status: what came of the attempt.
        evidence: the path read and what it said, shortened.
    """

    name: str
    status: CapabilityStatus
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class CpuCluster:
    """Cores of one kind.

    Attributes:
        cores: numbers, ascending.
        max_khz: highest clock; None where unreadable.
        min_khz: lowest clock.
        part: for example "Cortex-A53"; raw implementer and part where the name is unknown.
    """

    cores: tuple[int, ...]
    max_khz: int | None = None
    min_khz: int | None = None
    part: str | None = None


@dataclass(frozen=True, slots=True)
class CpuCache:
    """A cache as sysfs tells it.

    Attributes:
        level: 1, 2, 3.
        type: "Data", "Instruction" or "Unified".
        size_bytes: of one instance.
        cores: that share it.
    """

    level: int
    type: str
    size_bytes: int
    cores: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Battery:
    """The battery at the time of reading; None is unknown.

    Attributes:
        capacity_mah: design capacity.
        level_percent: 0..100.
        status: "charging", "discharging", "full", "not charging" or "unknown".
        voltage_mv: pack voltage.
        temperature_c: of the battery.
    """

    capacity_mah: float | None = None
    level_percent: float | None = None
    status: str | None = None
    voltage_mv: float | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device. Absent is None or empty, never a guess.

    Attributes:
        serial: as the transport names it.
        transport: "adb" or "local".
        manufacturer: as the device says, likewise model, device (code name).
        soc: the raw name of the system on chip.
        kind: "phone", "watch", "tv", "board", "computer" or None.
        abis: preferred first, for example ("arm64-v8a", "armeabi-v7a").
        machine: `uname -m`.
        os: "android" or "linux".
        os_version: Android release, or the distribution's name and version.
        sdk: Android API level.
        build_fingerprint: identifies the build.
        hardware_serial: ro.serialno or the machine's id, hashed for `local`.
        kernel: `uname -r`.
        clusters: CPU cores by kind, slowest first.
        caches: as read; empty where sysfs has none.
        ram_bytes: MemTotal.
        battery: None if there is none or nothing tells.
    """

    serial: str
    transport: str
    manufacturer: str | None = None
    model: str | None = None
    device: str | None = None
    soc: str | None = None
    kind: str | None = None
    abis: tuple[str, ...] = ()
    machine: str | None = None
    os: str | None = None
    os_version: str | None = None
    sdk: int | None = None
    build_fingerprint: str | None = None
    hardware_serial: str | None = None
    kernel: str | None = None
    clusters: tuple[CpuCluster, ...] = ()
    caches: tuple[CpuCache, ...] = ()
    ram_bytes: int | None = None
    battery: Battery | None = None

    @property
    def title(self) -> str:
        """For people: "Xiaomi Redmi 3S"."""
        maker, model = self.manufacturer or "", self.model or self.device or ""
        if model.lower().startswith(maker.lower()):
            return model or self.serial
        return f"{maker} {model}".strip() or self.serial

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name this device with this build; part of every cache key."""
        parts = (
            self.hardware_serial or self.serial, self.manufacturer, self.model, self.soc,
            self.build_fingerprint or self.kernel, self.abis[:1],
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class AttachedDevice:
    """A row of `adadeep devices`.

    Attributes:
        serial: what `-d` takes.
        state: "device" when usable; "unauthorized", "offline", "no permissions", "recovery", ...
        connection: "usb", "tcp", "emulator" or "local".
        description: model and the like, as the adb server says.
        problem: what is wrong; None when usable.
        remedy: what to do about it; None when usable.
    """

    serial: str
    state: str
    connection: str
    description: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    remedy: str | None = None

    @property
    def usable(self) -> bool:
        """Whether a command can use it now."""
        return self.state == "device"
