"""The time of a network as the layers in a profile's table let expect it.

By kind of layer and precision t = a * MACs + b * bytes moved + c, with a, b and c not negative,
fitted to the medians of the table by least squares of the relative errors; a network's time is the
sum over its layers. A kind of which too little was measured is told by a fit of all kinds. No c is
more than the quickest layer of the table took: else what large layers of a kind waste would be
taken for what every small one takes, and to divide a layer into smaller ones would never pay.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adadeep.core.device_profile import DeviceProfile
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.measurement import Measurement
from adadeep.core.precision import Precision

Floats = npt.NDArray[np.float64]
Bits = tuple[int, int]

_FEWEST = 3  # layers of a precision, for any fit: there are three numbers to be found
# Layers of a kind, for a fit of its own. A sixth of a table told the other layers 23 % off
# (median) with 3 or 4 here, 21 % with 5.
_FEWEST_OF_KIND = 5
# What the converter folds into the layer before, or what moves nothing.
_FREE = (LayerKind.RESHAPE, LayerKind.BATCH_NORM, LayerKind.ACTIVATION)


@dataclass(frozen=True, slots=True)
class MeasuredWay:
    """How layers of a profile were measured: those of another way are not to be compared.

    Attributes:
        runtime: that ran them: "ai_edge_litert".
        threads: of the runtime.
    """

    runtime: str
    threads: int

    @classmethod
    def of(cls, measured: Measurement) -> MeasuredWay:
        """How that was measured."""
        return cls(measured.agent.runtime, measured.settings.threads)


def measured_ways(profile: DeviceProfile) -> tuple[MeasuredWay, ...]:
    """In which ways a profile's layers were measured, each once."""
    measured = (entry.measurement for entry in profile.entries)
    return tuple(dict.fromkeys(MeasuredWay.of(one) for one in measured if one))


@dataclass(frozen=True, slots=True)
class _Table:
    """The measured layers of a precision.

    Attributes:
        kinds: of the layers; (n,).
        amounts: MACs, bytes moved and 1; (n, 3).
        times_ms: medians; (n,).
    """

    kinds: npt.NDArray[np.str_]
    amounts: Floats
    times_ms: Floats

    def fit(self, kind: LayerKind, without: int | None = None) -> Floats | None:
        """What MACs, bytes and a layer of a kind take, in ms; (3,). None of too few layers.

        Args:
            kind: of which; all kinds where too few layers are of it.
            without: number of a layer that is left out.
        """
        kept = np.arange(len(self.times_ms)) != without
        own = kept & (self.kinds == str(kind))
        chosen = own if own.sum() >= _FEWEST_OF_KIND else kept
        if chosen.sum() < _FEWEST:
            return None
        most_ms = float(self.times_ms[kept].min())
        return fitted(self.amounts[chosen], self.times_ms[chosen], most_ms)

    def errors(self) -> Iterator[float]:
        """Of each layer, relative, told by a fit to the others; not of those it can't tell."""
        for place, (kind, time_ms) in enumerate(zip(self.kinds, self.times_ms, strict=True)):
            found = self.fit(LayerKind(kind), without=place)
            if found is not None:
                yield abs(float(self.amounts[place] @ found) / float(time_ms) - 1)


class ProfileTimePrior:
    """A `TimePrior` fitted to a profile's table.

    Args:
        tables: by bits of weights and activations.
    """

    def __init__(self, tables: Mapping[Bits, _Table]) -> None:
        self._tables = tables
        self._fits: dict[tuple[Bits, LayerKind], Floats | None] = {}

    @classmethod
    def of(
        cls, profile: DeviceProfile, way: MeasuredWay, precisions: Mapping[str, Precision]
    ) -> ProfileTimePrior | None:
        """Of the layers that were measured so; None if they are too few.

        Disturbed ones count where a reference was measured in turn with them.

        Args:
            profile: of the device.
            way: runtime and threads.
            precisions: by name; layers in another one are left out.
        """
        found: dict[Bits, list[tuple[LayerSpec, float]]] = defaultdict(list)
        for entry in profile.entries:
            measured, precision = entry.measurement, precisions.get(entry.precision)
            if measured is None or precision is None:
                continue
            if measured.disturbed and entry.reference_ms is None:
                continue  # what disturbs a layer disturbs the reference beside it, too
            if MeasuredWay.of(measured) == way:
                layer = _in_precision(entry.layer, precision)
                time_ms = profile.latency_ms(entry) or measured.latency_ms
                found[_bits(layer)].append((layer, time_ms))
        tables = {bits: _table(rows) for bits, rows in found.items() if len(rows) >= _FEWEST}
        return cls(tables) if tables else None

    @cached_property
    def relative_error(self) -> float | None:
        """The median error of a layer of the table, told by all the others: 0.12 is 12 %.

        None where too few layers were measured to leave one out.
        """
        errors = [error for table in self._tables.values() for error in table.errors()]
        return float(np.median(errors)) if errors else None

    def latency_ms(self, spec: ModelSpec) -> float | None:
        """See `TimePrior`."""
        total = 0.0
        for layer in spec.layers:
            if layer.kind in _FREE:
                continue
            fit = self._fit(_bits(layer), layer.kind)
            if fit is None:
                return None
            total += float(_amounts(layer) @ fit)
        return total

    def _fit(self, bits: Bits, kind: LayerKind) -> Floats | None:
        key = bits, kind
        if key not in self._fits:
            table = None if kind is LayerKind.OTHER else self._tables.get(bits)
            self._fits[key] = None if table is None else table.fit(kind)
        return self._fits[key]


def fitted(amounts: Floats, times_ms: Floats, most_ms: float = math.inf) -> Floats:
    """What a unit of each amount takes, none less than 0, by least squares of relative errors.

    Args:
        amounts: MACs, bytes and 1, none negative; (n, 3).
        times_ms: greater than 0; (n,).
        most_ms: that the last, a layer for itself, takes.

    Returns:
        (3,).
    """
    relative = amounts / times_ms[:, np.newaxis]
    found = _least_squares(relative, np.ones(len(times_ms)))
    if found[-1] <= most_ms:
        return found
    # One bound that is passed holds with equality at the optimum, for the problem is convex.
    rest = _least_squares(relative[:, :-1], 1 - most_ms / times_ms)
    return np.array([*rest, most_ms])


def _least_squares(columns: Floats, wanted: Floats) -> Floats:
    """Coefficients that are not negative: of (n, k) and (n,), (k,).

    All choices of those that are more than 0 are tried: of three that is exact and quick.
    """
    count = columns.shape[1]
    sizes = np.linalg.norm(columns, axis=0)
    sizes = np.where(sizes > 0, sizes, 1.0)
    best, least = np.zeros(count), float(np.square(wanted).sum())
    for support in _supports(count):
        chosen = columns[:, support] / sizes[support]
        found = np.linalg.lstsq(chosen, wanted, rcond=None)[0]
        left = float(np.square(chosen @ found - wanted).sum())
        if found.min() >= 0 and left < least:
            best, least = np.zeros(count), left
            best[support] = found
    return np.asarray(best / sizes)


def _supports(count: int) -> list[list[int]]:
    """Every non-empty choice of so many columns."""
    sizes, places = range(1, count + 1), range(count)
    return [list(chosen) for size in sizes for chosen in itertools.combinations(places, size)]


def _table(rows: list[tuple[LayerSpec, float]]) -> _Table:
    return _Table(
        kinds=np.array([str(layer.kind) for layer, _ in rows]),
        amounts=np.array([_amounts(layer) for layer, _ in rows]),
        times_ms=np.array([time_ms for _, time_ms in rows]),
    )


def _amounts(layer: LayerSpec) -> Floats:
    """MACs, bytes of weights and of activations in and out, and 1 for the layer itself."""
    read = math.prod(layer.input_shape) * max(1, len(layer.inputs))
    activation_bits = (read + layer.activations) * layer.activation_bits
    moved = (layer.nonzero_weights * layer.weight_bits + activation_bits) / 8
    return np.array([layer.macs, moved, 1.0])


def _bits(layer: LayerSpec) -> Bits:
    return layer.weight_bits, layer.activation_bits


def _in_precision(layer: LayerSpec, precision: Precision) -> LayerSpec:
    alone = ModelSpec(layer.name, layer.input_shape, (layer,))
    return alone.in_precision(precision).layers[0]
