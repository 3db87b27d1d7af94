"""Folds batch normalisation into the layer before it: what the converter does, done at first.

A folded network computes what the initial one does at inference, and is trained as one whose
norms are frozen. A norm that can't be folded stays: behind a sum, a concatenation or an
activation, and where something else reads the layer before it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from adadeep.compress import walk

_FOLDING = (
    layers.Conv1D, layers.Conv2D, layers.Conv3D, layers.DepthwiseConv1D, layers.DepthwiseConv2D,
    layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose, layers.Dense,
)  # fmt: skip
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
Floats = npt.NDArray[np.float64]


def folded(model: keras.Model) -> keras.Model:
    """A copy of a flat network without the norms that layers before them take in; itself if none.

    Args:
        model: as `flattened` gives it; is not changed.
    """
    norms = _foldable(model)
    if not norms:
        return model
    by_norm = {id(norm) for norm in norms.values()}
    copies = walk.Copies()
    folds: dict[int, Any] = {}

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if id(operation) in by_norm:
            return args[0]
        norm = norms.get(id(operation))
        if norm is None:
            return copies.called(operation, "", *args, **kwargs)
        if id(operation) in folds:
            return folds[id(operation)](*args, **kwargs)
        folds[id(operation)] = new = _with_bias(operation)
        output = new(*args, **kwargs)
        new.set_weights(_folded_weights(operation, norm))
        return output

    return walk.rebuilt(model, copies, call)


def _foldable(model: keras.Model) -> dict[int, Any]:
    """By the id of a layer, the norm that it can take in."""
    calls, readers = defaultdict(list), defaultdict(list)
    for node in walk.calls_of(model):
        calls[id(node.operation)].append(node)
        for tensor in node.input_tensors:
            readers[id(walk.node_of(tensor))].append(node)
    for tensor in model.outputs:
        readers[id(walk.node_of(tensor))].append(None)
    found = {}
    for nodes in calls.values():
        behind = [readers[id(node)] for node in nodes]
        norm = _norm_behind(behind) if _may_fold(nodes[0].operation) else None
        if norm is not None and len(calls[id(norm)]) == len(nodes):
            found[id(nodes[0].operation)] = norm
    return found


def _norm_behind(behind: list[list[Any]]) -> Any:
    """The one norm that reads what each call of a layer gives, and that alone; None if none."""
    nodes = [reading[0] for reading in behind if len(reading) == 1 and reading[0] is not None]
    norms = {id(node.operation): node.operation for node in nodes}
    if len(nodes) != len(behind) or len(norms) != 1:
        return None
    (norm,) = norms.values()
    return norm if _is_plain_norm(norm, nodes) else None


def _may_fold(operation: Any) -> bool:
    return (
        type(operation) in _FOLDING
        and operation.activation is keras.activations.linear
        and getattr(operation, "data_format", "channels_last") == "channels_last"
    )


def _is_plain_norm(norm: Any, nodes: list[Any]) -> bool:
    """Whether it is a batch norm of the channels that acts at inference as one."""
    return type(norm) is layers.BatchNormalization and all(
        norm.axis in (-1, len(node.outputs[0].shape) - 1)
        and node.arguments.kwargs.get("training") is not True
        for node in nodes
    )


def _with_bias(layer: Any) -> Any:
    return type(layer).from_config({**layer.get_config(), "use_bias": True})


def _folded_weights(layer: Any, norm: Any) -> list[Floats]:
    """Kernel and bias of a layer with the norm behind it taken in."""
    mean, variance = _floats(norm.moving_mean), _floats(norm.moving_variance)
    scale: Floats = 1 / np.sqrt(variance + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * _floats(norm.gamma)
    shift = np.zeros_like(scale) if norm.beta is None else _floats(norm.beta)
    kernel, *biases = (_floats(weight) for weight in layer.get_weights())
    bias = biases[0] if biases else np.zeros_like(scale)
    return [_scaled(layer, kernel, scale), (bias - mean) * scale + shift]


def _scaled(layer: Any, kernel: Floats, scale: Floats) -> Floats:
    if isinstance(layer, _DEPTHWISE):
        return np.asarray(kernel * scale.reshape(kernel.shape[-2:]))
    if isinstance(layer, _TRANSPOSED):  # (..., outputs, inputs)
        return np.asarray(kernel * scale[:, np.newaxis])
    return np.asarray(kernel * scale)


def _floats(weights: Any) -> Floats:
    return np.asarray(weights, dtype=np.float64)
