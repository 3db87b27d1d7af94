"""Rebuilds a Keras network with some layers replaced; all other weights are inherited.

A replacement may give fewer channels than the layer did, or in another order. What comes after
it then inherits the matching slices of its weights, through pooling and flattening, up to the
first layer that mixes channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from adadeep.compress.outline import makes_the_outputs, needs_every_channel

Indices = npt.NDArray[np.intp]
Weights = npt.NDArray[np.floating]

# Layers that treat every channel alike and hold no weights.
_CHANNELWISE = (
    layers.MaxPooling2D, layers.AveragePooling2D, layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling2D, layers.ZeroPadding2D, layers.Activation, layers.ReLU,
    layers.LeakyReLU, layers.Softmax, layers.Dropout, layers.SpatialDropout2D,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands in for one layer.

    Attributes:
        build: from the layer's symbolic input to its output; makes the new layers and sets their
            weights.
        kept: channels of the initial output that the new output has, in its order; None is all.
    """

    build: Callable[[Any], Any]
    kept: Indices | None = None


def pass_through(tensor: Any) -> Any:
    """Takes a layer out: `Replacement(pass_through)`."""
    return tensor


def as_functional(model: keras.Model) -> keras.Model:
    """The network as a graph of layers; a Sequential one shares its layers with the result."""
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return model


def inputs_of(layer: keras.layers.Layer) -> list[Any]:
    """The symbolic tensors that a layer takes."""
    return list(layer.input) if isinstance(layer.input, (list, tuple)) else [layer.input]


def producer_of(tensor: Any) -> Any:
    """The layer that puts out a symbolic tensor; or a bare operation, such as that of x + y."""
    return tensor._keras_history.operation


def behind(model: keras.Model, name: str) -> list[str]:
    """Names of the layers that take what a layer puts out, straight or by way of others."""
    found = [name]
    for layer in model.layers:  # in order of execution
        if isinstance(layer, layers.InputLayer):
            continue
        if any(producer_of(tensor).name in found for tensor in inputs_of(layer)):
            found.append(layer.name)
    return found[1:]


def placed(layer: keras.layers.Layer, tensor: Any, *weights: Weights) -> Any:
    """Calls a new layer and gives it its weights."""
    output = layer(tensor)
    layer.set_weights(list(weights))
    return output


def rebuild(model: keras.Model, replacements: Mapping[str, Replacement]) -> keras.Model:
    """A new network; the one given is not changed and shares no weights with it.

    Raises:
        TechniqueNotApplicable: channels were dropped, or changed place, before a layer that
            needs them all in order, or at the output.
    """
    initial = as_functional(model)
    kept_of: dict[int, Indices] = {}  # id of a symbolic tensor -> the channels it still has

    def call(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        inputs = args[0] if isinstance(args[0], (list, tuple)) else [args[0]]
        kept_inputs = [kept_of.get(id(tensor)) for tensor in inputs]
        replacement = replacements.get(layer.name)
        if replacement is None:
            old = initial.get_layer(layer.name)
            _require_slicable(old, kept_inputs)
            new = layer if kept_inputs[0] is None else _of_any_size(layer)
            output = new(*args, **kwargs)
            kept = _inherit(old, new, kept_inputs[0])
        else:
            output = replacement.build(args[0])  # kwargs hold `training`, for a dropout
            kept = replacement.kept if replacement.kept is not None else kept_inputs[0]
        if kept is not None:
            kept_of[id(output)] = kept
        return output

    rebuilt = keras.models.clone_model(initial, call_function=call)
    if any(id(output) in kept_of for output in rebuilt.outputs):
        raise makes_the_outputs(", ".join(replacements), model.name)
    return rebuilt


def _require_slicable(old: keras.layers.Layer, kept_inputs: list[Indices | None]) -> None:
    """Refuses to drop or reorder channels before a layer that `_inherit` can't slice."""
    if all(kept is None for kept in kept_inputs):
        return
    sliceable = (*_CHANNELWISE, layers.BatchNormalization, layers.Dense)
    mixes = type(old) is layers.Conv2D and old.groups == 1
    if len(kept_inputs) > 1 or not (mixes or isinstance(old, sliceable) or _flattens(old)):
        raise needs_every_channel(old.name, type(old).__name__)


def _flattens(layer: keras.layers.Layer) -> bool:
    shapes = (layers.Flatten, layers.Reshape)
    return isinstance(layer, shapes) and len(layer.output.shape) == 2


def _of_any_size(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A layer that takes fewer channels than it was made for."""
    if isinstance(layer, layers.Reshape):  # its settings hold a size; it flattens, see above
        return layers.Reshape((-1,), name=layer.name)
    return layer


def _inherit(
    old: keras.layers.Layer, new: keras.layers.Layer, kept: Indices | None
) -> Indices | None:
    """Copies weights, sliced to the channels that are left; returns the channels of the output."""
    weights = old.get_weights()
    if kept is None or isinstance(old, _CHANNELWISE):
        new.set_weights(weights)
        return kept
    if _flattens(old):
        return _flattened(old, kept)
    if isinstance(old, layers.BatchNormalization):
        new.set_weights([values[kept] for values in weights])
        return kept
    kernel = weights[0][kept] if isinstance(old, layers.Dense) else weights[0][:, :, kept]
    new.set_weights([kernel, *weights[1:]])
    return None


def _flattened(flatten: keras.layers.Layer, kept: Indices) -> Indices:
    """Positions in the flattened map of the channels that are left."""
    shape = flatten.input.shape[1:]
    positions = np.arange(int(np.prod(shape))).reshape(shape)
    return positions[..., kept].reshape(-1)
