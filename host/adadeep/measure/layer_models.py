"""Single real layers as .tflite files, written straight into the format: no TensorFlow needed.

The micro-benchmark of a profile measures these, and our references are some of them. Weights are
random with a fixed seed and of the size that training gives (He), so that no denormal slows a
kernel down. How numbers are stored is in `layer_graphs`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.plan import UNCHANGED_PRECISION
from adadeep.measure.layer_graphs import GRAPHS, INPUT_SCALE, OUTPUT_SCALE, Graph


@dataclass(frozen=True, slots=True)
class SingleLayer:
    """A layer to be measured alone.

    Attributes:
        layer: what it is.
        precision: of weights and activations, one of `GRAPHS`.
    """

    layer: LayerSpec
    precision: str = UNCHANGED_PRECISION

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
        return "-".join([*parts, self.precision])


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
    """The layers of a profile's table: a spread of real shapes in every precision of `GRAPHS`.

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
    both = [SingleLayer(layer, precision) for precision in GRAPHS for layer in layers]
    return (*both, *(SingleLayer(layer) for layer in pools))


def _each(make: Callable[..., LayerSpec], *shapes: tuple[int, ...]) -> list[LayerSpec]:
    return [make(*shape) for shape in shapes]


def tflite_of(single: SingleLayer) -> bytes:
    """The .tflite of one layer, batch 1; the same bytes every time."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    graph = GRAPHS[single.precision](schema)
    spec = single.layer
    shape_only = single.key.rpartition("-")[0]  # every precision gets the same weights
    random = np.random.default_rng(zlib.crc32(shape_only.encode()))
    _BUILDERS[spec.kind](graph, spec, random)
    builder = flatbuffers.Builder(1024)
    builder.Finish(graph.model().Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _add_conv(graph: Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    assert spec.kernel
    assert spec.stride
    schema, channels, filters = graph.schema, spec.input_shape[-1], spec.output_shape[-1]
    fan_in = math.prod(spec.kernel) * channels
    values = random.normal(0, math.sqrt(2 / fan_in), (filters, *spec.kernel, channels))
    options = schema.Conv2DOptionsT()
    options.strideH, options.strideW = spec.stride
    _finish(graph, spec, values, 0, ("CONV_2D", _same_relu(schema, options)))


def _add_depthwise(graph: Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    assert spec.kernel
    assert spec.stride
    schema, channels = graph.schema, spec.input_shape[-1]
    values = random.normal(0, math.sqrt(2 / math.prod(spec.kernel)), (1, *spec.kernel, channels))
    options = schema.DepthwiseConv2DOptionsT()
    options.strideH, options.strideW = spec.stride
    options.depthMultiplier = 1
    _finish(graph, spec, values, 3, ("DEPTHWISE_CONV_2D", _same_relu(schema, options)))


def _add_dense(graph: Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    inputs, units = spec.input_shape[-1], spec.output_shape[-1]
    values = random.normal(0, math.sqrt(2 / inputs), (units, inputs))
    options = graph.schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = graph.schema.ActivationFunctionType.RELU
    _finish(graph, spec, values, None, ("FULLY_CONNECTED", options))


def _add_pool(graph: Graph, spec: LayerSpec, random: np.random.Generator) -> None:
    del random  # no weights
    assert spec.kernel
    assert spec.stride
    options = graph.schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = spec.kernel
    options.strideH, options.strideW = spec.stride
    options.padding = graph.schema.Padding.SAME
    source = graph.activation("input", spec.input_shape, INPUT_SCALE)
    target = graph.activation("output", spec.output_shape, INPUT_SCALE)
    graph.operator("MAX_POOL_2D", options, [source], [target])


def _same_relu(schema: Any, options: Any) -> Any:
    options.padding = schema.Padding.SAME
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    return options


def _finish(
    graph: Graph,
    spec: LayerSpec,
    values: np.ndarray,
    channel_axis: int | None,
    operator: tuple[str, Any],
) -> None:
    source = graph.activation("input", spec.input_shape, INPUT_SCALE)
    kernel, scales = graph.kernel(values, channel_axis)
    bias = graph.bias(spec.output_shape[-1], scales)
    target = graph.activation("output", spec.output_shape, OUTPUT_SCALE)
    graph.operator(*operator, [source, kernel, bias], [target])


_BUILDERS = {
    LayerKind.CONV: _add_conv,
    LayerKind.DEPTHWISE: _add_depthwise,
    LayerKind.DENSE: _add_dense,
    LayerKind.POOL: _add_pool,
}
