"""Single real layers as .tflite files, written straight into the format: no TensorFlow needed.

The micro-benchmark of a profile measures these, and the anchor model is one of them. Weights are
random with a fixed seed and of the size that training gives (He), so that no denormal slows a
kernel down. int8 follows TFLite's scheme: activations with one scale and zero point, convolution
weights symmetric with a scale for each output channel, biases int32.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.plan import Precision

_INPUT_SCALE, _OUTPUT_SCALE = 2 / 255, 8 / 255


@dataclass(frozen=True, slots=True)
class SingleLayer:
    """A layer to be measured alone.

    Attributes:
        layer: what it is.
        precision: of weights and activations.
    """

    layer: LayerSpec
    precision: Precision = Precision.FLOAT32

    @property
    def key(self) -> str:
        """For example "conv-28x28x16-k3s1-32-same-float32"."""
        spec = self.layer
        parts = [str(spec.kind), "x".join(map(str, spec.input_shape))]
        if spec.kernel and spec.stride:
            parts.append(f"k{spec.kernel[0]}s{spec.stride[0]}")
        if spec.kind is not LayerKind.POOL:
            parts.append(str(spec.output_shape[-1]))
        if spec.padding:
            parts.append(spec.padding)
        return "-".join([*parts, str(self.precision)])


def conv(size: int, channels: int, filters: int, kernel: int, stride: int = 1) -> LayerSpec:
    """A square convolution with "same" padding and ReLU."""
    out = math.ceil(size / stride)
    weights = kernel * kernel * channels * filters + filters
    shape = (size, size, channels)
    return _windowed(LayerKind.CONV, shape, (out, out, filters), kernel, stride, weights)


def depthwise(size: int, channels: int, kernel: int, stride: int = 1) -> LayerSpec:
    """A depthwise convolution with "same" padding and ReLU."""
    out = math.ceil(size / stride)
    weights = kernel * kernel * channels + channels
    shape = (size, size, channels)
    return _windowed(LayerKind.DEPTHWISE, shape, (out, out, channels), kernel, stride, weights)


def pool(size: int, channels: int, kernel: int) -> LayerSpec:
    """Max pooling, stride as the window."""
    out = math.ceil(size / kernel)
    shape = (size, size, channels)
    return _windowed(LayerKind.POOL, shape, (out, out, channels), kernel, kernel, 0)


def dense(inputs: int, units: int) -> LayerSpec:
    """A fully connected layer with ReLU."""
    weights = inputs * units + units
    return LayerSpec(
        "layer", LayerKind.DENSE, (inputs,), (units,), activation="relu",
        weights=weights, nonzero_weights=weights,
    )  # fmt: skip


def _windowed(
    kind: LayerKind,
    shape: tuple[int, ...],
    output: tuple[int, ...],
    kernel: int,
    stride: int,
    weights: int,
) -> LayerSpec:
    return LayerSpec(
        "layer", kind, shape, output, (kernel, kernel), (stride, stride), "same",
        None if kind is LayerKind.POOL else "relu", weights, weights,
    )  # fmt: skip


def micro_benchmark() -> tuple[SingleLayer, ...]:
    """The layers of a profile's table: a spread of real shapes, float32 and int8.

    Sizes as in LeNet, AlexNet, MobileNet and SqueezeNet, with channel numbers that are powers of
    two and some that are not: time is not proportional to MACs (FastDeepIoT).
    """
    layers = [
        *_each(conv, (28, 1, 32, 5), (14, 32, 64, 5), (32, 3, 32, 3), (32, 32, 32, 3)),
        *_each(conv, (28, 16, 32, 3), (28, 32, 16, 3), (28, 24, 24, 3), (28, 33, 32, 3)),
        *_each(conv, (14, 64, 64, 3), (14, 64, 128, 3), (14, 128, 64, 3), (7, 128, 128, 3)),
        *_each(conv, (56, 16, 32, 3, 2), (28, 32, 64, 3, 2), (56, 3, 16, 3, 2), (7, 96, 48, 5)),
        *_each(conv, (28, 16, 32, 1), (28, 32, 16, 1), (28, 64, 64, 1), (14, 64, 128, 1)),
        *_each(conv, (14, 128, 64, 1), (14, 96, 96, 1), (7, 256, 128, 1), (7, 127, 255, 1)),
        *_each(depthwise, (56, 16, 3), (28, 32, 3), (28, 64, 3, 2), (14, 64, 5)),
        *_each(depthwise, (14, 128, 3), (7, 256, 3), (28, 33, 3), (28, 16, 5)),
        *_each(dense, (64, 64), (256, 64), (256, 256), (784, 128), (1024, 10)),
        *_each(dense, (1024, 256), (1024, 1024), (3136, 256), (3136, 1024), (500, 333)),
    ]
    pools = _each(
        pool, (56, 16, 2), (28, 32, 2), (28, 64, 2), (14, 64, 2), (28, 32, 3), (14, 128, 7)
    )
    both = [SingleLayer(layer, precision) for precision in Precision for layer in layers]
    return (*both, *(SingleLayer(layer) for layer in pools))


def _each(make: Callable[..., LayerSpec], *shapes: tuple[int, ...]) -> list[LayerSpec]:
    return [make(*shape) for shape in shapes]


@functools.cache
def anchor_model() -> bytes:
    """The model that is measured around every other, to see the device drift."""
    return tflite_of(SingleLayer(conv(28, 32, 32, 3)))


def tflite_of(single: SingleLayer) -> bytes:
    """The .tflite of one layer, batch 1; the same bytes every time."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    graph = _Graph(schema, single.precision)
    spec = single.layer
    shape_only = single.key.rpartition("-")[0]  # both precisions get the same weights
    random = np.random.default_rng(zlib.crc32(shape_only.encode()))
    _BUILDERS[spec.kind](graph, spec, random)
    builder = flatbuffers.Builder(1024)
    builder.Finish(graph.model().Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Graph:
    """Collects tensors and the operator of a one-operator model."""

    def __init__(self, schema: Any, precision: Precision) -> None:
        self.schema = schema
        self.is_int8 = precision is Precision.INT8
        self._buffers = [schema.BufferT()]  # buffer 0 is the empty one
        self._tensors: list[Any] = []
        self._operator: Any = None
        self._code: Any = None

    def activation(self, name: str, shape: tuple[int, ...], scale: float) -> int:
        """Adds an input or output tensor and returns its index."""
        types = self.schema.TensorType
        kind = types.INT8 if self.is_int8 else types.FLOAT32
        quantisation = self._scales([scale], [-128], None) if self.is_int8 else None
        return self._add(name, (1, *shape), kind, quantisation)

    def kernel(self, values: np.ndarray, channel_axis: int) -> tuple[int, np.ndarray]:
        """Adds a weight tensor; returns its index and, for int8, the scale of each channel."""
        kind = self.schema.TensorType
        if not self.is_int8:
            return self._constant("kernel", values.astype("<f4"), kind.FLOAT32, None), np.ones(1)
        others = tuple(axis for axis in range(values.ndim) if axis != channel_axis)
        scales = np.abs(values).max(axis=others, keepdims=True) / 127
        quantised = np.clip(np.round(values / scales), -127, 127).astype("i1")
        flat = scales.reshape(-1)
        parameters = self._scales(list(flat), [0] * len(flat), channel_axis)
        return self._constant("kernel", quantised, kind.INT8, parameters), flat

    def bias(self, channels: int, scales: np.ndarray) -> int:
        """Adds a bias of small values."""
        kind = self.schema.TensorType
        if not self.is_int8:
            return self._constant("bias", np.full(channels, 0.01, "<f4"), kind.FLOAT32, None)
        steps = scales * _INPUT_SCALE
        values = np.round(0.01 / steps).astype("<i4")
        parameters = self._scales(list(steps), [0] * channels, 0)
        return self._constant("bias", values, kind.INT32, parameters)

    def operator(self, name: str, options: Any, inputs: list[int], outputs: list[int]) -> None:
        """Sets the operator."""
        schema = self.schema
        number = getattr(schema.BuiltinOperator, name)
        # version 3 of the quantised kernels has a scale a channel; 1 is plain float
        version = 3 if self.is_int8 and name != "MAX_POOL_2D" else 1
        self._code = schema.OperatorCodeT()
        self._code.builtinCode = number
        self._code.deprecatedBuiltinCode = min(number, 127)
        self._code.version = version
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

    def _scales(self, scales: list[float], zeros: list[int], axis: int | None) -> Any:
        parameters = self.schema.QuantizationParametersT()
        parameters.scale = [float(scale) for scale in scales]
        parameters.zeroPoint = zeros
        parameters.quantizedDimension = axis or 0
        return parameters

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


def _add_conv(graph: _Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    assert spec.kernel
    assert spec.stride
    schema, channels, filters = graph.schema, spec.input_shape[-1], spec.output_shape[-1]
    fan_in = math.prod(spec.kernel) * channels
    values = random.normal(0, math.sqrt(2 / fan_in), (filters, *spec.kernel, channels))
    options = schema.Conv2DOptionsT()
    options.strideH, options.strideW = spec.stride
    _finish(graph, spec, values, 0, ("CONV_2D", _same_relu(schema, options)))


def _add_depthwise(graph: _Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    assert spec.kernel
    assert spec.stride
    schema, channels = graph.schema, spec.input_shape[-1]
    values = random.normal(0, math.sqrt(2 / math.prod(spec.kernel)), (1, *spec.kernel, channels))
    options = schema.DepthwiseConv2DOptionsT()
    options.strideH, options.strideW = spec.stride
    options.depthMultiplier = 1
    _finish(graph, spec, values, 3, ("DEPTHWISE_CONV_2D", _same_relu(schema, options)))


def _add_dense(graph: _Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    inputs, units = spec.input_shape[-1], spec.output_shape[-1]
    values = random.normal(0, math.sqrt(2 / inputs), (units, inputs))
    options = graph.schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = graph.schema.ActivationFunctionType.RELU
    _finish(graph, spec, values, 0, ("FULLY_CONNECTED", options))


def _add_pool(graph: _Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    del random  # no weights
    assert spec.kernel
    assert spec.stride
    options = graph.schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = spec.kernel
    options.strideH, options.strideW = spec.stride
    options.padding = graph.schema.Padding.SAME
    source = graph.activation("input", spec.input_shape, _INPUT_SCALE)
    target = graph.activation("output", spec.output_shape, _INPUT_SCALE)
    graph.operator("MAX_POOL_2D", options, [source], [target])


def _same_relu(schema: Any, options: Any) -> Any:
    options.padding = schema.Padding.SAME
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return options


def _finish(
    graph: _Graph,
    spec: LayerSpec,
    values: np.ndarray,
    channel_axis: int,
    operator: tuple[str, Any],
) -> None:
    source = graph.activation("input", spec.input_shape, _INPUT_SCALE)
    kernel, scales = graph.kernel(values, channel_axis)
    bias = graph.bias(spec.output_shape[-1], scales)
    target = graph.activation("output", spec.output_shape, _OUTPUT_SCALE)
    graph.operator(*operator, [source, kernel, bias], [target])


_BUILDERS = {
    LayerKind.CONV: _add_conv,
    LayerKind.DEPTHWISE: _add_depthwise,
    LayerKind.DENSE: _add_dense,
    LayerKind.POOL: _add_pool,
}
