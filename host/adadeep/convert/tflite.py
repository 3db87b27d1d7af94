"""Converts Keras networks to .tflite."""

from __future__ import annotations

from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf

from adadeep.core import interrupts
from adadeep.core.errors import ConversionError
from adadeep.core.precision import Precision

# Of what becomes of the same network and precision; part of the key of every network.
CONVERSION_VERSION = 2
_LONGEST_REASON = 200


def convert(
    model: keras.Model,
    precision: Precision,
    representative: npt.NDArray[Any] | None,
    sparse: bool,
) -> bytes:
    """The network as .tflite with a batch of 1 (a free one makes XNNPACK refuse the graph).

    Args:
        model: a network with one input.
        precision: of weights and activations; input and output stay float32.
        representative: (n, ...) samples that a precision may take its ranges from.
        sparse: store pruned kernels sparse, where the precision can.

    Raises:
        ConversionError: the precision needs samples and there are none, or the converter fails.
        KeyboardInterrupt: Ctrl-C meanwhile, whatever the converter made of it.
    """
    if precision.needs_samples and (representative is None or not len(representative)):
        raise ConversionError(
            f"{precision.name} needs representative samples; give some of the training data."
        )
    try:
        converter = _converter(model)
        precision.configure(converter, representative, sparse and precision.stores_sparse)
        return bytes(converter.convert())
    except Exception as error:  # the converter raises whatever MLIR gives it
        interrupts.raise_pending()  # and makes such an error of Ctrl-C, too
        raise ConversionError(
            f"Network {model.name!r} can't be converted to .tflite: {_reason(error)}"
        ) from error


def _converter(model: keras.Model) -> Any:
    """A converter of the network with a batch of 1.

    From a concrete function without the object it belongs to: the converter then freezes the
    variables in memory. `from_keras_model` goes through a SavedModel on disk and takes 1.5 times
    as long.
    """
    function = tf.function(
        lambda x: model(x, training=False),
        input_signature=[tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="input")],
    )
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])


def _reason(error: Exception) -> str:
    """The first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_LONGEST_REASON]
