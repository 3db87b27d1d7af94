"""Edits of a ModelSpec: what `surgery` does to a Keras network, without Keras."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from adadeep.compress.names import derived, group_of
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec

_MIXING = (LayerKind.CONV, LayerKind.DENSE)  # every output channel is made of all input channels


def layer_of(model: ModelSpec, name: str) -> LayerSpec:
    """The layer of that name.

    Raises:
        TechniqueNotApplicable: there is none.
    """
    known = {layer.name: layer for layer in model.layers}
    if name not in known:
        raise TechniqueNotApplicable(
            f"network {model.name!r} has no layer {name!r}. There are: {', '.join(known)}."
        )
    return known[name]


def part(old: LayerSpec, name: str, weights: int, **fields: Any) -> LayerSpec:
    """A layer that stands for another one, or for a part of it.

    Args:
        old: the other one.
        name: of the part.
        weights: of the new layer; all are stored.
        fields: of the new layer, where they are not those of `old`.
    """
    return replace(
        old,
        name=derived(old.name, name),
        group=group_of(old.name),
        weights=weights,
        nonzero_weights=weights,
        **fields,
    )


def replaced(
    model: ModelSpec, layer: str, parts: Sequence[LayerSpec], taken_out: Collection[str] = ()
) -> ModelSpec:
    """The network with parts in the place of a layer; what read it reads the last of them.

    Args:
        model: the network.
        layer: that goes.
        parts: that come, in order of execution; their `inputs` say how they hang together.
        taken_out: other layers that go, and that no layer which stays reads.
    """
    names = {layer: parts[-1].name}
    layers: list[LayerSpec] = []
    for old in model.layers:
        if old.name == layer:
            layers.extend(parts)
        elif old.name not in taken_out:
            inputs = tuple(names.get(name, name) for name in old.inputs)
            layers.append(replace(old, inputs=inputs))
    return replace(model, layers=tuple(layers))


def rerouted(model: ModelSpec, layer: str) -> ModelSpec | None:
    """The network after a layer gives fewer channels than before, or in another order.

    What comes after it takes that many, up to the first layers that mix channels.

    Args:
        model: the network; only this layer has its new shape already.
        layer: whose output it is.

    Returns:
        None where it depends on a layer of which a ModelSpec doesn't say what it does.

    Raises:
        TechniqueNotApplicable: a layer needs them all, in order, or the network's output does.
    """
    changed = {layer: layer_of(model, layer)}
    moved = {layer}  # those whose channels are fewer, or in another order
    is_known = True
    for old in model.layers:
        if not moved.intersection(old.inputs):
            continue
        if len(old.inputs) > 1 or not _takes_any(old):
            raise needs_every_channel(old.name, old.kind)
        if old.kind is LayerKind.OTHER:
            is_known = False
            continue
        changed[old.name] = _fed(old, changed[old.inputs[0]])
        if old.kind not in _MIXING:
            moved.add(old.name)
    if any(not model.readers(name) for name in moved):
        raise makes_the_outputs(group_of(layer), model.name)
    layers = tuple(changed.get(one.name, one) for one in model.layers)
    return replace(model, layers=layers) if is_known else None


def needs_every_channel(name: str, kind: str) -> TechniqueNotApplicable:
    """The refusal to drop or reorder channels before a layer."""
    return TechniqueNotApplicable(
        f"layer {name!r} ({kind}) needs every channel of the layer before it, in order; compress "
        "that one by a technique that keeps them."
    )


def makes_the_outputs(name: str, model: str) -> TechniqueNotApplicable:
    """The refusal to drop or reorder channels of a network's output."""
    return TechniqueNotApplicable(
        f"{name} makes the outputs of network {model!r}: its channels are the classes, and none "
        "may go or change place."
    )


def _takes_any(layer: LayerSpec) -> bool:
    """Whether a layer may take fewer channels, or in another order; as far as one can tell."""
    if layer.kind is LayerKind.RESHAPE:
        return len(layer.output_shape) == 1
    return layer.kind not in (LayerKind.DEPTHWISE, LayerKind.ADD, LayerKind.CONCAT)


def _fed(old: LayerSpec, source: LayerSpec) -> LayerSpec:
    """A layer as it is where `source`, which it reads, gives other channels than before."""
    before, now = old.input_shape[-1], source.output_shape[-1]
    if old.kind in _MIXING:
        output, a_channel = old.output_shape, math.prod(old.kernel or ()) * old.output_shape[-1]
    elif old.kind is LayerKind.RESHAPE:
        output, a_channel = (math.prod(source.output_shape),), 0
    else:
        output, a_channel = (*old.output_shape[:-1], now), old.weights // before
    weights = old.weights - (before - now) * a_channel
    return replace(
        old,
        input_shape=source.output_shape,
        output_shape=output,
        weights=weights,
        nonzero_weights=weights,
        flattened_from=source.input_shape if old.flattened_from else None,
    )
