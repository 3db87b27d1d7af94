"""What differs between two profiles: facts, and the speed of the layers that both measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

from adadeep.core.device import Battery, DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileEntry
from adadeep.core.estimates import LatencyEstimate
from adadeep.profiles.layers import layer_estimate
from adadeep.profiles.schema import core_text


@dataclass(frozen=True, slots=True)
class FactDifference:
    """A fact that differs.

    Attributes:
        name: of the field: "ram_bytes", "battery.capacity_mah".
        first: its value in the first profile as text; None if unknown there.
        second: likewise.
    """

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """One layer that both profiles measured with as many threads.

    Attributes:
        key: of the layer.
        threads: of the runtime.
        first: latency in the first profile, with the interval of that device's noise.
        second: in the second.
    """

    key: str
    threads: int
    first: LatencyEstimate
    second: LatencyEstimate

    @property
    def ratio(self) -> float:
        """Median of the second over that of the first: above 1 the second is slower."""
        return self.second.median_ms / self.first.median_ms

    @property
    def overlaps(self) -> bool:
        """Whether the 95 % intervals of the devices' centres meet: then they may be equal."""
        first, second = self.first, self.second
        return first.low_ms <= second.high_ms and second.low_ms <= first.high_ms


@dataclass(frozen=True, slots=True)
class ProfileDiff:
    """The difference of two profiles.

    Attributes:
        first: name of the first.
        second: name of the second.
        facts: those that differ.
        entries: layers that both measured.
        only_first: keys of the layers that only the first measured.
        only_second: likewise.
    """

    first: str
    second: str
    facts: tuple[FactDifference, ...]
    entries: tuple[EntryDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @property
    def mean_ratio(self) -> float | None:
        """Geometric mean of the ratios; None if no layer is in both."""
        if not self.entries:
            return None
        logarithms = [math.log(entry.ratio) for entry in self.entries]
        return math.exp(math.fsum(logarithms) / len(logarithms))


def _fact_texts(facts: DeviceFacts) -> Iterator[tuple[str, str | None]]:
    battery = facts.battery or Battery()
    for field in dataclasses.fields(facts):
        value = getattr(facts, field.name)
        if field.name == "battery":
            yield "battery.capacity_mah", _text(battery.capacity_mah)  # the rest is of the moment
        elif field.name == "clusters":
            yield (
                field.name,
                "; ".join(
                    f"{core_text(c.cores)} {c.part or '?'} {c.max_khz or '?'} kHz" for c in value
                )
                or None,
            )
        elif field.name == "caches":
            sizes = {f"L{c.level} {c.type} {c.size_bytes}" for c in value}
            yield field.name, "; ".join(sorted(sizes)) or None
        else:
            yield field.name, _text(value)


def _text(value: object) -> str | None:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)


def _measured(profile: DeviceProfile) -> dict[tuple[str, int], ProfileEntry]:
    """Measured layers by key and threads; of several runtimes the first."""
    found: dict[tuple[str, int], ProfileEntry] = {}
    for entry in profile.entries:
        if entry.measurement:
            found.setdefault((entry.key, entry.measurement.settings.threads), entry)
    return found


def diff(first: DeviceProfile, second: DeviceProfile) -> ProfileDiff:
    """Compares two profiles; entries are in the order of the first."""
    facts = (
        FactDifference(name, a, b)
        for (name, a), (_, b) in zip(
            _fact_texts(first.facts), _fact_texts(second.facts), strict=True
        )
        if a != b
    )
    mine, theirs = _measured(first), _measured(second)

    def compared(slot: tuple[str, int]) -> EntryDifference:
        pair = (layer_estimate(first, mine[slot]), layer_estimate(second, theirs[slot]))
        return EntryDifference(*slot, *pair)

    return ProfileDiff(
        first=first.name,
        second=second.name,
        facts=tuple(facts),
        entries=tuple(compared(slot) for slot in mine if slot in theirs),
        only_first=tuple(key for key, threads in mine if (key, threads) not in theirs),
        only_second=tuple(key for key, threads in theirs if (key, threads) not in mine),
    )
