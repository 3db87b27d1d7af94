"""/sys/devices/system/cpu: which cores there are, their clocks and their caches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adadeep.core.device import CpuCache
from adadeep.devices.parse.sections import Reads, integer

CPU = "/sys/devices/system/cpu"
_MAX_CORES = 4096
_MOST_CACHE_BYTES = 1 << 40


@dataclass(frozen=True, slots=True)
class CoreClock:
    """What sysfs tells of one core; None is unknown.

    Attributes:
        max_khz: highest clock.
        min_khz: lowest clock.
        related: cores whose clock is the same one, this one included.
        package: number of the cluster or socket.
    """

    max_khz: int | None = None
    min_khz: int | None = None
    related: tuple[int, ...] = ()
    package: int | None = None


@dataclass(frozen=True, slots=True)
class CpuSysfs:
    """The processor as sysfs tells it.

    Attributes:
        present: numbers of the cores that there are; empty if unknown.
        online: numbers of those that run.
        clocks: by core number.
        caches: every instance once.
    """

    present: tuple[int, ...] = ()
    online: tuple[int, ...] = ()
    clocks: Mapping[int, CoreClock] = field(default_factory=dict)
    caches: tuple[CpuCache, ...] = ()


def parse_core_list(text: str | None) -> tuple[int, ...]:
    """ "0,4-7" or "4 5 6 7" -> (0, 4, 5, 6, 7); empty where it is no list of cores."""
    cores: set[int] = set()
    for piece in re.split(r"[,\s]+", (text or "").strip()):
        match = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", piece)
        if not match:
            return ()
        first, last = int(match[1]), int(match[2] or match[1])
        cores.update(range(first, min(last, _MAX_CORES) + 1))
    return tuple(sorted(cores))


def _positive(text: str | None) -> int | None:
    number = integer(text)
    return number if number and number > 0 else None


def _clock_khz(text: str | None) -> int | None:
    """A clock between 1 MHz and 20 GHz; drivers that know none print 0."""
    number = _positive(text)
    return number if number and 1_000 <= number <= 20_000_000 else None


def _core_numbers(reads: Reads) -> set[int]:
    found = re.compile(re.escape(CPU) + r"/cpu([0-9]{1,4})/.*")
    return {int(match[1]) for path in reads.values if (match := found.fullmatch(path))}


def _core_clock(reads: Reads, core: int) -> CoreClock:
    own = f"{CPU}/cpu{core}"
    values = reads.values
    package = integer(values.get(f"{own}/topology/physical_package_id"))
    return CoreClock(
        max_khz=_clock_khz(values.get(f"{own}/cpufreq/cpuinfo_max_freq")),
        min_khz=_clock_khz(values.get(f"{own}/cpufreq/cpuinfo_min_freq")),
        related=parse_core_list(values.get(f"{own}/cpufreq/related_cpus")),
        package=package if package is not None and package >= 0 else None,
    )


def _policies(reads: Reads) -> dict[int, CoreClock]:
    """Clocks by core out of cpufreq/policyN, where the folders of the cores have none."""
    clocks: dict[int, CoreClock] = {}
    for path, text in reads.matching(re.escape(CPU) + r"/cpufreq/policy[0-9]+/related_cpus"):
        folder = path.rpartition("/")[0]
        related = parse_core_list(text)
        clock = CoreClock(
            max_khz=_clock_khz(reads.values.get(f"{folder}/cpuinfo_max_freq")),
            min_khz=_clock_khz(reads.values.get(f"{folder}/cpuinfo_min_freq")),
            related=related,
        )
        clocks.update(dict.fromkeys(related, clock))
    return clocks


def _without_stale(clocks: dict[int, CoreClock], online: tuple[int, ...]) -> dict[int, CoreClock]:
    """Drops what a folder says of other cores than its own: hotplug leaves such folders behind.

    Of a core that is offline such a folder says nothing at all; one that runs keeps its clock.
    """
    kept: dict[int, CoreClock] = {}
    for core, clock in clocks.items():
        if clock.related and core not in clock.related:
            offline = bool(online) and core not in online
            clock = CoreClock() if offline else replace(clock, related=())
        kept[core] = clock
    return kept


def _merge(core: CoreClock, other: CoreClock | None) -> CoreClock:
    if other is None:
        return core
    return CoreClock(
        max_khz=core.max_khz or other.max_khz,
        min_khz=core.min_khz or other.min_khz,
        related=core.related or other.related,
        package=core.package if core.package is not None else other.package,
    )


def _spread(clocks: dict[int, CoreClock]) -> dict[int, CoreClock]:
    """Gives cores that say nothing themselves (offline) what a related core says of them."""
    spread = dict(clocks)
    for clock in clocks.values():
        for core in clock.related:
            spread[core] = _merge(spread.get(core, CoreClock()), clock)
    return spread


def _cache(reads: Reads, folder: str, core: int) -> CpuCache | None:
    level = _positive(reads.values.get(f"{folder}/level"))
    size = re.fullmatch(r"([0-9]{1,9})\s*([KMG]?)B?", reads.values.get(f"{folder}/size", ""))
    if not level or level > 9 or not size or not int(size[1]):
        return None
    scale = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}[size[2]]
    if int(size[1]) * scale > _MOST_CACHE_BYTES:
        return None
    shared = parse_core_list(reads.values.get(f"{folder}/shared_cpu_list"))
    kind = reads.values.get(f"{folder}/type", "") or "Unified"
    return CpuCache(level, kind, int(size[1]) * scale, shared or (core,))


def parse_caches(reads: Reads) -> tuple[CpuCache, ...]:
    """Every cache once, by level, type, size and cores."""
    caches: set[CpuCache] = set()
    for path, _ in reads.matching(re.escape(CPU) + r"/cpu[0-9]+/cache/index[0-9]+/size"):
        folder = path.rpartition("/")[0]
        core = int(re.findall(r"/cpu([0-9]+)/", path)[0])
        cache = _cache(reads, folder, core)
        if cache:
            caches.add(cache)
    return tuple(sorted(caches, key=lambda c: (c.level, c.type, c.size_bytes, c.cores)))


def parse_cpu_sysfs(reads: Reads) -> CpuSysfs:
    """Cores, clocks and caches out of the files that could be read."""
    policies = _policies(reads)
    numbers = _core_numbers(reads) | set(policies)
    clocks = {n: _merge(_core_clock(reads, n), policies.get(n)) for n in numbers}
    present = parse_core_list(reads.values.get(f"{CPU}/present"))
    online = parse_core_list(reads.values.get(f"{CPU}/online"))
    return CpuSysfs(
        present=present or parse_core_list(reads.values.get(f"{CPU}/possible")),
        online=online,
        clocks=_spread(_without_stale(clocks, online)),
        caches=parse_caches(reads),
    )
