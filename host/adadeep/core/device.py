"""What a device is: how it is reached, its facts, what it lets us read."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum

from adadeep.core.reader import require_range

LOCAL_SERIAL = LOCAL_TRANSPORT = "local"
_HASHED = re.compile("sha256:[0-9a-f]{16}")


def hashed(serial: str) -> str:
    """What may be published of a serial number: "sha256:" and 16 hex digits.

    "local" names no device, and what is a hash already stays as it is.
    """
    if serial == LOCAL_SERIAL or _HASHED.fullmatch(serial):
        return serial
    return f"sha256:{hashlib.sha256(serial.encode('utf-8', 'replace')).hexdigest()[:16]}"


NO_ANSWER = "no answer in time"  # evidence of what was given up: it may be there


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

    def __post_init__(self) -> None:
        require_range("max_khz", 1, 1e9, self.max_khz)
        require_range("min_khz", 1, 1e9, self.min_khz)


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

    def __post_init__(self) -> None:
        require_range("level", 1, 9, self.level)
        require_range("size_bytes", 1, 1 << 40, self.size_bytes)


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

    def __post_init__(self) -> None:
        require_range("capacity_mah", 1e-3, 1e7, self.capacity_mah)
        require_range("level_percent", 0, 100, self.level_percent)
        require_range("voltage_mv", 0, 1e6, self.voltage_mv)
        require_range("temperature_c", -273, 1000, self.temperature_c)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of a device. Absent is None or empty, never a guess.

    Attributes:
        serial: as the transport names it; its hash where facts come from a profile.
        transport: "adb" or "local".
        manufacturer: as the device says, likewise model, device (code name).
        soc: the raw name of the system on chip.
        kind: "phone" (tablets as well), "watch", "tv", "car" (its head unit), "board", "computer",
            or None where nothing tells.
        abis: preferred first, for example ("arm64-v8a", "armeabi-v7a").
        machine: `uname -m`.
        os: "android" or "linux".
        os_version: Android release, or the distribution's name and version.
        sdk: Android API level.
        build_fingerprint: identifies the build.
        hardware_serial: hash of ro.serialno, on Linux of the machine's id.
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

    def __post_init__(self) -> None:
        require_range("ram_bytes", 1, 1 << 60, self.ram_bytes)
        require_range("sdk", 1, 1e6, self.sdk)

    @property
    def core_kinds(self) -> tuple[tuple[int, int], ...]:
        """(number of a core, a number for its kind), ascending; empty where all are alike."""
        kinds = list(dict.fromkeys((one.part, one.max_khz) for one in self.clusters))
        if len(kinds) < 2:
            return ()
        of_cores = ((one.cores, kinds.index((one.part, one.max_khz))) for one in self.clusters)
        return tuple(sorted((core, kind) for cores, kind in of_cores for core in cores))

    @property
    def title(self) -> str:
        """For people: "Xiaomi Redmi 3S"."""
        maker, model = self.manufacturer or "", self.model or self.device or ""
        if model.lower().startswith(maker.lower()):
            return model or self._unnamed
        return f"{maker} {model}".strip() or self._unnamed

    @property
    def is_this_computer(self) -> bool:
        """Whether it is the computer that the host runs on, reached without a cable."""
        return self.transport == LOCAL_TRANSPORT

    @property
    def _unnamed(self) -> str:
        """A title without a serial number, for titles get published."""
        return self.serial if self.serial == LOCAL_SERIAL else "unnamed device"

    @property
    def identity(self) -> str:
        """Tells this device from all others, whatever its system: the hash of a serial."""
        return hashed(self.hardware_serial or self.serial)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name this device with this build; part of every cache key."""
        return self.fingerprint_as(self.identity)

    def fingerprint_as(self, identity: str) -> str:
        """The fingerprint if that were its identity."""
        parts = (
            identity, self.manufacturer, self.model, self.soc,
            self.build_fingerprint or self.kernel, self.abis[:1],
        )  # fmt: skip
        return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


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
        notes: what may be in the way although it is usable, each with the step to take.
    """

    serial: str
    state: str
    connection: str
    description: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    remedy: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a command can use it now."""
        return self.state == "device"
