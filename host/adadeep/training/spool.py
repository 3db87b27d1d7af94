"""Samples that need not fit in memory: files without a name, which go with the process."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO, Any

import numpy as np

from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array
from adadeep.training.parts import Numbers

_AT_ONCE = 256  # samples that are copied together
_SPARE_BYTES = 1_000_000_000  # of the disk, that are left to others


def taken(array: Array, numbers: Numbers) -> Array:
    """Some rows, in that order; of an array on disk they stay on disk."""
    if not isinstance(array, np.memmap):
        return array[numbers]
    made = on_disk((len(numbers), *array.shape[1:]), array.dtype)
    for start in range(0, len(numbers), _AT_ONCE):
        made[start : start + _AT_ONCE] = array[numbers[start : start + _AT_ONCE]]
    return made


def on_disk(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array of zeros in a file that nobody else sees and that goes with the process.

    Raises:
        ConfigError: the disk has no room for it.
    """
    if not all(shape):
        return np.zeros(shape, dtype)
    _require_room(int(np.prod(shape)) * dtype.itemsize)
    with tempfile.TemporaryFile() as file:  # mapped, it outlives its name
        return np.memmap(file, dtype, "w+", shape=shape)


def _require_room(wanted: int) -> None:
    free = shutil.disk_usage(tempfile.gettempdir()).free - _SPARE_BYTES
    if wanted > free:
        raise ConfigError(
            f"the samples need {wanted / 1e9:.1f} GB of disk and {max(free, 0) / 1e9:.1f} GB are"
            " free; free some, set XDG_CACHE_HOME to another disk, or give fewer samples."
        )


def spooled(batches: Iterable[Sequence[Array]]) -> tuple[Array, ...]:
    """Batches of samples, each a sequence of arrays of as many rows, as arrays on disk.

    Raises:
        ConfigError: there are none, they differ in shape or type, or the disk is full.
    """
    waiting = iter(batches)
    first = next(waiting, None)
    if first is None:
        raise ConfigError("the data set is empty; give 50 samples or more.")
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in first]
        count = _written(files, first, chain([first], waiting))
        return tuple(
            np.memmap(file, part.dtype, "r+", shape=(count, *part.shape[1:]))
            for file, part in zip(files, first, strict=True)
        )


def _written(
    files: Sequence[IO[bytes]], first: Sequence[Array], batches: Iterator[Sequence[Array]]
) -> int:
    """Writes each array of each batch to its file; how many samples there were."""
    count = 0
    for batch in batches:
        _require_room(sum(part.nbytes for part in batch))
        for file, part, like in zip(files, batch, first, strict=True):
            if part.shape[1:] != like.shape[1:] or part.dtype != like.dtype:
                raise ConfigError(
                    f"the data set gives samples of shape {part.shape[1:]}, {part.dtype.name},"
                    f" after such of {like.shape[1:]}, {like.dtype.name}; make them alike."
                )
            file.write(np.ascontiguousarray(part).data)
        count += len(batch[0])
    if not count:
        raise ConfigError("the data set is empty; give 50 samples or more.")
    for file in files:
        file.flush()
    return count
