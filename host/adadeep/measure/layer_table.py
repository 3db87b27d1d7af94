"""The layers of a profile's table, measured several in turn with one small network of ours."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from adadeep.core.device_profile import ProfileEntry
from adadeep.core.errors import AgentError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether
from adadeep.measure.faults import CRASHED, OVERDUE
from adadeep.measure.layer_models import SingleLayer, tflite_of
from adadeep.measure.meter import LatencyMeter
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.reference_models import SHARP, reference_model

# Shorter than for a model: a table has dozens of layers, and a fitted model averages over them.
LAYER_PLAN = MeasuringPlan(
    placements=4, least_placements=4, placement_ms=160.0, block_ms=5.0, drop_ms=0.5,
    warmup_ms=5.0, block_timings=40, max_ms=2500.0,
)  # fmt: skip
_IN_TURN = 7  # layers a session, beside the reference

OnEntries = Callable[[Sequence[ProfileEntry]], None]


@dataclass(frozen=True, slots=True)
class _Layer:
    single: SingleLayer
    model: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.model).hexdigest()

    def failed(self, error: AgentError) -> ProfileEntry:
        single = self.single
        return ProfileEntry(single.key, single.layer, single.precision, error=str(error))

    def told(self, session: MeasuredTogether, reference: bytes | None) -> ProfileEntry:
        """Its entry, with what the reference took in the same session."""
        beside = session.of(hashlib.sha256(reference).hexdigest()) if reference else None
        single = self.single
        return ProfileEntry(
            single.key, single.layer, single.precision, session.of(self.sha256),
            reference_ms=beside.latency_ms if beside else None,
        )  # fmt: skip


def measure_layers(
    meter: LatencyMeter,
    layers: Sequence[SingleLayer],
    known: Mapping[str, ProfileEntry],
    on_entries: OnEntries,
) -> tuple[ProfileEntry, ...]:
    """Measures layers, several a session.

    Args:
        meter: of the device; what waits there of this study is taken over.
        layers: what to measure.
        known: entries by key that are measured already; they are taken over.
        on_entries: told what a session told of new ones, before the device may forget it.

    Returns:
        An entry for each layer, in their order.

    Raises:
        TransientDeviceError: the device is gone; what came before was told to `on_entries`.
        AgentError: the runtime does not survive the network of ours.
    """
    done = dict(known)

    def keep(entries: Sequence[ProfileEntry]) -> None:
        done.update((entry.key, entry) for entry in entries)
        on_entries(entries)

    missing = [_Layer(one, tflite_of(one)) for one in layers if one.key not in done]
    _take_over(meter, missing, keep)
    missing = [layer for layer in missing if layer.single.key not in done]
    for group in _groups(missing):
        keep(list(_entries(meter, group, reference_model(SHARP))))
    return tuple(done[single.key] for single in layers)


def _groups(layers: Sequence[_Layer]) -> Iterator[list[_Layer]]:
    for first in range(0, len(layers), _IN_TURN):
        yield list(itertools.islice(layers, first, first + _IN_TURN))


def _take_over(meter: LatencyMeter, layers: Sequence[_Layer], keep: OnEntries) -> None:
    """What waits on the device becomes entries, and only then the device may forget it."""
    reference = reference_model(SHARP)
    for session in meter.recovered:
        found = [layer for layer in layers if session.of(layer.sha256)]
        if found and session.measurements[0].target.key == meter.target.key:
            keep([layer.told(session, reference) for layer in found])
            meter.acknowledge([session.id])


def _entries(
    meter: LatencyMeter, layers: Sequence[_Layer], reference: bytes | None
) -> Iterator[ProfileEntry]:
    """Of layers that are measured in turn; of those that can't be run the reason."""
    if not layers:
        return
    models = [layer.model for layer in layers] + ([reference] if reference else [])
    try:
        session = meter.measure(models, LAYER_PLAN)
    except AgentError as error:
        yield from _without_the_fault(meter, layers, reference, error)
    else:
        yield from (layer.told(session, reference) for layer in layers)


def _without_the_fault(
    meter: LatencyMeter, layers: Sequence[_Layer], reference: bytes | None, error: AgentError
) -> Iterator[ProfileEntry]:
    """The same without what is at fault; each alone where nobody knows what that is."""
    guilty = [layer for layer in layers if model_name(layer.model) == error.model]
    if reference and error.model == model_name(reference):
        if error.code in (CRASHED, OVERDUE):
            raise error
        yield from _entries(meter, layers, None)
    elif len(layers) == 1:
        yield layers[0].failed(error)
    elif guilty:
        yield guilty[0].failed(error)
        yield from _entries(meter, [one for one in layers if one not in guilty], reference)
    else:
        for layer in layers:
            yield from _entries(meter, [layer], reference)
