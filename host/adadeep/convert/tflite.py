"""Converts Keras networks to .tflite."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
from typing import Any

import keras
import tensorflow as tf

from adadeep.convert.memory import require_memory
from adadeep.core import interrupts
from adadeep.core.errors import ConversionError
from adadeep.core.precision import Precision, finish
from adadeep.core.rows import Rows, each, together

# Of what becomes of the same network and precision; part of the key of every network.
CONVERSION_VERSION = 2
_LONGEST_REASON = 200
_LARGE = 5_000_000  # parameters: from here on 50 ms are nothing


def convert(
    model: keras.Model, precision: Precision, representative: Rows | None, sparse: bool
) -> bytes:
    """The network as .tflite with a batch of 1 (a free one makes XNNPACK refuse the graph).

    The file's inputs and outputs are in the order of the network's `inputs` and `outputs`, and
    nobody else has to know an order: the function that is converted takes and gives flat lists,
    and the converter keeps those.

    Args:
        model: a functional network or a Sequential one, of any inputs and outputs.
        precision: of weights and activations; inputs and outputs keep the network's types.
        representative: samples that a precision may take its ranges from, an array (n, ...) for
            each input in that order.
        sparse: store pruned kernels sparse, where the precision can.

    Raises:
        ConfigError: the network is too large for this computer's memory.
        ConversionError: the precision needs samples and there are none, or the converter fails.
        KeyboardInterrupt: Ctrl-C meanwhile, whatever the converter made of it.
    """
    if precision.needs_samples and (representative is None or not len(representative)):
        raise ConversionError(
            f"{precision.name} needs representative samples; give some of the training data."
        )
    require_room(model)
    try:
        samples = None if representative is None else as_taken(model, representative)
        converter = _converter(model)
        precision.configure(converter, samples, sparse and precision.stores_sparse)
        return finish(precision, bytes(converter.convert()))
    except Exception as error:  # the converter raises whatever MLIR gives it
        interrupts.raise_pending()  # and makes such an error of Ctrl-C, too
        raise ConversionError(
            f"Network {model.name!r} can't be converted to .tflite: {_reason(error)}"
        ) from error


def require_room(model: keras.Model) -> None:
    """Says so before anything long where this computer's memory won't do for a network.

    Raises:
        ConfigError: converting it needs more than there is.
    """
    if (weights := model.count_params()) > _LARGE:
        release_memory()
        require_memory(weights)


def release_memory() -> None:
    """Gives back what earlier conversions and trainings have left.

    Their graphs refer to themselves and wait for Python's collector, and the C library keeps what
    TensorFlow frees: of ResNet50's conversion 1.1 GB.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # not of every C library
        ctypes.CDLL(None).malloc_trim(0)


def as_taken(model: keras.Model, rows: Rows) -> Rows:
    """Samples in the types that the network's inputs have.

    Raises:
        ValueError: there are not as many arrays as inputs.
    """
    arrays = zip(each(rows), model.inputs, strict=True)
    return together(array.astype(end.dtype, copy=False) for array, end in arrays)


def flat_outputs(model: keras.Model, flat: tuple[Any, ...], training: bool = False) -> list[Any]:
    """What the network gives, in the order of `model.outputs`.

    Args:
        model: functional or Sequential.
        flat: a tensor an input, in the order of `model.inputs`.
        training: whether layers that behave otherwise in training do so.
    """
    is_flat = isinstance(model, keras.Sequential)  # which has no structure of its own
    taken = flat[0] if is_flat else keras.tree.pack_sequence_as(model.input, list(flat))
    return list(keras.tree.flatten(model(taken, training=training)))


def _converter(model: keras.Model) -> Any:
    """A converter of the network with a batch of 1.

    From a concrete function without the object it belongs to: the converter then freezes the
    variables in memory. `from_keras_model` goes through a SavedModel on disk and takes 1.5 times
    as long.
    """
    ends = zip(model.inputs, _input_names(model), strict=True)
    function = tf.function(
        lambda *flat: flat_outputs(model, flat),
        input_signature=[
            tf.TensorSpec((1, *end.shape[1:]), end.dtype, name=name) for end, name in ends
        ],
    )
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])


def _input_names(model: keras.Model) -> list[str]:
    """Of the file's inputs: "input" of a single one, else the network's own, made unique."""
    if len(model.inputs) == 1:
        return ["input"]
    names = [re.sub(r"\W", "_", end.name, flags=re.ASCII).lstrip("_") for end in model.inputs]
    lowered = [name.lower() for name in names]  # TensorFlow takes names that differ so for equal
    return [
        name if name[:1].isalpha() and lowered.count(name.lower()) == 1 else f"input_{number}"
        for number, name in enumerate(names)
    ]


def _reason(error: Exception) -> str:
    """The first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_LONGEST_REASON]
