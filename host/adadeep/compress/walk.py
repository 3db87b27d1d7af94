"""Walks Keras networks as graphs: of layers, and of operations that are no layers (x + y)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain, count
from typing import Any

import keras
from keras import layers

from adadeep.compress.names import SEPARATOR

Call = Callable[..., Any]
# Functional and Sequential networks are inlined; SeparableConv is two layers, and made so.
_SEPARABLE = {
    layers.SeparableConv1D: (layers.DepthwiseConv1D, layers.Conv1D),
    layers.SeparableConv2D: (layers.DepthwiseConv2D, layers.Conv2D),
}
_REDUCED = ("float16", "bfloat16")


def is_symbolic(value: Any) -> bool:
    """Whether it is a symbolic tensor, which stands for what a network computes."""
    return isinstance(value, keras.KerasTensor)


def tensors_in(*structures: Any) -> list[Any]:
    """The symbolic tensors in arguments, in order."""
    return [one for one in keras.tree.flatten(structures) if is_symbolic(one)]


def node_of(tensor: Any) -> Any:
    """The call that puts out a symbolic tensor: its operation, arguments and outputs."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def functional_of(model: keras.Model) -> keras.Model | None:
    """The graph of a functional or built Sequential network; None where it has none."""
    if isinstance(model, keras.Sequential):
        return getattr(model, "_functional", None)
    return model if hasattr(model, "_run_through_graph") else None


def is_flat(model: keras.Model) -> bool:
    """Whether it is a graph of single layers."""
    return (
        not isinstance(model, keras.Sequential)
        and functional_of(model) is not None
        and not any(_is_inlined(operation) for operation in model.operations)
    )


def _is_inlined(operation: Any) -> bool:
    return isinstance(operation, (keras.Model, *_SEPARABLE))


def calls_of(model: keras.Model) -> list[Any]:
    """The calls that the outputs of a flat network are made of, each behind all that it reads.

    Depth first: the branches of a network don't mix, however long they are.
    """
    return calls_for(model.outputs)


def calls_for(tensors: Sequence[Any], known: Collection[int] = ()) -> list[Any]:
    """The calls that symbolic tensors are made of, each behind all that it reads.

    Args:
        tensors: of a flat network.
        known: ids of tensors that are not looked behind.
    """
    done: set[int] = set()
    ordered: list[Any] = []
    waiting = [node_of(tensor) for tensor in reversed(tensors) if id(tensor) not in known]
    while waiting:
        node = waiting[-1]
        before = (node_of(one) for one in node.input_tensors if id(one) not in known)
        missing = next((one for one in before if id(one) not in done), None)
        if id(node) not in done and missing is not None and not node.is_input:
            waiting.append(missing)
            continue
        waiting.pop()
        if id(node) not in done:
            done.add(id(node))
            ordered.append(node)
    return [node for node in ordered if not node.is_input]


def safe_name(name: str) -> str:
    """A layer's name as plans may hold it: of letters, digits, dots, hyphens and underscores."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return re.sub(f"{SEPARATOR}+", "_", plain) or "layer"


def own_name(name: str) -> str:
    """A name of ours as it is, with the separator of parts."""
    return name


class Copies:
    """Copies of layers with their weights: of each one, however often it is called.

    Args:
        rename: from a layer's name to its copy's; `safe_name` does not keep the parts of ours.
        reserved: names that only the operation of that id may have.
    """

    def __init__(
        self,
        rename: Callable[[str], str] = own_name,
        reserved: Mapping[str, int] | None = None,
    ) -> None:
        self._rename = rename
        self._reserved = dict(reserved or {})
        self._taken: set[str] = set()
        self._copies: dict[int, Any] = {}

    def input(self, tensor: Any) -> Any:
        """A new input like the one given, of any batch."""
        return keras.Input(
            shape=tensor.shape[1:], dtype=tensor.dtype, name=self._name(node_of(tensor).operation)
        )

    def called(self, operation: Any, outer: str, *args: Any, **kwargs: Any) -> Any:
        """What the copy of an operation gives; the weights are the operation's.

        Args:
            operation: a layer or another operation.
            outer: name of the network that it is in, to tell it from others of its name.
            args: of the call.
            kwargs: of the call.
        """
        if type(operation) in _SEPARABLE:
            return self._separated(operation, outer, args[0])
        return self.call_copy(operation, outer, None, args, kwargs)

    def call_copy(
        self,
        operation: Any,
        outer: str,
        weights: list[Any] | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """The same with other weights; with the first call the copy and its weights are made."""
        copy = self._copies.get(id(operation))
        if copy is not None:
            return copy(*args, **kwargs)
        copy = copy_of(operation, self._name(operation, outer))
        self._copies[id(operation)] = copy
        output = copy(*args, **kwargs)
        give_weights(copy, operation, weights)
        return output

    def _separated(self, layer: Any, outer: str, tensor: Any) -> Any:
        parts = self._copies.get(id(layer))
        if parts is not None:
            return parts[1](parts[0](tensor))
        parts = _parts_of(layer, self._name(layer, outer))
        self._copies[id(layer)] = parts
        output = parts[1](parts[0](tensor))
        depthwise, *pointwise = layer.get_weights()
        parts[0].set_weights([depthwise])
        parts[1].set_weights(pointwise)
        return output

    def _name(self, operation: Any, outer: str = "") -> str:
        own = self._rename(operation.name)
        longer = f"{self._rename(outer)}_{own}" if outer else own
        numbered = (f"{longer}_{number}" for number in count(2))
        name = next(one for one in chain((own, longer), numbered) if self._is_free(one, operation))
        self._taken.add(name)
        return name

    def _is_free(self, name: str, operation: Any) -> bool:
        is_ours = self._reserved.get(name, id(operation)) == id(operation)
        return is_ours and name not in self._taken


class Shared(Copies):
    """The operations of a flat network themselves, where their weights do not change.

    Calls whose inputs are the network's own are not made again.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        nodes = calls_of(model)
        keys = [_call_key(node.operation, node.input_tensors) for node in nodes]
        times = Counter(keys)
        self._calls = {
            key: node.outputs for key, node in zip(keys, nodes, strict=True) if times[key] == 1
        }

    def input(self, tensor: Any) -> Any:
        """The network's own."""
        return tensor

    def call_copy(
        self,
        operation: Any,
        outer: str,
        weights: list[Any] | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """The same as of copies; the operation itself where it keeps its weights."""
        if weights is not None:
            return super().call_copy(operation, outer, weights, args, kwargs)
        key = _call_key(operation, tensors_in(args, kwargs))
        if key not in self._calls:
            return operation(*args, **kwargs)
        outputs = self._calls[key]
        return outputs[0] if len(outputs) == 1 else outputs


def _call_key(operation: Any, inputs: Sequence[Any]) -> tuple[int, ...]:
    return (id(operation), *map(id, inputs))


def copy_of(operation: Any, name: str) -> Any:
    """A new operation of the same settings, in float32 where it computes in half of that."""
    config = {**operation.get_config(), "name": name}
    policy = getattr(operation, "dtype_policy", None)
    if policy is not None and policy.compute_dtype in _REDUCED:
        config["dtype"] = "float32"
    return type(operation).from_config(config)


def give_weights(copy: Any, operation: Any, weights: list[Any] | None = None) -> None:
    """Gives a built copy of a layer the layer's weights, or those given."""
    if not isinstance(operation, layers.Layer):
        return
    copy.set_weights(operation.get_weights() if weights is None else weights)
    if hasattr(copy, "finalize_state"):  # of preprocessing: derived from the weights
        copy.finalize_state()


def _parts_of(layer: Any, name: str) -> tuple[Any, Any]:
    """A depthwise convolution, and a pointwise one that is called on what it gives."""
    depthwise, pointwise = _SEPARABLE[type(layer)]
    first = depthwise(
        layer.kernel_size, strides=layer.strides, padding=layer.padding,
        depth_multiplier=layer.depth_multiplier, dilation_rate=layer.dilation_rate,
        data_format=layer.data_format, use_bias=False, name=f"{name}_depthwise",
        depthwise_regularizer=layer.depthwise_regularizer, trainable=layer.trainable,
    )  # fmt: skip
    second = pointwise(
        layer.filters, 1, activation=layer.activation, use_bias=layer.use_bias,
        data_format=layer.data_format, name=f"{name}_pointwise",
        kernel_regularizer=layer.pointwise_regularizer, trainable=layer.trainable,
    )  # fmt: skip
    return first, second


def run(model: keras.Model, inputs: list[Any], call: Call) -> Any:
    """What a graph gives for symbolic inputs, each operation called by `call(op, *args, ...)`."""
    graph = functional_of(model)
    assert graph is not None
    return graph._run_through_graph(inputs, call_fn=call)


def rebuilt(model: keras.Model, copies: Copies, call: Call) -> keras.Model:
    """A new network of a graph's structure, with its inputs, outputs and name."""
    graph = functional_of(model)
    assert graph is not None
    inputs = keras.tree.map_structure(copies.input, graph._inputs_struct)
    outputs = run(graph, keras.tree.flatten(inputs), call)
    return keras.Model(inputs, outputs, name=model.name)
