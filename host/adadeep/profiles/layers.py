"""What a profile says of a layer's latency, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

from adadeep.core.device_profile import DeviceProfile, ProfileEntry
from adadeep.core.estimates import LatencyEstimate
from adadeep.core.noise import PRIOR

_TIMES = ("low_ms", "high_ms", "next_low_ms", "next_high_ms", "session_low_ms", "session_high_ms")


def layer_estimate(profile: DeviceProfile, entry: ProfileEntry) -> LatencyEstimate:
    """A measured layer's latency with the intervals of the device's noise.

    Args:
        profile: whose noise it is; without one what is true of most devices.
        entry: of its table, with a measurement.
    """
    assert entry.measurement
    found = (profile.noise or PRIOR).latency([entry.measurement])
    time_ms = profile.latency_ms(entry) or found.median_ms
    moved = time_ms / found.median_ms  # the reference was off its centre: so was the layer
    return replace(
        found, median_ms=time_ms, **{name: moved * getattr(found, name) for name in _TIMES}
    )
