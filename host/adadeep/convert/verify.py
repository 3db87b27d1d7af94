"""Runs .tflite files on this computer. No TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConversionError

Outputs = npt.NDArray[np.float32]


def run_tflite(model: bytes, x: npt.NDArray[np.float32]) -> Outputs:
    """Outputs of a .tflite with a batch of 1 for each sample, on one thread.

    Quantised inputs and outputs are converted by their scale and zero point.

    Args:
        model: the file's content.
        x: (n, ...) samples.

    Returns:
        (n, ...) outputs as float32.

    Raises:
        ConversionError: the interpreter doesn't take the model, or the samples don't fit.
    """
    interpreter = _interpreter(model)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if tuple(source["shape"][1:]) != x.shape[1:]:
        raise ConversionError(
            f"The model takes samples of shape {tuple(source['shape'][1:])}, not {x.shape[1:]}."
        )
    samples = _quantised(x, source)
    outputs = np.empty((len(x), *target["shape"][1:]), dtype=target["dtype"])
    for number, sample in enumerate(samples):
        interpreter.set_tensor(source["index"], sample[np.newaxis])
        interpreter.invoke()
        outputs[number] = interpreter.get_tensor(target["index"])[0]
    return _dequantised(outputs, target)


class ModelPort:
    """The first input and output of a .tflite as the outside sees them: float32.

    Attributes:
        sample_shape: of one input, without the batch.

    Args:
        model: the file's content.

    Raises:
        ConversionError: the interpreter doesn't take the model.
    """

    def __init__(self, model: bytes) -> None:
        interpreter = _interpreter(model)
        self._source = interpreter.get_input_details()[0]
        self._target = interpreter.get_output_details()[0]
        self.sample_shape = tuple(int(size) for size in self._source["shape"][1:])

    def encode(self, x: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """float32 inputs in the model's own type."""
        return _quantised(x, self._source)

    def decode(self, outputs: npt.NDArray[Any]) -> Outputs:
        """Outputs in the model's own type as float32."""
        return _dequantised(outputs, self._target)


def max_difference(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """The largest difference of two elements; NaN if one is none."""
    return float(np.max(np.abs(a - b)))


def _interpreter(model: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
        if not interpreter.get_input_details() or not interpreter.get_output_details():
            raise ValueError("it has no input or no output")
    except (ValueError, RuntimeError) as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ConversionError(
            f"The TFLite runtime does not take the model: {first_line}"
        ) from error
    return interpreter


def _quantised(x: npt.NDArray[np.float32], details: dict[str, Any]) -> npt.NDArray[Any]:
    scale, zero_point = details["quantization"]
    if not scale:
        return x.astype(details["dtype"], copy=False)
    limits = np.iinfo(details["dtype"])
    steps = np.round(x / np.float32(scale)) + zero_point
    return np.asarray(np.clip(steps, limits.min, limits.max).astype(details["dtype"]))


def _dequantised(outputs: npt.NDArray[Any], details: dict[str, Any]) -> Outputs:
    scale, zero_point = details["quantization"]
    if not scale:
        return outputs.astype(np.float32, copy=False)
    return (outputs.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
