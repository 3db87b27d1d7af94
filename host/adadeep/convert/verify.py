"""Runs .tflite files on this computer. No TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConversionError
from adadeep.core.rows import Array, Rows, each, together

_DEQUANTIZE = 6  # in the .tflite schema
_LEAST_A_WORKER = 8  # samples: another interpreter packs all weights anew


def run_tflite(model: bytes, x: Rows, workers: int = 0) -> Rows:
    """Outputs of a .tflite with a batch of 1 for each sample: one at a time, as devices run it.

    An interpreter of one thread on each core, for a batch makes XNNPACK refuse the graph. They
    are run by threads: the runtime lets go of Python's lock while it computes. Quantised inputs
    and outputs are converted by their scale and zero point.

    Args:
        model: the file's content.
        x: samples, an array (n, ...) for each input in the file's order.
        workers: interpreters at a time; 0 for one a core.

    Returns:
        An array (n, ...) of float32 for each output, in the file's order.

    Raises:
        ConversionError: the interpreter doesn't take the model, or the samples don't fit.
    """
    ports = [ModelPort(model)]
    count = min(workers or cores(), max(1, len(x) // _LEAST_A_WORKER))
    taken, given = ports[0].encode(x), ports[0].room(len(x))
    ports += [ModelPort(model) for _ in range(count - 1)]
    rows = iter(range(len(x)))  # which hands each row to one thread, whoever is free
    try:
        if count == 1:
            ports[0].run(rows, taken, given)
        else:
            with ThreadPoolExecutor(count) as pool:
                for done in [pool.submit(port.run, rows, taken, given) for port in ports]:
                    done.result()
    finally:
        for _ in rows:  # of an interrupt: nobody begins another one
            pass
    return ports[0].decode(given)


def cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ModelPort:
    """The inputs and outputs of a .tflite as the outside sees them, in the file's order.

    Attributes:
        sample_shapes: of each input, without the batch.

    Args:
        model: the file's content.

    Raises:
        ConversionError: the interpreter doesn't take the model.
    """

    def __init__(self, model: bytes) -> None:
        self._interpreter = _interpreter(model)
        self._sources = self._interpreter.get_input_details()
        self._targets = self._interpreter.get_output_details()
        self.sample_shapes = tuple(_shape(source) for source in self._sources)

    @property
    def ends(self) -> tuple[list[tuple[str, tuple[int, ...]]], ...]:
        """Of the inputs, and of the outputs: (type as numpy names it, shape with the batch)."""
        return tuple(
            [(np.dtype(end["dtype"]).name, (1, *_shape(end))) for end in side]
            for side in (self._sources, self._targets)
        )

    def encode(self, x: Rows) -> list[Array]:
        """Samples in the model's own types, an array (n, ...) for each input.

        Raises:
            ConversionError: they are of other shapes, or not as many as the model's inputs.
        """
        shapes = tuple(array.shape[1:] for array in each(x))
        if shapes != self.sample_shapes:
            raise ConversionError(
                f"The model takes samples of shape {_told(self.sample_shapes)},"
                f" not {_told(shapes)}."
            )
        pairs = zip(each(x), self._sources, strict=True)
        return [_quantised(array, source) for array, source in pairs]

    def decode(self, outputs: Sequence[Array]) -> Rows:
        """Outputs in the model's own types as float32, in the same order."""
        pairs = zip(outputs, self._targets, strict=True)
        return together(_dequantised(array, target) for array, target in pairs)

    def room(self, count: int) -> list[Array]:
        """Where the outputs of so many samples fit: an array (count, ...) for each."""
        return [np.empty((count, *_shape(end)), dtype=end["dtype"]) for end in self._targets]

    def run(self, rows: Iterator[int], taken: Sequence[Array], given: Sequence[Array]) -> None:
        """Runs the model on those rows.

        Args:
            rows: numbers of samples.
            taken: inputs, as `encode` gives them.
            given: gets the outputs, as `room` makes it.
        """
        engine = self._interpreter
        sources, targets = ([end["index"] for end in e] for e in (self._sources, self._targets))
        for row in rows:
            for source, array in zip(sources, taken, strict=True):
                engine.set_tensor(source, array[row : row + 1])
            engine.invoke()
            for target, array in zip(targets, given, strict=True):
                array[row] = engine.get_tensor(target)[0]


def max_difference(a: Rows, b: Rows) -> float:
    """The largest difference of two elements; NaN if one is none."""
    pairs = zip(each(a), each(b), strict=True)
    return float(np.max([np.max(np.abs(here - there)) for here, there in pairs]))


def output_steps(model: bytes) -> tuple[float, ...]:
    """By how much neighbours of the values of each output differ; 0 where these are floats.

    An output that is turned into floats at the very end has the steps of what was turned.

    Args:
        model: the file's content; one that the runtime takes.
    """
    from ai_edge_litert import schema_py_generated as schema

    root = schema.Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    made_of = {}
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        kind = root.OperatorCodes(operator.OpcodeIndex())
        if max(kind.BuiltinCode(), kind.DeprecatedBuiltinCode()) == _DEQUANTIZE:
            made_of[operator.Outputs(0)] = operator.Inputs(0)
    ends = (graph.Outputs(number) for number in range(graph.OutputsLength()))
    return tuple(_step(graph.Tensors(made_of.get(end, end))) for end in ends)


def _step(tensor: Any) -> float:
    scales = tensor.Quantization()
    return float(scales.Scale(0)) if scales is not None and scales.ScaleLength() == 1 else 0.0


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


def _shape(details: dict[str, Any]) -> tuple[int, ...]:
    """Of one sample."""
    return tuple(int(size) for size in details["shape"][1:])


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(str(shape) for shape in shapes)


def _quantised(x: Array, details: dict[str, Any]) -> Array:
    scale, zero_point = details["quantization"]
    if not scale:
        return np.ascontiguousarray(x, dtype=details["dtype"])
    limits = np.iinfo(details["dtype"])
    steps = np.round(x / np.float32(scale)) + zero_point
    return np.asarray(np.clip(steps, limits.min, limits.max).astype(details["dtype"]))


def _dequantised(outputs: Array, details: dict[str, Any]) -> npt.NDArray[np.float32]:
    scale, zero_point = details["quantization"]
    if not scale:
        return outputs.astype(np.float32, copy=False)
    return (outputs.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
