"""Edits of a ModelSpec: what `surgery` does to a Keras network, without Keras."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adadeep.compress.names import call_name, called_layer, derived, group_of
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import NETWORK_INPUT, LayerKind, LayerSpec, ModelSpec

# Every output channel is made of all input channels.
_MIXING = (LayerKind.CONV, LayerKind.DENSE, LayerKind.TRANSPOSED)


def layer_of(model: ModelSpec, name: str) -> LayerSpec:
    """The layer of that name.

    Raises:
        TechniqueNotApplicable: there is none, or it is another call of one.
    """
    for layer in model.layers:
        if layer.name == name and layer.repeats is None:
            return layer
    known = [layer.name for layer in model.layers if layer.repeats is None]
    if called_layer(name) in known:
        raise TechniqueNotApplicable(
            f"{name!r} is another call of layer {called_layer(name)!r}; name that, all its calls "
            "change together."
        )
    raise TechniqueNotApplicable(
        f"network {model.name!r} has no layer {name!r}. There are: {', '.join(known)}."
    )


def is_plain_convolution(layer: LayerSpec) -> bool:
    """Whether it is a convolution of images whose window has no holes, over all channels."""
    is_image = layer.kind is LayerKind.CONV and len(layer.input_shape) == 3
    return is_image and layer.groups == 1 and layer.dilation is None


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

    A layer that is called several times gives way in each of its calls.

    Args:
        model: the network.
        layer: that goes.
        parts: that come, in order of execution; their `inputs` say how they hang together.
        taken_out: other layers that go, and that no layer which stays reads.

    Raises:
        TechniqueNotApplicable: it is called on maps of several sizes.
    """
    names: dict[str, str] = {}
    layers: list[LayerSpec] = []
    calls = 0
    for old in model.layers:
        inputs = tuple(names.get(name, name) for name in old.inputs)
        if layer in (old.name, old.repeats):
            calls += 1
            here = replace(old, inputs=inputs)
            new = parts if calls == 1 else _again(here, parts, layer_of(model, layer), calls)
            names[old.name] = new[-1].name
            layers.extend(new)
        elif old.name not in taken_out:
            layers.append(old if inputs == old.inputs else replace(old, inputs=inputs))
    outputs = tuple(names.get(name, name) for name in model.outputs)
    return replace(model, layers=tuple(layers), outputs=outputs)


def _again(
    here: LayerSpec, parts: Sequence[LayerSpec], first: LayerSpec, number: int
) -> list[LayerSpec]:
    """The parts for another call of the layer that they stand for."""
    if (here.input_shape, here.flattened_from) != (first.input_shape, first.flattened_from):
        raise TechniqueNotApplicable(
            f"layer {first.name!r} is called on maps of several sizes; leave it as it is."
        )
    names = {part.name: call_name(part.name, number) for part in parts}
    outside = dict(zip(first.inputs, here.inputs, strict=True))
    return [
        replace(
            part,
            name=names[part.name],
            repeats=part.name,
            inputs=tuple(names.get(name, outside.get(name, name)) for name in part.inputs),
        )
        for part in parts
    ]


def rerouted(model: ModelSpec, layer: str) -> ModelSpec:
    """The network after a layer gives fewer channels than before, or in another order.

    What comes after it takes that many, up to the first layers that mix channels. They pass
    where inputs are joined, and where those that are added up all have the same ones.

    Args:
        model: the network; only this layer has its new shape already.
        layer: whose output it is.

    Raises:
        TechniqueNotApplicable: a layer needs them all, in order, or the network's output does.
    """
    known = {one.name: one for one in model.layers}
    widths = {
        NETWORK_INPUT: _last(model.input_shape),
        **{n: _width(one) for n, one in known.items()},
    }
    changed = {one.name: one for one in model.layers if layer in (one.name, one.repeats)}
    moved: dict[str, object] = dict.fromkeys(changed, layer)  # which channels they have
    widths.update(dict.fromkeys(changed, _width_before(model, layer, widths)))
    seen: dict[str, list[object]] = {}  # of the inputs of a layer, in its first call
    for old in model.layers:
        channels = [moved.get(name) for name in old.inputs]
        first = seen.setdefault(old.repeats or old.name, channels)
        if channels != first or (any(channels) and not _takes(old, channels)):
            raise needs_every_channel(old.name, old.kind)
        if not any(channels):
            continue
        before = [widths[name] for name in old.inputs]
        changed[old.name] = _fed(old, [changed.get(name) for name in old.inputs], before)
        if old.kind is LayerKind.CONCAT:
            moved[old.name] = (old.kind, *channels, *before)
        elif old.kind is LayerKind.RESHAPE:
            moved[old.name] = (old.kind, channels[0], old.input_shape)
        elif old.kind not in _MIXING:
            moved[old.name] = channels[0]
    read = {name for one in model.layers for name in one.inputs}
    if any(name in model.outputs or name not in read for name in moved):
        raise makes_the_outputs(group_of(layer), model.name)
    return replace(model, layers=tuple(changed.get(one.name, one) for one in model.layers))


def passes_channels(model: ModelSpec, layer: str) -> bool:
    """Whether a layer may give fewer channels, or in another order: whether none is tied."""
    try:
        rerouted(model, layer)
    except TechniqueNotApplicable:
        return False
    return True


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


def _takes(layer: LayerSpec, channels: Sequence[object]) -> bool:
    """Whether a layer may take inputs of other channels than before."""
    if layer.kind is LayerKind.CONCAT:
        return True
    if any(other != channels[0] for other in channels):
        return False
    if layer.kind is LayerKind.RESHAPE:
        return len(layer.output_shape) == 1
    if layer.kind is LayerKind.DEPTHWISE:
        return layer.input_shape[-1] == layer.output_shape[-1]
    return layer.groups == 1 and (layer.kind is not LayerKind.OTHER or layer.keeps_channels)


def _width_before(model: ModelSpec, layer: str, widths: Mapping[str, int]) -> int:
    """How many channels a layer gave, by what its readers still take."""
    readers = model.readers(layer)
    for reader in readers:
        if reader.inputs[0] == layer:
            return reader.input_shape[-1]
    for reader in readers:
        if reader.kind is LayerKind.CONCAT:
            others = sum(widths[name] for name in reader.inputs if name != layer)
            return (_width(reader) - others) // reader.inputs.count(layer)
    return widths[layer]


def _fed(old: LayerSpec, sources: Sequence[LayerSpec | None], widths: Sequence[int]) -> LayerSpec:
    """A layer as it is where what it reads gives other channels than before.

    Args:
        old: the layer.
        sources: each layer that it reads as it is now; None where that has not changed.
        widths: how many channels each gave before.
    """
    source = sources[0]
    input_shape = old.input_shape if source is None else source.output_shape
    before, now = old.input_shape[-1], input_shape[-1]
    output, a_channel = (*old.output_shape[:-1], now), old.weights // before
    if old.kind is LayerKind.CONCAT:
        pairs = zip(sources, widths, strict=True)
        fewer = sum(width - _width(one) for one, width in pairs if one is not None)
        output = (*old.output_shape[:-1], old.output_shape[-1] - fewer)
    elif old.kind in _MIXING:
        output, a_channel = old.output_shape, math.prod(old.kernel or ()) * old.output_shape[-1]
    elif old.kind is LayerKind.RESHAPE:
        output, a_channel = (math.prod(input_shape),), 0
    weights = old.weights - (before - now) * a_channel
    flattened_from = source.input_shape if source and old.flattened_from else old.flattened_from
    return replace(
        old,
        input_shape=input_shape,
        output_shape=output,
        weights=weights,
        nonzero_weights=weights,
        flattened_from=flattened_from,
    )


def _width(layer: LayerSpec) -> int:
    return _last(layer.output_shape)


def _last(shape: tuple[int, ...]) -> int:
    return (1, *shape)[-1]
