"""Cores grouped by kind, out of /proc/cpuinfo and sysfs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adadeep.core.device import CpuCluster
from adadeep.devices.parse.arm_parts import is_little
from adadeep.devices.parse.cpu_sysfs import CoreClock, CpuSysfs
from adadeep.devices.parse.cpuinfo import CpuInfo

# A larger processor may have clusters of several kinds; what one core says holds for itself.
_FEW_CORES = 4


@dataclass(frozen=True, slots=True)
class _Kind:
    """What cores of one cluster have in common."""

    domain: tuple[int, ...]
    max_khz: int | None
    part: str | None


def _cores(info: CpuInfo, sysfs: CpuSysfs) -> tuple[int, ...]:
    """All cores that there are; a kernel that lists none has one."""
    known = sysfs.present or tuple(sorted({*sysfs.clocks, *info.listed}))
    return known or ((0,) if info.shared_parts or info.hardware else ())


def _domain(core: int, clock: CoreClock, sysfs: CpuSysfs) -> tuple[int, ...]:
    """The cores that share this core's clock, or failing that its package, on ARM a cluster.

    Where every core has a clock of its own (x86) the domain says nothing and is left out.
    """
    lists = (other.related for other in sysfs.clocks.values())
    related = max((r for r in lists if {core, *clock.related} <= {*r}), key=len, default=())
    if len(related) > 1:
        return related
    if clock.package is None:
        return ()
    alike = tuple(n for n, other in sorted(sysfs.clocks.items()) if other.package == clock.package)
    return alike if core in alike else ()


def _own_parts(
    cores: Iterable[int],
    info: CpuInfo,
    sysfs: CpuSysfs,
    domains: Mapping[int, tuple[int, ...]],
) -> dict[int, str]:
    """Kinds by core; an offline core is of the kind of the cores that share its clock.

    Or its package, where there are several: newer ARM kernels count one for clusters of all kinds.
    """
    parts = dict(info.parts)
    one_package = len(domains) > _FEW_CORES and len(set(domains.values())) == 1
    for core in cores:
        clock = sysfs.clocks.get(core, CoreClock())
        if core not in parts and (len(clock.related) > 1 or not one_package):
            kinds = {info.parts[n] for n in domains[core] if n in info.parts}
            if len(kinds) == 1:
                parts[core] = kinds.pop()
    return parts


def _speeds(cores: Iterable[int], sysfs: CpuSysfs) -> list[int]:
    clocks = (sysfs.clocks.get(core, CoreClock()).max_khz for core in cores)
    return sorted({khz for khz in clocks if khz})


def _shared_by_speed(shared: tuple[str, ...], speeds: list[int]) -> dict[int | None, str]:
    """Max clock -> kind, for a kind that the kernel names once for all cores.

    With one clock it is the kind of all. With several, an in-order core is among the slowest and
    an out-of-order one among the fastest; what the others are is not known.
    """
    if len(speeds) <= 1:
        return dict.fromkeys([*speeds, None], shared[0]) if len(set(shared)) == 1 else {}
    found: dict[int | None, str] = {}
    for name in shared:
        found[speeds[0] if is_little(name) else speeds[-1]] = name
    return found


def _home(kind: _Kind, groups: Mapping[_Kind, list[int]]) -> _Kind:
    """The kind that cores of this kind belong to although they say less.

    A core that does not tell its neighbours belongs to the only others of its clock and part. One
    without a clock (offline) belongs to the only others of its part if there are four cores at
    most: a larger processor may have two clusters of one part.
    """
    if kind.part is None or (kind.domain and kind.max_khz):
        return kind
    few = sum(map(len, groups.values())) <= _FEW_CORES
    homes = [
        other
        for other in groups
        if other.part == kind.part
        and other.max_khz is not None
        and (other.max_khz == kind.max_khz or (kind.max_khz is None and few))
        and (other.domain or kind.max_khz is None)
    ]
    homes = [home for home in homes if home.domain] or homes
    return homes[0] if len(homes) == 1 else kind


def _is_offline(core: int, info: CpuInfo, sysfs: CpuSysfs) -> bool:
    running = sysfs.online or info.listed
    return bool(running) and core not in running


def _lowest_khz(cores: Iterable[int], sysfs: CpuSysfs) -> int | None:
    clocks = (sysfs.clocks.get(core, CoreClock()).min_khz for core in cores)
    return min((khz for khz in clocks if khz), default=None)


def group_clusters(info: CpuInfo, sysfs: CpuSysfs) -> tuple[CpuCluster, ...]:
    """Clusters, slowest first; cores that tell nothing form one without a clock, first."""
    cores = _cores(info, sysfs)
    domains = {n: _domain(n, sysfs.clocks.get(n, CoreClock()), sysfs) for n in cores}
    parts = _own_parts(cores, info, sysfs, domains)
    shared = _shared_by_speed(info.shared_parts, _speeds(cores, sysfs)) if not parts else {}
    groups: dict[_Kind, list[int]] = {}
    for core in cores:
        max_khz = sysfs.clocks.get(core, CoreClock()).max_khz
        silent = len(cores) > _FEW_CORES and max_khz is None and _is_offline(core, info, sysfs)
        part = parts.get(core) or (None if silent else shared.get(max_khz))
        kind = _Kind(domains[core], max_khz, part)
        groups.setdefault(kind, []).append(core)
    merged: dict[_Kind, list[int]] = {}
    for kind, numbers in groups.items():
        merged.setdefault(_home(kind, groups), []).extend(numbers)
    clusters = (
        CpuCluster(tuple(sorted(numbers)), kind.max_khz, _lowest_khz(numbers, sysfs), kind.part)
        for kind, numbers in merged.items()
    )
    return tuple(sorted(clusters, key=lambda c: (c.max_khz or 0, c.cores)))
