"""Networks as given, made into what everything else works on: flat, with norms folded.

`standard` is what is compressed, counted, trained and converted. Layers that only act while a
network is trained (augmentation, dropout) stay in it; preprocessing that it has is measured.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from adadeep.compress import walk
from adadeep.compress.fold import folded
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.rows import Rows, each, together

__all__ = ["flattened", "folded", "inputs_as", "outputs_as", "standard"]


def standard(model: keras.Model) -> keras.Model:
    """A copy of a network that computes the same at inference: flat, with norms folded.

    Fold only what is trained: a network that is to be trained from scratch needs its norms.

    Raises:
        ConfigError: see `flattened`.
    """
    return folded(flattened(model))


def flattened(model: keras.Model) -> keras.Model:
    """A flat functional copy of a network; the one given is not changed.

    Networks within it are inlined, separable convolutions become the two that they are made of.
    Layers keep their names; where one is taken it becomes NETWORK_NAME. What is called several
    times still is, with the same weights. Inputs and outputs keep their structure. What computes
    in float16 does so in float32.

    Raises:
        ConfigError: it is no graph of layers.
    """
    graph = walk.functional_of(model)
    if graph is None:
        raise ConfigError(
            f"network {one_line(model.name, 80)!r} is a {type(model).__name__}, not a graph of "
            "layers; build it by keras.Model(inputs, outputs) or as a keras.Sequential with an "
            "Input."
        )
    reserved = {walk.safe_name(one.name): id(one) for one in reversed(graph.operations)}
    copies = walk.Copies(walk.safe_name, reserved)
    return walk.rebuilt(model, copies, _Inlining(copies))


class _Inlining:
    """Calls copies of operations; of a network in it those of its own operations."""

    def __init__(self, copies: walk.Copies, outer: str = "", training: bool | None = None) -> None:
        self._copies = copies
        self._outer = outer
        self._training = training

    def __call__(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        if self._training is not None and getattr(operation, "_call_has_training_arg", False):
            kwargs = {**kwargs, "training": self._training}
        if not isinstance(operation, keras.Model):
            return self._copies.called(operation, self._outer, *args, **kwargs)
        inner = walk.functional_of(operation)
        if inner is None:
            raise ConfigError(
                f"layer {one_line(operation.name, 80)!r} is a network of the class "
                f"{type(operation).__name__}, not a graph of layers; build it by "
                "keras.Model(inputs, outputs)."
            )
        call = _Inlining(self._copies, operation.name, kwargs.get("training"))
        return walk.run(inner, _in_order(inner, args[0] if args else kwargs["inputs"]), call)


def _in_order(inner: keras.Model, given: Any) -> list[Any]:
    """What a network in another one is called with, in the order of its inputs."""
    if isinstance(given, dict) and not isinstance(inner._inputs_struct, dict):
        return [given[walk.node_of(tensor).operation.name] for tensor in inner.inputs]
    return list(keras.tree.flatten(given))


def inputs_as(model: keras.Model, rows: Rows) -> Any:
    """What to call a network with: the rows in the structure of its inputs.

    Args:
        model: functional or built Sequential.
        rows: in the order of `model.inputs`.

    Raises:
        ValueError: it has another number of inputs.
    """
    arrays = each(rows)
    if len(arrays) != len(model.inputs):
        raise ValueError(f"{len(arrays)} arrays for {len(model.inputs)} inputs")
    graph = walk.functional_of(model)
    if graph is None or (len(arrays) == 1 and not isinstance(graph._inputs_struct, dict)):
        return arrays[0]
    return keras.tree.pack_sequence_as(graph._inputs_struct, list(arrays))


def outputs_as(model: keras.Model, result: Any) -> Rows:
    """What a network gave when it was called, in the order of `model.outputs`.

    Raises:
        ValueError: it is of another number of outputs.
    """
    found = keras.tree.flatten(result)
    if len(found) != len(model.outputs):
        raise ValueError(f"{len(found)} results for {len(model.outputs)} outputs")
    return together(np.asarray(one) for one in found)
