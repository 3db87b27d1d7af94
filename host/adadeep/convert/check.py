"""Checks a .tflite against the network that it was made of, on real samples."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras
import numpy as np

from adadeep.convert.closeness import Agreement, require_close
from adadeep.convert.tflite import as_taken, flat_outputs
from adadeep.convert.verify import output_steps, run_tflite
from adadeep.core.precision import Precision
from adadeep.core.rows import Array, Rows, each, together

_MOST, _LEAST = 32, 8  # samples that are compared: what is broken shows on each
_ELEMENTS = 32 * 96 * 96 * 3  # about, of all of them: of large ones fewer, for they take seconds
# In one batch: Keras keeps all maps of a call, of ResNet50 150 MB a sample.
_BATCH_ELEMENTS = 8 * 96 * 96 * 3


def check(model: keras.Model, tflite: bytes, precision: Precision, samples: Rows) -> Agreement:
    """Runs both on some samples and compares what they give.

    Args:
        model: that was converted.
        tflite: what became of it.
        precision: of the .tflite.
        samples: an array (n, ...) for each input; at least one row.

    Raises:
        ConversionError: they differ by more than the precision allows (`require_close` says how
            much that is), or the runtime does not take the .tflite.
    """
    taken = as_taken(model, to_check(samples))
    given = run_tflite(tflite, taken)
    return require_close(outputs_of(model, taken), given, precision, output_steps(tflite))


def to_check(samples: Rows) -> Rows:
    """The first ones: 8 to 32, as large as they are."""
    return samples[: min(_MOST, max(_LEAST, _ELEMENTS // _elements(samples)))]


def outputs_of(model: keras.Model, samples: Rows) -> Rows:
    """What the network gives, in the order of its outputs."""
    parts = list(_batches(model, as_taken(model, samples)))
    return together(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def _batches(model: keras.Model, samples: Rows) -> Iterator[list[Array]]:
    size = max(1, _BATCH_ELEMENTS // _elements(samples))
    for start in range(0, len(samples), size):
        flat = each(samples[start : start + size])
        yield [np.asarray(tensor) for tensor in flat_outputs(model, flat)]


def _elements(samples: Rows) -> int:
    """Of one sample."""
    return max(1, sum(math.prod(array.shape[1:]) for array in each(samples)))
