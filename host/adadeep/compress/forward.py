"""What a network computes of samples: at any of its layers, a few samples at a time.

A plan fits one replacement after the other, each to what comes in from those before it. Within
`remembering` each fit goes on from the maps that the last one ended at, so that a whole plan costs
one pass through the network and not one for each of its choices.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from adadeep.compress import walk
from adadeep.core.rows import Rows, each

Maps = npt.NDArray[np.float32]
_Values = dict[int, Any]  # by the id of a symbolic tensor

_BATCH_BYTES = 64_000_000  # of the largest map of a batch of samples
_LARGEST_BYTES = 400_000_000  # of the largest map of all samples
_FEWEST = 50  # samples that are worth fitting to, however large they are
_REMEMBERED_BYTES = 1_000_000_000


class _Memory:
    """Maps of all samples, each under what it was computed by."""

    def __init__(self, samples: Rows) -> None:
        self.samples = samples
        self.maps: dict[str, Maps] = {}


_MEMORY: ContextVar[_Memory | None] = ContextVar("maps of the plan that is applied", default=None)


@contextmanager
def remembering(samples: Rows | None) -> Iterator[None]:
    """Within it `maps_of` keeps of these samples what a later layer needs to go on from."""
    token = _MEMORY.set(None if samples is None else _Memory(samples))
    try:
        yield
    finally:
        _MEMORY.reset(token)


def enough(model: keras.Model, samples: Rows) -> Rows:
    """So many of the samples that their largest map in a network fits in memory, and time.

    Wide maps have many positions, so that few samples tell as much.

    Args:
        model: a flat network.
        samples: (n, ...) of each of its inputs.
    """
    maps = (one for node in walk.calls_of(model) for one in node.outputs)
    return samples[: max(_FEWEST, _LARGEST_BYTES // _largest(maps))]


def maps_of(
    model: keras.Model, tensors: Sequence[Any], samples: Rows
) -> Iterator[tuple[Maps, ...]]:
    """What some tensors of a network are for samples, at inference; so many at a time that fit.

    Args:
        model: a flat network.
        tensors: of it, symbolic ones.
        samples: (n, ...) of each of the network's inputs.
    """
    memory = _MEMORY.get()
    if memory is None or memory.samples is not samples:
        yield from _batches(model, tensors, samples, {})
        return
    nodes = walk.calls_for(tensors)
    keys = _keys(model, nodes)
    known = {one: memory.maps[key] for one, key in keys.items() if key in memory.maps}
    ends = _ends(model, nodes)
    parts: list[tuple[Maps, ...]] = []
    for batch in _batches(model, [*tensors, *ends], samples, known):
        parts.append(batch[len(tensors) :])
        yield batch[: len(tensors)]
    memory.maps = {}
    for end, some in zip(ends, zip(*parts, strict=True), strict=True):
        if sum(one.nbytes for one in (*memory.maps.values(), *some)) <= _REMEMBERED_BYTES:
            memory.maps[keys[id(end)]] = np.concatenate(some)


def _ends(model: keras.Model, done: Sequence[Any]) -> list[Any]:
    """The tensors of some calls that others read: all that is needed of them to go on."""
    ours = {id(node) for node in done}
    read = {
        id(tensor)
        for node in walk.calls_of(model)
        if id(node) not in ours
        for tensor in node.input_tensors
    }
    return [one for node in done for one in node.outputs if id(one) in read]


def _batches(
    model: keras.Model, tensors: Sequence[Any], samples: Rows, known: dict[int, Maps]
) -> Iterator[tuple[Maps, ...]]:
    nodes = walk.calls_for(tensors, known)
    read = [*tensors, *(one for node in nodes for one in node.input_tensors)]
    used = {id(one): known[id(one)] for one in read if id(one) in known}
    wanted = {id(one) for one in tensors}
    size = max(1, _BATCH_BYTES // _largest(read))
    for start in range(0, len(samples), size):
        rows = slice(start, start + size)
        values: _Values = {one: keras.ops.convert_to_tensor(m[rows]) for one, m in used.items()}
        for tensor, array in zip(model.inputs, each(samples[rows]), strict=True):
            given = np.reshape(array, (len(array), *tensor.shape[1:]))
            values[id(tensor)] = keras.ops.convert_to_tensor(given, dtype=tensor.dtype)
        _compute(nodes, values, wanted)
        yield tuple(np.asarray(values[id(one)]) for one in tensors)


def _compute(nodes: Sequence[Any], values: _Values, wanted: Collection[int]) -> None:
    """Runs calls in order; drops what no later one reads, for maps are large."""
    to_come = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
    for node in nodes:
        args, kwargs = node.arguments.fill_in(values)
        if getattr(node.operation, "_call_has_training_arg", False):
            kwargs = {**kwargs, "training": False}
        found = keras.tree.flatten(node.operation(*args, **kwargs))
        values.update(zip(map(id, node.outputs), found, strict=True))
        for tensor in node.input_tensors:
            to_come[id(tensor)] -= 1
            if not to_come[id(tensor)] and id(tensor) not in wanted:
                values.pop(id(tensor), None)


def _largest(tensors: Iterable[Any]) -> int:
    """Bytes of the largest of some maps, for a sample."""
    return 4 * max((math.prod(one.shape[1:]) for one in tensors), default=1)


def _keys(model: keras.Model, nodes: Sequence[Any]) -> dict[int, str]:
    """Of the tensors that calls put out, what they are computed by: settings, weights, inputs.

    Another network has the same tensor where it has the same key.
    """
    keys = {id(tensor): f"input {number}" for number, tensor in enumerate(model.inputs)}
    told: dict[int, bytes] = {}  # of operations, however often they are called
    for node in nodes:
        operation = node.operation
        if id(operation) not in told:
            told[id(operation)] = _told(operation)
        digest = hashlib.blake2b(told[id(operation)], digest_size=16)
        for one in keras.tree.flatten((node.arguments.args, node.arguments.kwargs)):
            text = keys[id(one)] if walk.is_symbolic(one) else _text_of(one)
            digest.update(f"{text};".encode())
        for number, tensor in enumerate(node.outputs):
            keys[id(tensor)] = f"{digest.hexdigest()} {number}"
    return keys


def _told(operation: Any) -> bytes:
    digest = hashlib.blake2b(f"{type(operation)} {operation.get_config()}".encode())
    for weights in operation.get_weights() if isinstance(operation, keras.layers.Layer) else ():
        digest.update(np.ascontiguousarray(weights).data)
    return digest.digest()


def _text_of(value: Any) -> str:
    return np.asarray(value).tobytes().hex() if hasattr(value, "shape") else repr(value)
