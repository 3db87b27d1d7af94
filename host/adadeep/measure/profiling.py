"""Measures a table of single layers: the micro-benchmark of a profile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from adadeep.core.device_profile import ProfileEntry
from adadeep.core.errors import AgentError
from adadeep.core.measurement import Measurement, MeasureSettings
from adadeep.measure.layer_models import SingleLayer, tflite_of
from adadeep.measure.meter import LatencyMeter

# Shorter than for a model: a table has dozens of layers, and a fitted model averages over them.
LAYER_SETTINGS = MeasureSettings(
    launches=2, warmup_min_runs=3, warmup_min_ms=8.0, min_runs=20, max_runs=600,
    min_ms=40.0, max_ms=600.0, ci_relative=0.03,
)  # fmt: skip

Left = Mapping[tuple[str, MeasureSettings], Measurement]


def measure_layers(
    meter: LatencyMeter,
    layers: Sequence[SingleLayer],
    known: Mapping[str, ProfileEntry],
    on_entry: Callable[[ProfileEntry], None],
) -> tuple[ProfileEntry, ...]:
    """Measures layers one after the other.

    Args:
        meter: of the device.
        layers: what to measure.
        known: entries by key that are measured already; they are taken over.
        on_entry: told each new entry as it comes, before the device may forget it.

    Raises:
        TransientDeviceError: the device is gone; what came before was told to `on_entry`.
    """
    left = {(found.model_sha256, found.settings): found for found in meter.recovered}
    entries = []
    for single in layers:
        entry = known.get(single.key)
        if entry is None:
            entry = _measured(meter, single, left)
            on_entry(entry)
        entries.append(entry)
    return tuple(entries)


def _measured(meter: LatencyMeter, single: SingleLayer, left: Left) -> ProfileEntry:
    model = tflite_of(single)
    found = left.get((hashlib.sha256(model).hexdigest(), meter.settings))
    precision = str(single.precision)
    try:
        return ProfileEntry(single.key, single.layer, precision, found or meter.measure(model))
    except AgentError as error:  # this device's runtime can't run this layer: data too
        return ProfileEntry(single.key, single.layer, precision, error=str(error))
