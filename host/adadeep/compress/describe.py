"""ModelSpec of a Keras network."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from adadeep.compress.names import group_of, is_pruned
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.precision import Precision

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
# The converter's kMinSparsityLevel: a weight tensor with fewer zeros stays dense.
_SPARSE_FROM = 0.3


def model_spec(
    model: keras.Model, name: str = "", precision: Precision | None = None
) -> ModelSpec:
    """What the network is, in order of execution, without Keras.

    Weights that W3 removed are not counted where the converter stores the kernel sparse: from
    30 % zeros, if the precision does so.

    Args:
        model: a functional or built Sequential network.
        name: for messages; the network's own if empty.
        precision: that it will be converted with; None for 32 bits, sparse where it can be.

    Raises:
        ConfigError: it has a layer whose multiplications are not counted yet.
    """
    specs = [
        _layer_spec(layer, precision)
        for layer in model.layers
        if not isinstance(layer, _NOT_AT_INFERENCE)
    ]
    return ModelSpec(name or model.name, _shape(model.input), tuple(specs))


def stores_sparse(model: keras.Model) -> bool:
    """Whether `convert` should store kernels sparse: some layer was pruned far enough."""
    return any(_is_sparse(layer) for layer in model.layers)


def layer_spec(model: keras.Model, name: str) -> LayerSpec:
    """The spec of one layer of a network, with 32 bits.

    Raises:
        ConfigError: its multiplications are not counted yet.
    """
    return _layer_spec(model.get_layer(name), None)


def _layer_spec(layer: keras.layers.Layer, precision: Precision | None) -> LayerSpec:
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
        nonzero_weights=_stored_weights(layer, weights, precision),
        weight_bits=precision.weight_bits if precision else 32,
        activation_bits=precision.activation_bits if precision else 32,
        group=group_of(layer.name),
        flattened_from=_flattened_from(layer),
    )


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


def _is_sparse(layer: keras.layers.Layer) -> bool:
    if not is_pruned(layer.name):
        return False
    kernel = np.asarray(layer.kernel)
    return bool(1 - np.count_nonzero(kernel) / kernel.size > _SPARSE_FROM)


def _stored_weights(layer: keras.layers.Layer, weights: int, precision: Precision | None) -> int:
    if (precision is None or precision.stores_sparse) and _is_sparse(layer):
        kernel = np.asarray(layer.kernel)
        return weights - kernel.size + int(np.count_nonzero(kernel))
    return weights


def _flattened_from(layer: keras.layers.Layer) -> tuple[int, ...] | None:
    """Shape of the feature map that a dense layer gets flattened."""
    if not isinstance(layer, layers.Dense):
        return None
    before = getattr(layer.input, "_keras_history", (None,))[0]
    return _shape(before.input) if isinstance(before, layers.Flatten) else None
