"""Precision: a number format of weights and activations, and what the converter does for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from adadeep.core.rows import Rows


class Precision(Protocol):
    """A number format of the whole network.

    A precision may have more: `is_searched`, `keeps_ends` and `finish`; see the functions of
    those names. One that has none of them is searched, is of all layers, and takes what the
    converter gives.

    Attributes:
        name: in the registry, in plans: "int8".
        title: for people.
        weight_bits: bits a stored weight.
        activation_bits: bits an element between two layers.
        stores_sparse: whether kernels with many zeros are stored without them.
        needs_samples: whether `configure` takes ranges from samples.
        runs_as_trained: whether the .tflite computes what Keras does, so that a network may be
            judged by Keras' outputs, which are quicker to be had.
        tolerance: the largest difference of an output between two runtimes that is none of the
            model's: kernels differ in the order of their sums and in how they round.
    """

    name: str
    title: str
    weight_bits: int
    activation_bits: int
    stores_sparse: bool
    needs_samples: bool
    runs_as_trained: bool
    tolerance: float

    def configure(self, converter: Any, samples: Rows | None, sparse: bool) -> None:
        """Sets up a `tf.lite.TFLiteConverter`. Inputs and outputs keep their types.

        Args:
            converter: is changed.
            samples: of the training data, an array (n, ...) for each input, in the network's own
                types; at least one if `needs_samples`.
            sparse: whether kernels are to be stored without their zeros; only if `stores_sparse`.
        """
        ...


def is_searched(precision: Precision) -> bool:
    """Whether a search tries it without being told to: yes, unless it says no."""
    return bool(getattr(precision, "is_searched", True))


def keeps_ends(precision: Precision) -> bool:
    """Whether the first and the last layer with weights stay as they were trained."""
    return bool(getattr(precision, "keeps_ends", False))


def finish(precision: Precision, converted: bytes) -> bytes:
    """What the precision makes of what the converter gave: the .tflite.

    Args:
        precision: that set up the converter.
        converted: a .tflite, or what `configure` had the converter give in its place.
    """
    last: Callable[[bytes], bytes] | None = getattr(precision, "finish", None)
    return converted if last is None else last(converted)
