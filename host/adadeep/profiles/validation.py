"""Checks of a profile that its reader can't make: what its parts say of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from adadeep.core.device_profile import DeviceProfile
from adadeep.core.measurement import Measurement
from adadeep.profiles.schema import is_profile_name

_FEWEST_RUNS = 6  # below, the interval of the median covers less than 95 %
_SLOW_MS = 500.0  # a layer of which so much was timed is a slow one


def problems_of(profile: DeviceProfile, path: Path | None = None) -> list[str]:
    """What is wrong with a profile, each naming the key; empty if nothing is.

    Args:
        profile: as loaded.
        path: of its TOML file, which must bear its name.
    """
    return [*_head_problems(profile, path), *_entry_problems(profile)]


def _head_problems(profile: DeviceProfile, path: Path | None) -> Iterator[str]:
    if not is_profile_name(profile.name):
        yield f"name: {profile.name!r} is no profile name"
    elif path and path.stem != profile.name:
        yield f"name: is {profile.name!r}, but the file is called {path.name}"
    for name, count in Counter(c.name for c in profile.capabilities).items():
        if count > 1:
            yield f"capabilities: {name} is there {count} times"


def _entry_problems(profile: DeviceProfile) -> Iterator[str]:
    keys = Counter(entry.slot for entry in profile.entries)
    for (key, *_), count in keys.items():
        if count > 1:
            yield f"entry {key}: is there {count} times"
    for entry in profile.entries:
        measurement = entry.measurement
        if (measurement is None) == (entry.error is None):
            yield f"entry {entry.key}: must have either a measurement or an error"
        if measurement:
            for problem in _measurement_problems(measurement):
                yield f"entry {entry.key}: measurement.{problem}"
            if measurement.device_fingerprint != profile.facts.fingerprint:
                yield (
                    f"entry {entry.key}: measurement.device_fingerprint: is not the one of the "
                    "profile's facts: measured on another device or another build"
                )


def _measurement_problems(measurement: Measurement) -> Iterator[str]:
    runs, timed_ms = measurement.runs, sum(measurement.runs_ms)
    if runs < _FEWEST_RUNS and timed_ms < _SLOW_MS:
        yield f"placements: {runs} timed runs are too few, {_FEWEST_RUNS} are the least"
