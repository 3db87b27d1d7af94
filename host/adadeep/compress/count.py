"""Multiply-accumulates of layers whose shapes don't tell them.

Where there is a formula it is used: TensorFlow's profiler takes the body of a loop as done once,
which is wrong for recurrent layers. For all others it counts the operations that multiply.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from adadeep.compress import walk

_RECURRENT = (layers.LSTM, layers.GRU, layers.SimpleRNN)
# Of TensorFlow's, which its profiler gives two operations a multiply-accumulate.
_MULTIPLYING = (
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "Conv3D",
    "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2",
)  # fmt: skip


def counted_macs(node: Any) -> int | None:
    """Of one call; None where nothing multiplies, or nothing tells how much.

    Args:
        node: the call, in a network whose sizes are fixed.
    """
    layer = node.operation
    if isinstance(layer, layers.Bidirectional):
        parts = (_recurrent(one, node) for one in (layer.forward_layer, layer.backward_layer))
        return sum(part or 0 for part in parts)
    if isinstance(layer, _RECURRENT):
        return _recurrent(layer, node)
    if isinstance(layer, layers.EinsumDense):
        return _contraction(layer.equation, node.input_tensors[0].shape, layer.kernel.shape)
    if isinstance(layer, layers.MultiHeadAttention):
        return _attention(layer, node)
    if isinstance(layer, layers.Conv3D):
        kernel = math.prod(layer.kernel_size) * node.input_tensors[0].shape[-1] // layer.groups
        return kernel * math.prod(node.outputs[0].shape[1:])
    if isinstance(layer, layers.Conv3DTranspose):
        kernel = math.prod(layer.kernel_size) * layer.filters
        return kernel * math.prod(node.input_tensors[0].shape[1:])
    if isinstance(layer, layers.Layer) and not layer.weights:
        return None
    return _profiled(node) or None


def _recurrent(layer: Any, node: Any) -> int:
    """Each step multiplies both kernels; biases are added."""
    kernels = [one for one in layer.weights if len(one.shape) > 1 and "bias" not in one.name]
    return int(node.input_tensors[0].shape[1] * sum(math.prod(one.shape) for one in kernels))


def _contraction(equation: str, first: Any, second: Any) -> int:
    """Of an einsum of two tensors, for one sample."""
    inputs, _ = equation.replace("...", "").split("->")
    sizes: dict[str, int] = {}
    for letters, shape in zip(inputs.split(","), (first, second), strict=True):
        shape = tuple(shape)[len(shape) - len(letters) :]
        sizes |= {letter: size or 1 for letter, size in zip(letters, shape, strict=True)}
    return math.prod(sizes.values())


def _attention(layer: Any, node: Any) -> int:
    """Projections of each position, then scores and their weighted sums."""
    query, value = (tuple(one.shape) for one in node.input_tensors[:2])
    asked, told = math.prod(query[1:-1]), math.prod(value[1:-1])
    heads, key, content = layer.num_heads, layer.key_dim, layer.value_dim
    projected = asked * heads * query[-1] * key + told * heads * value[-1] * (key + content)
    combined = asked * heads * content * node.outputs[0].shape[-1]
    return int(projected + combined + asked * told * heads * (key + content))


def _profiled(node: Any) -> int:
    """What TensorFlow's profiler counts of operations that multiply."""
    tensors = node.input_tensors
    places = {id(tensor): place for place, tensor in enumerate(tensors)}

    def call(*values: Any) -> Any:
        args, kwargs = keras.tree.map_structure(
            lambda one: values[places[id(one)]] if walk.is_symbolic(one) else one,
            (node.arguments.args, node.arguments.kwargs),
        )
        return node.operation(*args, **kwargs)

    specs = [tf.TensorSpec((1, *one.shape[1:]), one.dtype) for one in tensors]
    graph = tf.function(call).get_concrete_function(*specs).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    found = tf.compat.v1.profiler.profile(graph, options=options, cmd="op")
    counts = {one.name: one.float_ops for one in _all(found)}
    return sum(counts.get(name, 0) for name in _MULTIPLYING) // 2


def _all(profile: Any) -> list[Any]:
    """Every line of a profile by operation."""
    below = [line for one in profile.children for line in _all(one)]
    return [profile, *below]
