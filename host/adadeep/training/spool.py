"""Samples that need not fit in memory: files without a name, which go with the process."""

from __future__ import annotations

import tempfile

import numpy as np

from adadeep.core.rows import Array
from adadeep.training.parts import Numbers

_AT_ONCE = 256  # samples that are copied together


def taken(array: Array, numbers: Numbers) -> Array:
    """Some rows, in that order; of an array on disk they stay on disk."""
    if not isinstance(array, np.memmap):
        return array[numbers]
    made = on_disk((len(numbers), *array.shape[1:]), array.dtype)
    for start in range(0, len(numbers), _AT_ONCE):
        made[start : start + _AT_ONCE] = array[numbers[start : start + _AT_ONCE]]
    return made


def on_disk(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    """An array of zeros in a file that nobody else sees and that goes with the process."""
    if not all(shape):
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile() as file:  # mapped, it outlives its name
        return np.memmap(file, dtype, "w+", shape=shape)
