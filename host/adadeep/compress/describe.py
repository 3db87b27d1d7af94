"""ModelSpec of a Keras network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers

from adadeep.compress import kinds, surgery, walk
from adadeep.compress.count import counted_macs
from adadeep.compress.names import call_name, group_of
from adadeep.core.compressed import NO_HOOKS, LayerHook
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.layers import NETWORK_INPUT, LayerKind, LayerSpec, ModelSpec

_COUNTED_BY_SHAPE = (
    LayerKind.CONV, LayerKind.DEPTHWISE, LayerKind.TRANSPOSED, LayerKind.DENSE,
)  # fmt: skip
# What certainly multiplies nothing by weights, so that it need not be looked at.
_FREE = (
    LayerKind.POOL, LayerKind.GLOBAL_POOL, LayerKind.BATCH_NORM, LayerKind.ACTIVATION,
    LayerKind.ADD, LayerKind.CONCAT, LayerKind.RESHAPE,
)  # fmt: skip


def model_spec(
    model: keras.Model, name: str = "", hooks: Mapping[str, LayerHook] = NO_HOOKS
) -> ModelSpec:
    """What the network is, in float32, without Keras.

    The order is that of execution, depth first: the branches of a network don't mix, however long
    they are. A layer that is called several times is there for each call: "conv", "conv@2".
    Preprocessing in the network counts, augmentation does not.

    Args:
        model: a functional or built Sequential network; names are those of its flat form.
        name: for messages; the network's own if empty.
        hooks: by layer: of kernels that are stored sparse, what is not kept does not count.

    Raises:
        ConfigError: a layer has no fixed size.
    """
    graph = surgery.as_functional(model)
    names = _names(graph)
    specs = tuple(
        _layer_spec(node, names, hooks.get(node.operation.name, LayerHook()))
        for node in walk.calls_of(graph)
        if id(node) in names
    )
    shapes = [_shape(tensor, graph.name) for tensor in graph.inputs]
    given = tuple(dict.fromkeys(_at_inference(tensor, names) for tensor in graph.outputs))
    is_read = set(given) & {one for spec in specs for one in spec.inputs}
    return ModelSpec(
        name or graph.name, shapes[0], specs, tuple(shapes[1:]), given if is_read else ()
    )


def _names(graph: keras.Model) -> dict[int, str]:
    """Of each call that computes something at inference, by the node's id."""
    counts: Counter[int] = Counter()
    names = {}
    for node in walk.calls_of(graph):
        if not isinstance(node.operation, kinds.NOT_AT_INFERENCE):
            counts[id(node.operation)] += 1
            names[id(node)] = call_name(node.operation.name, counts[id(node.operation)])
    return names


def _layer_spec(node: Any, names: Mapping[int, str], hook: LayerHook) -> LayerSpec:
    layer, name, kind = node.operation, names[id(node)], kinds.kind_of(node)
    weights = sum(int(np.prod(one.shape)) for one in getattr(layer, "weights", ()))
    return LayerSpec(
        name=name,
        kind=kind,
        input_shape=_shape(node.input_tensors[0], layer.name),
        output_shape=_shape(node.outputs[0], layer.name),
        kernel=_pair(kind, layer, "kernel_size", "pool_size"),
        stride=_pair(kind, layer, "strides"),
        padding=getattr(layer, "padding", None) if kind in kinds.WINDOWED else None,
        activation=kinds.activation_of(layer),
        weights=weights,
        nonzero_weights=weights - _not_stored(hook),
        group=group_of(layer.name),
        flattened_from=_flattened_from(node),
        inputs=tuple(_at_inference(tensor, names) for tensor in node.input_tensors),
        groups=getattr(layer, "groups", 1) if kind in _COUNTED_BY_SHAPE else 1,
        dilation=_dilation(kind, layer),
        counted_macs=None if kind in (*_COUNTED_BY_SHAPE, *_FREE) else counted_macs(node),
        keeps_channels=kinds.keeps_channels(layer),
        repeats=None if name == layer.name else str(layer.name),
    )


def _at_inference(tensor: Any, names: Mapping[int, str]) -> str:
    """Name of the call that puts out what this tensor is, once training is over."""
    node = walk.node_of(tensor)
    while isinstance(node.operation, kinds.NOT_AT_INFERENCE):
        node = walk.node_of(node.input_tensors[0])
    return NETWORK_INPUT if node.is_input else names[id(node)]


def _shape(tensor: Any, name: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape[1:])
    if None in shape:
        raise ConfigError(
            f"layer {one_line(name, 80)!r} has an open size {shape}; build the network with sizes "
            "that are fixed."
        )
    return shape


def _pair(kind: LayerKind, layer: Any, *attributes: str) -> tuple[int, int] | None:
    if kind not in kinds.WINDOWED:
        return None
    for attribute in attributes:
        value = getattr(layer, attribute, None)
        if value is not None:
            first, *rest = value if isinstance(value, (list, tuple)) else (value,)
            return int(first), int(rest[0]) if rest else 1
    return None


def _dilation(kind: LayerKind, layer: Any) -> tuple[int, int] | None:
    pair = _pair(kind, layer, "dilation_rate")
    return None if pair is None or set(pair) == {1} else pair


def _not_stored(hook: LayerHook) -> int:
    """Weights of a kernel that a sparse format leaves out."""
    if not hook.stores_sparse:
        return 0
    kept = np.asarray(hook.kept)
    return int(kept.size - np.count_nonzero(kept))


def _flattened_from(node: Any) -> tuple[int, ...] | None:
    """Shape of the feature map that a dense layer gets flattened."""
    before = walk.node_of(node.input_tensors[0])
    if not isinstance(node.operation, layers.Dense):
        return None
    if not isinstance(before.operation, layers.Flatten):
        return None
    return _shape(before.input_tensors[0], before.operation.name)
