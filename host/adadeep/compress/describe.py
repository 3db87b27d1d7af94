"""ModelSpec of a Keras network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from adadeep.compress import surgery
from adadeep.compress.names import group_of
from adadeep.core.compressed import NO_HOOKS, LayerHook
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.layers import NETWORK_INPUT, LayerKind, LayerSpec, ModelSpec

# In order: the first that fits. DepthwiseConv2D is no Conv2D in Keras 3.
_KINDS: tuple[tuple[Any, LayerKind], ...] = (
    (layers.DepthwiseConv2D, LayerKind.DEPTHWISE),
    (layers.Conv2D, LayerKind.CONV),
    (layers.Dense, LayerKind.DENSE),
    ((layers.MaxPooling2D, layers.AveragePooling2D), LayerKind.POOL),
    ((layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D), LayerKind.GLOBAL_POOL),
    (layers.BatchNormalization, LayerKind.BATCH_NORM),
    ((layers.Activation, layers.ReLU, layers.LeakyReLU, layers.Softmax), LayerKind.ACTIVATION),
    (layers.Add, LayerKind.ADD),
    (layers.Concatenate, LayerKind.CONCAT),
    ((layers.Flatten, layers.Reshape), LayerKind.RESHAPE),
)
# What multiplies, and whose multiplications nothing here counts yet.
_UNCOUNTED: tuple[Any, ...] = (
    layers.SeparableConv1D, layers.SeparableConv2D,
    layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose,
    layers.Conv1D, layers.Conv3D, layers.DepthwiseConv1D,
    layers.RNN, layers.MultiHeadAttention, layers.EinsumDense, keras.Model,
)  # fmt: skip
_NOT_AT_INFERENCE = (layers.InputLayer, layers.Dropout, layers.SpatialDropout2D)


def model_spec(
    model: keras.Model, name: str = "", hooks: Mapping[str, LayerHook] = NO_HOOKS
) -> ModelSpec:
    """What the network is, in float32, without Keras.

    The order is that of execution, depth first: the branches of a network don't mix, however long
    they are.

    Args:
        model: a functional or built Sequential network.
        name: for messages; the network's own if empty.
        hooks: by layer: of kernels that are stored sparse, what is not kept does not count.

    Raises:
        ConfigError: it has a layer whose multiplications are not counted yet.
    """
    graph = surgery.as_functional(model)
    specs = {
        layer.name: _layer_spec(layer, hooks.get(layer.name, LayerHook()))
        for layer in graph.layers
        if not isinstance(layer, _NOT_AT_INFERENCE)
    }
    outputs = [_at_inference(tensor) for tensor in graph.outputs]
    return ModelSpec(name or graph.name, _shape(graph.input), _depth_first(specs, outputs))


def _depth_first(specs: Mapping[str, LayerSpec], outputs: Sequence[str]) -> tuple[LayerSpec, ...]:
    """The layers that the outputs are made of, each behind all those that it reads."""
    done = {NETWORK_INPUT}
    ordered: list[LayerSpec] = []
    waiting = list(reversed(outputs))
    while waiting:
        name = waiting[-1]
        missing = [] if name in done else [i for i in specs[name].inputs if i not in done]
        if missing:
            waiting.append(missing[0])
            continue
        waiting.pop()
        if name not in done:
            done.add(name)
            ordered.append(specs[name])
    return tuple(ordered)


def _layer_spec(layer: keras.layers.Layer, hook: LayerHook) -> LayerSpec:
    _check_counted(layer)
    weights = sum(int(np.prod(variable.shape)) for variable in layer.weights)
    return LayerSpec(
        name=layer.name,
        kind=_kind(layer),
        input_shape=_shape(layer.input),
        output_shape=_shape(layer.output),
        kernel=_pair(layer, "kernel_size", "pool_size"),
        stride=_pair(layer, "strides"),
        padding=getattr(layer, "padding", None) if _kind(layer) in _WINDOWED else None,
        activation=_activation(layer),
        weights=weights,
        nonzero_weights=weights - _not_stored(hook),
        group=group_of(layer.name),
        flattened_from=_flattened_from(layer),
        inputs=tuple(map(_at_inference, surgery.inputs_of(layer))),
    )


def _at_inference(tensor: Any) -> str:
    """Name of the layer that puts out what this tensor is, once training is over.

    Raises:
        ConfigError: it is put out by no layer.
    """
    producer, node, _ = tensor._keras_history
    if isinstance(producer, layers.InputLayer):
        return NETWORK_INPUT
    if isinstance(producer, _NOT_AT_INFERENCE):
        return _at_inference(producer._inbound_nodes[node].input_tensors[0])
    if not isinstance(producer, layers.Layer):
        raise ConfigError(
            f"{type(producer).__name__} {one_line(producer.name, 80)!r} is computed outside of "
            "any layer, which is not supported yet. Use a layer, such as keras.layers.Add."
        )
    return str(producer.name)


def _check_counted(layer: keras.layers.Layer) -> None:
    groups = getattr(layer, "groups", 1) if isinstance(layer, layers.Conv2D) else 1
    if groups == 1 and not isinstance(layer, _UNCOUNTED):
        return
    kind = type(layer).__name__ + (f" with {groups} groups" if groups > 1 else "")
    raise ConfigError(
        f"layer {one_line(layer.name, 80)!r} is a {kind}, which is not supported yet: its "
        "multiplications would be counted wrong. Use Conv2D, DepthwiseConv2D and Dense layers."
    )


_WINDOWED = (LayerKind.CONV, LayerKind.DEPTHWISE, LayerKind.POOL)


def _kind(layer: keras.layers.Layer) -> LayerKind:
    return next((kind for types, kind in _KINDS if isinstance(layer, types)), LayerKind.OTHER)


def _shape(tensor: Any) -> tuple[int, ...]:
    first = tensor[0] if isinstance(tensor, (list, tuple)) else tensor
    return tuple(first.shape[1:])


def _pair(layer: keras.layers.Layer, *attributes: str) -> tuple[int, int] | None:
    if _kind(layer) not in _WINDOWED:
        return None
    for attribute in attributes:
        value = getattr(layer, attribute, None)
        if value is not None:
            return int(value[0]), int(value[1])
    return None


def _activation(layer: keras.layers.Layer) -> str | None:
    function = getattr(layer, "activation", None)
    name = getattr(function, "__name__", None)
    return None if name == "linear" else name


def _not_stored(hook: LayerHook) -> int:
    """Weights of a kernel that a sparse format leaves out."""
    if not hook.stores_sparse:
        return 0
    kept = np.asarray(hook.kept)
    return int(kept.size - np.count_nonzero(kept))


def _flattened_from(layer: keras.layers.Layer) -> tuple[int, ...] | None:
    """Shape of the feature map that a dense layer gets flattened."""
    if not isinstance(layer, layers.Dense):
        return None
    before = surgery.producer_of(layer.input)
    return _shape(before.input) if isinstance(before, layers.Flatten) else None
