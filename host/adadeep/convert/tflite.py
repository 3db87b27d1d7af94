"""Converts Keras networks to .tflite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from adadeep.core import interrupts
from adadeep.core.errors import ConversionError
from adadeep.core.plan import Precision

_CALIBRATION_SAMPLES = 100
_LONGEST_REASON = 200


def convert(
    model: keras.Model,
    precision: Precision,
    representative: npt.NDArray[np.float32] | None,
    sparse: bool,
) -> bytes:
    """The network as .tflite with a batch of 1 (a free one makes XNNPACK refuse the graph).

    Args:
        model: a network with one input.
        precision: int8 quantises weights and activations; input and output stay float32, which
            costs nothing measurable (LeNet: 0.584 ms against 0.586 ms with int8 ones) and lets
            every caller feed any model alike.
        representative: (n, ...) samples that int8 takes its ranges from; the first 100 count.
            Not needed for float32.
        sparse: store pruned kernels sparse. Ignored under int8: XNNPACK refuses to run what the
            converter then writes.

    Raises:
        ConversionError: int8 without samples, or the converter fails.
        KeyboardInterrupt: Ctrl-C meanwhile, whatever the converter made of it.
    """
    if precision is Precision.INT8 and (representative is None or not len(representative)):
        raise ConversionError("int8 needs representative samples; give some of the training data.")
    try:
        converter = _converter(model)
        if precision is Precision.INT8:
            assert representative is not None
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = _samples(representative)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        elif sparse:
            converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
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


def _samples(representative: npt.NDArray[np.float32]) -> Callable[[], Iterator[list[Any]]]:
    def feed() -> Iterator[list[Any]]:
        for sample in representative[:_CALIBRATION_SAMPLES]:
            yield [sample[np.newaxis].astype(np.float32)]

    return feed


def _reason(error: Exception) -> str:
    """The first line of an error that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_LONGEST_REASON]
