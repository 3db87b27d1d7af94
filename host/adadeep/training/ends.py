"""What goes into a network and what comes out of it: names, shapes, and what numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array

if TYPE_CHECKING:
    import keras

_AT_ONCE = 4096  # samples of labels that may lie on disk
_CLOSE = 1e-3


class Meaning(StrEnum):
    """What the numbers of an output are."""

    CLASSES = "classes"  # the last axis has a number for each class
    FLAGS = "flags"  # each number answers yes or no for itself
    VALUES = "values"


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network.

    Attributes:
        names: by which it may be called: that of its layer, and its key where ends are a dict.
        shape: of one sample.
        dtype: that the network takes or gives.
        activation: of the layer that gives it: "softmax", "sigmoid", ...; "" of an input.
    """

    names: tuple[str, ...]
    shape: tuple[int | None, ...]
    dtype: str
    activation: str = ""

    @property
    def name(self) -> str:
        """The first one."""
        return self.names[0]


@dataclass(frozen=True, slots=True)
class End:
    """What an output means, as its labels tell.

    Attributes:
        name: of the output.
        meaning: of its numbers.
        is_raw: whether they are before the softmax or the sigmoid.
        is_hot: whether the labels hold a number for each class, too, and not the class's own.
        classes: how many classes there are; 2 for flags, 0 for values.
        is_one: whether a sample has one answer, and not one a pixel or several.
        low: the least label, of values.
        high: the greatest.
    """

    name: str = "output"
    meaning: Meaning = Meaning.CLASSES
    is_raw: bool = False
    is_hot: bool = False
    classes: int = 0
    is_one: bool = True
    low: float = 0.0
    high: float = 1.0

    def answers(self, outputs: Array) -> Array:
        """The classes (n, ...) or flags (n, ...) that outputs stand for."""
        if self.meaning is Meaning.CLASSES:
            return np.asarray(outputs.argmax(axis=-1))
        return np.asarray(outputs > (0.0 if self.is_raw else 0.5), np.int64)

    def truth(self, labels: Array, outputs: Array) -> Array:
        """Labels as `answers` has the outputs."""
        if self.meaning is Meaning.CLASSES:
            if labels.ndim == outputs.ndim and labels.shape[-1] == outputs.shape[-1]:
                return np.asarray(labels.argmax(axis=-1))
            return labels.reshape(outputs.shape[:-1])
        same = labels.reshape(outputs.shape)
        if same.dtype.kind == "f":  # of another network: its outputs
            return self.answers(same)
        return np.asarray(same, np.int64)


A_CLASS = End()
A_VALUE = End(meaning=Meaning.VALUES)


def ports(model: keras.Model) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """A network's inputs and outputs, in the order of `model.inputs` and `model.outputs`."""
    keys = _keys(getattr(model, "_inputs_struct", None), len(model.inputs))
    inputs = (
        Port(_names(tensor.name, key), tuple(tensor.shape[1:]), str(tensor.dtype))
        for tensor, key in zip(model.inputs, keys, strict=True)
    )
    return tuple(inputs), tuple(_outputs(model))


def _outputs(model: keras.Model) -> list[Port]:
    keys = _keys(getattr(model, "_outputs_struct", None), len(model.outputs))
    names = getattr(model, "output_names", None) or [tensor.name for tensor in model.outputs]
    return [
        Port(
            _names(str(name), key), tuple(tensor.shape[1:]), str(tensor.dtype), activation(tensor)
        )
        for tensor, name, key in zip(model.outputs, names, keys, strict=True)
    ]


def _names(name: str, key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in (key, name) if one))


def _keys(structure: Any, count: int) -> list[str]:
    """Keys of a flat dictionary in the order that Keras flattens it; else empty texts."""
    if isinstance(structure, dict) and len(structure) == count:
        return [str(key) for key in sorted(structure)]
    return [""] * count


def activation(tensor: Any) -> str:
    """Name of the activation that a symbolic tensor comes out of; "linear" if of none."""
    operation, _, index = tensor._keras_history
    inner = getattr(operation, "outputs", None)
    if inner and hasattr(operation, "layers"):  # a nested network
        return activation(inner[index])
    kind = type(operation).__name__.lower()
    if kind in ("softmax", "sigmoid"):
        return kind
    if kind in ("reshape", "flatten", "squeeze", "dropout", "identity"):
        return activation(tensor=operation._inbound_nodes[0].input_tensors[0])
    return str(getattr(getattr(operation, "activation", None), "__name__", "linear"))


def end_of(port: Port, labels: Array) -> End:
    """What an output means, by its shape, its activation and its labels.

    Args:
        port: the output.
        labels: (n, ...) of some samples, finite.

    Raises:
        ConfigError: the labels do not fit its shape.
    """
    shape, size = port.shape, port.shape[-1] if port.shape else 1
    given = labels.shape[1:]
    are_whole = labels.dtype.kind in "iub"
    if size != 1 and given in (shape[:-1], (*shape[:-1], 1)) and given != shape:
        if not are_whole and not _are_whole(labels):
            raise ConfigError(
                f"the labels of {port.name!r} are fractions, one a sample, and the network gives"
                f" {size} numbers; give whole numbers from 0 to {(size or 1) - 1}, the classes."
            )
        is_raw = port.activation != "softmax"
        return End(port.name, Meaning.CLASSES, is_raw, classes=size or 0, is_one=len(shape) == 1)
    if given != shape and _bare(given) != _bare(shape):
        raise ConfigError(
            f"the labels of {port.name!r} are of shape {given} a sample, the network gives"
            f" {shape}; give one class a sample, or labels of that shape."
        )
    return _alike(port, labels, size or 1)


def _bare(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Without a last axis of 1."""
    return shape[:-1] if shape and shape[-1] == 1 else shape


def _alike(port: Port, labels: Array, size: int) -> End:
    """Of labels that have the output's shape."""
    low, high = spread(labels)
    hot = size > 1 and low >= 0 and _are_shares(labels)
    is_one = len(port.shape) <= 1
    if hot and port.activation in ("softmax", "linear"):
        return End(port.name, Meaning.CLASSES, port.activation != "softmax", True, size, is_one)
    only_flags = 0 <= low <= high <= 1
    if only_flags and port.activation == "sigmoid":
        return End(port.name, Meaning.FLAGS, False, classes=2, is_one=is_one and size == 1)
    if only_flags and labels.dtype.kind in "iub" and port.activation == "linear":
        return End(port.name, Meaning.FLAGS, True, classes=2, is_one=is_one and size == 1)
    return End(port.name, Meaning.VALUES, low=low, high=high if high > low else low + 1.0)


def spread(values: Array) -> tuple[float, float]:
    """The least and the greatest of at least one value."""
    lows, highs = zip(*((part.min(), part.max()) for part in pieces(values)), strict=True)
    return float(min(lows)), float(max(highs))


def pieces(values: Array) -> list[Array]:
    """Views of some thousand rows each."""
    return [values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE)]


def _are_whole(labels: Array) -> bool:
    return all(np.array_equal(part, np.round(part)) for part in pieces(labels))


def _are_shares(labels: Array) -> bool:
    """Whether the last axis always sums to 1."""
    return all(
        bool(np.all(np.abs(part.sum(axis=-1, dtype=np.float64) - 1) < _CLOSE))
        for part in pieces(labels)
    )
