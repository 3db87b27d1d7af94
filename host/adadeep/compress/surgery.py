"""Rebuilds a Keras network with some layers replaced; all other weights are inherited.

A replacement may give fewer channels than the layer did, or in another order. What comes after
it then inherits the matching slices of its weights: through norms, depthwise convolutions, pools,
concatenation and flattening, up to the first layers that mix channels.

Within `in_passing` networks are made that only lead to the next one: what does not change they
have in common with the one that they were made of. To copy a large network takes a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from adadeep.compress import kinds, walk
from adadeep.compress.graph import flattened
from adadeep.compress.outline import makes_the_outputs, needs_every_channel
from adadeep.core.layers import LayerKind

Indices = npt.NDArray[np.intp]
Weights = npt.NDArray[np.floating]
_IN_PASSING = ContextVar("whether networks may share layers", default=False)
_PASSING = (LayerKind.POOL, LayerKind.GLOBAL_POOL, LayerKind.ACTIVATION, LayerKind.ADD)


@dataclass(frozen=True, slots=True)
class Replacement:
    """What stands in for one layer.

    Attributes:
        build: from the layer's symbolic input to its output; makes the new layers and sets their
            weights. Called once, also for a layer that is called several times.
        kept: channels of the initial output that the new output has, in its order; None is all.
    """

    build: Callable[[Any], Any]
    kept: Indices | None = None


def pass_through(tensor: Any) -> Any:
    """Takes a layer out: `Replacement(pass_through)`."""
    return tensor


def as_functional(model: keras.Model) -> keras.Model:
    """The network as a flat graph of layers; a plain Sequential one shares its layers with it."""
    graph = walk.functional_of(model)
    return graph if graph is not None and walk.is_flat(graph) else flattened(model)


def behind(model: keras.Model, name: str) -> list[str]:
    """Names of the layers that take what a layer puts out, straight or by way of others."""
    found = [name]
    for node in walk.calls_of(model):
        if any(walk.node_of(one).operation.name in found for one in node.input_tensors):
            found.append(node.operation.name)
    return list(dict.fromkeys(found))[1:]


def placed(layer: keras.layers.Layer, tensor: Any, *weights: Weights) -> Any:
    """Calls a new layer and gives it its weights."""
    output = layer(tensor)
    layer.set_weights(list(weights))
    return output


@contextmanager
def in_passing() -> Iterator[None]:
    """Within it `rebuild` shares layers with the network given: both must be nobody else's.

    Keras then has calls of several networks on a layer, so `rebuild` the last one outside.
    """
    token = _IN_PASSING.set(True)
    try:
        yield
    finally:
        _IN_PASSING.reset(token)


def rebuild(model: keras.Model, replacements: Mapping[str, Replacement]) -> keras.Model:
    """A new network; the one given is not changed and shares no weights with it.

    But for `in_passing`.

    Raises:
        TechniqueNotApplicable: channels were dropped, or changed place, before a layer that
            needs them all in order, or at the output.
    """
    initial = as_functional(model)
    copies = walk.Shared(initial) if _IN_PASSING.get() else walk.Copies()
    work = _Rebuilding(initial, replacements, copies)
    rebuilt = walk.rebuilt(initial, work.copies, work)
    if any(work.kept_in(output) is not None for output in rebuilt.outputs):
        raise makes_the_outputs(", ".join(replacements), model.name)
    return rebuilt


class _Rebuilding:
    """Calls what stands for each operation of a network, and knows which channels are left."""

    def __init__(
        self,
        initial: keras.Model,
        replacements: Mapping[str, Replacement],
        copies: walk.Copies,
    ) -> None:
        self.copies = copies
        self._replacements = replacements
        nodes = walk.calls_of(initial)
        self._calls = Counter(id(node.operation) for node in nodes)
        self._nodes = {id(node.operation): node for node in reversed(nodes)}
        self._kept: dict[int, Indices] = {}  # id of a symbolic tensor -> the channels it has
        self._tensors: list[Any] = []  # keeps them, and so their ids
        self._seen: dict[int, list[Indices | None]] = {}
        self._inlined: dict[int, keras.Model] = {}
        self._flats: dict[int, Any] = {}

    def kept_in(self, tensor: Any) -> Indices | None:
        """The channels that a new tensor still has, in its order; None for all."""
        return self._kept.get(id(tensor))

    def __call__(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = walk.tensors_in(args, kwargs)
        kept_inputs = [self.kept_in(tensor) for tensor in inputs]
        self._check_same(operation, kept_inputs)
        replacement = self._replacements.get(operation.name)
        if replacement is not None:
            output = self._replaced(operation, replacement, inputs[0])
            kept = replacement.kept if replacement.kept is not None else kept_inputs[0]
        elif all(kept is None for kept in kept_inputs):
            return self.copies.called(operation, "", *args, **kwargs)
        else:
            output, kept = self._sliced(operation, kept_inputs, args, kwargs)
        if kept is not None:
            self._kept[id(output)] = kept
            self._tensors.append(output)
        return output

    def _check_same(self, operation: Any, kept_inputs: list[Indices | None]) -> None:
        """Refuses other channels in another call of the same layer."""
        seen = self._seen.setdefault(id(operation), kept_inputs)
        if not all(map(_equal, seen, kept_inputs)):
            raise needs_every_channel(operation.name, type(operation).__name__)

    def _replaced(self, operation: Any, replacement: Replacement, tensor: Any) -> Any:
        if self._calls[id(operation)] < 2 or replacement.build is pass_through:
            return replacement.build(tensor)
        if id(operation) not in self._inlined:
            given = keras.Input(shape=tensor.shape[1:], dtype=tensor.dtype)
            self._inlined[id(operation)] = keras.Model(given, replacement.build(given))
        part = self._inlined[id(operation)]
        return walk.run(part, [tensor], lambda one, *a, **k: self.copies.called(one, "", *a, **k))

    def _sliced(
        self, operation: Any, kept: list[Indices | None], args: Any, kwargs: Any
    ) -> tuple[Any, Indices | None]:
        """Calls a copy with the channels that are left; gives its output and their channels."""
        node = self._nodes[id(operation)]
        kind, first = kinds.kind_of(node), kept[0]
        if kinds.flattens(node) and first is not None:
            return self._flat(operation)(*args, **kwargs), _flattened(node, first)
        if kind is LayerKind.CONCAT:
            return self.copies.called(operation, "", *args, **kwargs), _joined(node, kept)
        if first is None or not _passes_or_mixes(node, kept):
            raise needs_every_channel(operation.name, type(operation).__name__)
        is_layer = isinstance(operation, layers.Layer)
        weights: list[Weights] = operation.get_weights() if is_layer else []
        output = self.copies.call_copy(operation, "", _slices(kind, weights, first), args, kwargs)
        is_mixed = kind in (LayerKind.CONV, LayerKind.DENSE, LayerKind.TRANSPOSED)
        return output, None if is_mixed else first

    def _flat(self, operation: Any) -> Any:
        """A flattening of any size: a Reshape's settings hold one."""
        if isinstance(operation, layers.Flatten):
            return lambda *args, **kwargs: self.copies.called(operation, "", *args, **kwargs)
        if id(operation) not in self._flats:
            self._flats[id(operation)] = layers.Reshape((-1,), name=operation.name)
        return self._flats[id(operation)]


def _equal(one: Indices | None, other: Indices | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _passes_or_mixes(node: Any, kept: list[Indices | None]) -> bool:
    """Whether an operation can be made for the channels that are left."""
    operation, kind = node.operation, kinds.kind_of(node)
    if not all(_equal(kept[0], other) for other in kept):
        return False
    if kind is LayerKind.DEPTHWISE:
        return bool(operation.depth_multiplier == 1)
    if kind in (LayerKind.CONV, LayerKind.TRANSPOSED):
        return bool(operation.groups == 1) if kind is LayerKind.CONV else True
    passes = kind in (*_PASSING, LayerKind.DENSE, LayerKind.BATCH_NORM)
    always = kinds.keeps_channels(operation) or isinstance(operation, kinds.NOT_AT_INFERENCE)
    return passes or always


def _slices(kind: LayerKind, weights: list[Weights], kept: Indices) -> list[Weights]:
    """A layer's weights for the input channels that are left."""
    if kind is LayerKind.BATCH_NORM:
        return [values[kept] for values in weights]
    if kind is LayerKind.DEPTHWISE:  # (..., inputs, 1), and a bias an input
        return [weights[0][..., kept, :], *(bias[kept] for bias in weights[1:])]
    if kind is LayerKind.TRANSPOSED:  # (..., outputs, inputs)
        return [weights[0][..., kept], *weights[1:]]
    if kind in (LayerKind.CONV, LayerKind.DENSE):
        return [weights[0][..., kept, :], *weights[1:]]
    return weights


def _flattened(node: Any, kept: Indices) -> Indices:
    """Positions in the flattened map of the channels that are left."""
    shape = node.input_tensors[0].shape[1:]
    positions = np.arange(int(np.prod(shape))).reshape(shape)
    return np.asarray(positions[..., kept].reshape(-1))


def _joined(node: Any, kept: list[Indices | None]) -> Indices:
    """Places in a concatenation of the channels that are left in its parts."""
    widths = [tensor.shape[-1] for tensor in node.input_tensors]
    starts = np.cumsum([0, *widths[:-1]])
    parts = [
        start + (np.arange(width) if one is None else one)
        for start, width, one in zip(starts, widths, kept, strict=True)
    ]
    return np.concatenate(parts)
