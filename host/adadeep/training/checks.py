"""Whether a user's samples can be fed to a network: one sentence for the first fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array
from adadeep.training.ends import End, Meaning, Port, pieces, spread
from adadeep.training.given import Given, Samples

_FEW = 10  # samples of a class, for a note
_UNEVEN = 3.0  # times as many samples of the largest class as of the smallest, for a note
_BYTES = 2.0  # values above are no 0..1


def fitted(given: Given, inputs: tuple[Port, ...]) -> Given:
    """The same with arrays of the shapes and types that the network takes.

    Raises:
        ConfigError: they can't be fed; says what to do.
    """
    parts = {
        name: None if part is None else _fitted(part, inputs, f"{given.source}{suffix}")
        for name, part, suffix in (
            ("samples", given.samples, ""),
            ("test", given.test, ", test"),
            ("val", given.val, ", val"),
        )
    }
    made = replace(given, **parts)  # type: ignore[arg-type]
    if made.samples.y is None and (made.test or made.val):
        return made
    for part in (made.test, made.val):
        if part is not None and (part.y is None) != (made.samples.y is None):
            raise ConfigError(
                f"{given.source} has labels of some samples and not of others; give all, or none."
            )
    return made


def _fitted(samples: Samples, inputs: tuple[Port, ...], where: str) -> Samples:
    lengths = {array.shape[0] if array.ndim else -1 for array in samples.arrays}
    if len(lengths) != 1 or -1 in lengths:
        shown = ", ".join(str(len(a) if a.ndim else "no") for a in samples.arrays)
        raise ConfigError(
            f"{where}: arrays of different lengths ({shown} rows); give one row a sample in each."
        )
    if not len(samples):
        raise ConfigError(f"{where}: there are no samples; give 50 or more.")
    x = tuple(_input(a, port, where) for a, port in zip(samples.x, inputs, strict=True))
    y = samples.y and tuple(_labels(array, where) for array in samples.y)
    weight = None if samples.weight is None else _weight(samples.weight, where)
    group = samples.group
    if group is not None and group.ndim != 1:
        raise ConfigError(f"{where}: give one group a sample, not an array of {group.shape}.")
    return Samples(x, y, group, weight)


def _input(array: Array, port: Port, where: str) -> Array:
    shape = array.shape[1:]
    if not _fits(shape, port.shape) and _fits((*shape, 1), port.shape):
        array = array[..., np.newaxis]
    elif not _fits(shape, port.shape):
        wanted = tuple("any" if size is None else size for size in port.shape)
        raise ConfigError(
            f"{where}: samples for {port.name!r} are of shape {shape}, the network takes"
            f" ({', '.join(map(str, wanted))}); give (samples, ...) of that shape."
        )
    if array.dtype.kind not in "buif":
        raise ConfigError(
            f"{where}: samples for {port.name!r} are {one_line(array.dtype.name, 20)}; give"
            " numbers: uint8 or float32."
        )
    return _sound(array, port, where)


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        size is None or size == got for got, size in zip(shape, wanted, strict=True)
    )


def _sound(array: Array, port: Port, where: str) -> Array:
    """Finite, and as uint8, int32 or float32."""
    if port.dtype.startswith(("int", "uint")):
        return array.astype(port.dtype) if array.dtype != port.dtype else array
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    with np.errstate(over="ignore"):
        plain = array if array.dtype in (np.uint8, np.float32) else array.astype(np.float32)
    if plain.dtype.kind == "f" and not all(np.isfinite(part).all() for part in pieces(plain)):
        raise ConfigError(
            f"{where}: samples for {port.name!r} hold NaN, or values that are not finite; leave"
            " those samples out, or mend them."
        )
    return plain


def _labels(array: Array, where: str) -> Array:
    if array.dtype.kind not in "buif":
        raise ConfigError(
            f"{where}: labels are {one_line(array.dtype.name, 20)}; give numbers: of classes"
            " 0, 1, 2, ..."
        )
    if array.dtype.kind == "f" and not all(np.isfinite(part).all() for part in pieces(array)):
        raise ConfigError(
            f"{where}: labels hold NaN, or values that are not finite; leave those samples out."
        )
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _weight(weight: Array, where: str) -> Array:
    sound = weight.ndim == 1 and weight.dtype.kind in "buif"
    if not sound or not (np.isfinite(weight).all() and weight.min() >= 0 and weight.max() > 0):
        raise ConfigError(
            f"{where}: weights must be numbers of 0 or more, one a sample, some above 0."
        )
    return (weight / weight.mean()).astype(np.float32)


def require_classes(end: End, labels: Array, where: str) -> None:
    """Of an output whose labels are classes or flags: they are among them, and of two at least.

    Raises:
        ConfigError: they are not; says how they are to be counted.
    """
    if end.meaning is Meaning.VALUES:
        return
    low, high = spread(labels)
    if end.is_hot:
        low, high = 0, 0
    if low < 0 or high >= end.classes:
        begin = "they count from 1: take 1 off" if low == 1 else "count them from 0"
        raise ConfigError(
            f"{where}: labels of {end.name!r} are from {low:g} to {high:g}, the network's classes"
            f" from 0 to {end.classes - 1}; {begin}, or use a network with as many outputs."
        )
    _require_two(counts_of(end, labels), end, where)


def _require_two(counts: Array, end: End, where: str) -> None:
    if (counts > 0).sum() < 2:
        raise ConfigError(
            f"{where}: all samples have the label {int(counts.argmax())} of {end.name!r}; give"
            " samples of two classes or more."
        )


def counts_of(end: End, labels: Array) -> Array:
    """How many labels there are of each class."""
    total = np.zeros(end.classes, np.int64)
    for part in pieces(labels):
        found = part.argmax(axis=-1) if end.is_hot else part
        total += np.bincount(np.asarray(found, np.int64).ravel(), minlength=end.classes)
    return total


def class_notes(end: End, labels: Array, names: tuple[str, ...]) -> list[str]:
    """What is odd about how many samples the classes have."""
    if end.meaning is Meaning.VALUES or not end.is_one:
        return []
    counts = counts_of(end, labels)

    def shown(numbers: Array) -> str:
        texts = [names[n] if n < len(names) else str(n) for n in numbers[:5]]
        return one_line(", ".join(texts) + (", ..." if len(numbers) > 5 else ""), 80)

    notes = []
    missing, few = np.flatnonzero(counts == 0), np.flatnonzero((counts > 0) & (counts < _FEW))
    if len(missing):
        notes.append(f"no samples of {len(missing)} of {end.classes} classes: {shown(missing)}")
    if len(few):
        notes.append(f"fewer than {_FEW} samples of {shown(few)}")
    least, most = counts[counts > 0].min(), counts.max()
    if most >= _UNEVEN * least:
        notes.append(
            f"classes are uneven: {least} to {most} samples each; --metric balanced_accuracy"
            " counts each class the same, class_weight in --train trains so"
        )
    return notes


def value_notes(samples: Samples, inputs: tuple[Port, ...], rescales: bool) -> list[str]:
    """What is odd about the range of the samples."""
    if rescales:
        return []
    notes = []
    for array, port in zip(samples.x, inputs, strict=True):
        low, high = spread(array)
        if len(port.shape) == 3 and high > _BYTES and not port.dtype.startswith(("int", "uint")):
            notes.append(
                f"samples for {port.name!r} are from {low:g} to {high:g}, and no layer of the"
                " network rescales them: they are fed as they are"
            )
    return notes
