"""What int8 costs by layer: each quantised alone, and what the network's outputs are off then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from adadeep.convert.calibrated import Calibrated, Kernel, Operator
from adadeep.convert.check import outputs_of, to_check
from adadeep.convert.closeness import sqnr_db
from adadeep.convert.precisions.int8_inner import Int8Inner
from adadeep.convert.tflite import as_taken, convert
from adadeep.convert.verify import run_tflite
from adadeep.core.errors import ConversionError
from adadeep.core.rows import Rows, each

_MOST_PARTS = 16  # each takes a conversion of its own; layers of larger networks go together


@dataclass(frozen=True, slots=True)
class LayerLoss:
    """What is lost where a layer, or some that follow one another, are alone in int8.

    Attributes:
        layers: their names; of what has none in the network, the names in the .tflite.
        sqnr_db: signal to noise of the network's outputs then, in dB: the less, the more is lost;
            of the worst output. Infinite if nothing is, None where the runtime takes no such file.
    """

    layers: tuple[str, ...]
    sqnr_db: float | None


class _Ranges(Int8Inner):
    """Stops once the ranges are known."""

    def finish(self, converted: bytes) -> bytes:
        """What is to be quantised in part."""
        return converted


def int8_losses(model: keras.Model, representative: Rows, samples: Rows) -> tuple[LayerLoss, ...]:
    """By layer with a kernel, in order of execution; in at most 16 parts of the network.

    Args:
        model: to be converted.
        representative: that int8 takes its ranges from, an array (n, ...) for each input.
        samples: that outputs are compared on; at most the first 32 are.

    Raises:
        ConversionError: the network can't be converted.
    """
    calibrated = Calibrated(convert(model, _Ranges(), representative, sparse=False))
    taken = as_taken(model, to_check(samples))
    expected, kernels = outputs_of(model, taken), _kernels(model)
    found = []
    for part in _parts(calibrated.heavy):
        left = [one for one in calibrated.operators if one not in part]
        layers = dict.fromkeys(_layer_of(operator, kernels) for operator in part)
        found.append(
            LayerLoss(tuple(layers), _sqnr_db(calibrated.quantised(left), taken, expected))
        )
    return tuple(found)


def _sqnr_db(model: bytes, taken: Rows, expected: Rows) -> float | None:
    try:
        given = run_tflite(model, taken)
    except ConversionError:  # of a layer that gives nothing but zeros, for one
        return None
    return min(sqnr_db(*pair) for pair in zip(each(expected), each(given), strict=True))


def _parts(heavy: Sequence[Operator]) -> list[Sequence[Operator]]:
    """All of them, those that go together next to each other."""
    size = math.ceil(len(heavy) / _MOST_PARTS)
    return [heavy[start : start + size] for start in range(0, len(heavy), size or 1)]


def _kernels(model: keras.Model) -> list[tuple[str, Kernel]]:
    """(layer, its kernel) of the network's layers with some."""
    return [
        (layer.name, Kernel.of(np.asarray(weight)))
        for layer in model.layers
        for weight in layer.weights
        if len(weight.shape) > 1
    ]


def _layer_of(operator: Operator, kernels: Sequence[tuple[str, Kernel]]) -> str:
    """The layer whose kernel it has: names of operators don't tell layers with numbers apart."""
    alike = (name for name, own in kernels if operator.kernel and own.is_like(operator.kernel))
    return next(alike, operator.name)
