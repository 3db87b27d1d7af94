"""How the numbers of a one-layer model are stored: a graph a precision.

int8 follows TFLite's scheme, as `convert` uses it: activations with one scale and zero point,
weights symmetric, of convolutions with a scale for each output channel, of dense layers with one,
biases int32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

INPUT_SCALE, OUTPUT_SCALE = 2 / 255, 8 / 255

_BIAS = 0.01


class Graph:
    """Collects tensors and the operator of a one-operator model; its numbers are float32.

    Args:
        schema: the module of the .tflite format's classes.
    """

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._buffers = [schema.BufferT()]  # buffer 0 is the empty one
        self._tensors: list[Any] = []
        self._operator: Any = None
        self._code: Any = None

    def activation(self, name: str, shape: tuple[int, ...], scale: float) -> int:
        """Adds an input or output tensor and returns its index."""
        del scale
        return self._add(name, (1, *shape), self.schema.TensorType.FLOAT32, None)

    def kernel(self, values: np.ndarray, channel_axis: int | None) -> tuple[int, np.ndarray]:
        """Adds a weight tensor; returns its index and the scales that it has, if any.

        Args:
            values: of the weights.
            channel_axis: along which each has its scale; None for one scale for all.
        """
        del channel_axis
        kind = self.schema.TensorType.FLOAT32
        return self._constant("kernel", values.astype("<f4"), kind, None), np.ones(1)

    def bias(self, channels: int, scales: np.ndarray) -> int:
        """Adds a bias of small values."""
        del scales
        kind = self.schema.TensorType.FLOAT32
        return self._constant("bias", np.full(channels, _BIAS, "<f4"), kind, None)

    def version(self, name: str) -> int:
        """Of the operator's kernel."""
        del name
        return 1

    def operator(self, name: str, options: Any, inputs: list[int], outputs: list[int]) -> None:
        """Sets the operator."""
        schema = self.schema
        number = getattr(schema.BuiltinOperator, name)
        self._code = schema.OperatorCodeT()
        self._code.builtinCode = number
        self._code.deprecatedBuiltinCode = min(number, 127)
        self._code.version = self.version(name)
        self._operator = schema.OperatorT()
        self._operator.opcodeIndex = 0
        self._operator.inputs, self._operator.outputs = inputs, outputs
        kind = type(options).__name__.removesuffix("T")
        self._operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self._operator.builtinOptions = options

    def model(self) -> Any:
        """The model with all that was added; tensor 0 is the input, the last one the output."""
        schema = self.schema
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators = self._tensors, [self._operator]
        graph.inputs, graph.outputs = self._operator.inputs[:1], self._operator.outputs
        graph.name = "main"
        model.version, model.description = 3, "adadeep single layer"
        model.operatorCodes, model.subgraphs, model.buffers = [self._code], [graph], self._buffers
        return model

    def _constant(self, name: str, values: np.ndarray, kind: int, quantisation: Any) -> int:
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), dtype=np.uint8)
        self._buffers.append(buffer)
        return self._add(name, values.shape, kind, quantisation, len(self._buffers) - 1)

    def _add(
        self, name: str, shape: tuple[int, ...], kind: int, quantisation: Any, buffer: int = 0
    ) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), kind
        tensor.buffer, tensor.quantization = buffer, quantisation
        self._tensors.append(tensor)
        return len(self._tensors) - 1


class Int8Graph(Graph):
    """The same with quantised numbers."""

    def activation(self, name: str, shape: tuple[int, ...], scale: float) -> int:
        """Adds an input or output tensor and returns its index."""
        kind = self.schema.TensorType.INT8
        return self._add(name, (1, *shape), kind, self._scales([scale], [-128], None))

    def kernel(self, values: np.ndarray, channel_axis: int | None) -> tuple[int, np.ndarray]:
        """Adds a weight tensor; returns its index and its scales, of each channel or one."""
        others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
        scales = np.abs(values).max(axis=others, keepdims=True) / 127
        quantised = np.clip(np.round(values / scales), -127, 127).astype("i1")
        flat = scales.reshape(-1)
        parameters = self._scales(list(flat), [0] * len(flat), channel_axis)
        return self._constant("kernel", quantised, self.schema.TensorType.INT8, parameters), flat

    def bias(self, channels: int, scales: np.ndarray) -> int:
        """Adds a bias of small values."""
        steps = scales * INPUT_SCALE
        values = np.broadcast_to(np.round(_BIAS / steps), (channels,)).astype("<i4")
        parameters = self._scales(list(steps), [0] * len(steps), 0)
        return self._constant("bias", values, self.schema.TensorType.INT32, parameters)

    def version(self, name: str) -> int:
        """Version 3 of convolutions has a scale a channel; pooling has no weights."""
        return {"MAX_POOL_2D": 1, "FULLY_CONNECTED": 4}.get(name, 3)

    def _scales(self, scales: list[float], zeros: list[int], axis: int | None) -> Any:
        parameters = self.schema.QuantizationParametersT()
        parameters.scale = [float(scale) for scale in scales]
        parameters.zeroPoint = zeros
        parameters.quantizedDimension = axis or 0
        return parameters


# By the name of the precision whose kernels they measure, in the order of a profile's table.
GRAPHS: dict[str, type[Graph]] = {"float32": Graph, "int8": Int8Graph}
