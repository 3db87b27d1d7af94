"""Functions of TensorFlow that Keras 2 kept in files as layers, done by `keras.ops`.

One operation each where Keras has it: Keras gives the weights of an .h5 file to layers in the
order of their depth, which more would change.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

_RESIZING = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _sliced(x: Any, slice_spec: Sequence[Any]) -> Any:
    """`x[...]` of what Keras 2 wrote of slices."""
    places = [
        slice(one["start"], one["stop"], one["step"]) if isinstance(one, Mapping) else one
        for one in slice_spec
    ]
    return x[tuple(Ellipsis if place == "..." else place for place in places)]


def _is_whole(x: Any) -> bool:
    return "float" not in str(x.dtype)


def _reduced(by: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        found = by(input_tensor, axis=axis, keepdims=bool(keepdims))
        # TensorFlow's stays in whole numbers.
        return ops.cast(found, input_tensor.dtype) if _is_whole(input_tensor) else found

    return reduce


def _resized(images: Any, size: Any, method: str = "bilinear") -> Any:
    if method not in _RESIZING:
        raise TypeError(method)
    if method != "nearest" and _is_whole(images):
        images = ops.cast(images, "float32")
    return ops.image.resize(images, size, interpolation=method)


def _clipped(t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    if all(isinstance(end, (int, float)) for end in (clip_value_min, clip_value_max)):
        return ops.clip(t, clip_value_min, clip_value_max)
    return ops.maximum(ops.minimum(t, clip_value_max), clip_value_min)


def _silu(features: Any, beta: float = 1.0) -> Any:
    if beta == 1.0:
        return ops.silu(features)
    return ops.multiply(features, ops.sigmoid(ops.multiply(features, beta)))


def _normalized(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """By the Euclidean length over an axis; TensorFlow's epsilon is of its square."""
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, int):
        return ops.normalize(x, axis=axis, order=2, epsilon=epsilon**0.5)
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(square, epsilon)))


def _one(by: Callable[..., Any]) -> Callable[..., Any]:
    """Of one tensor, which TensorFlow calls x, features or input."""
    return lambda x: by(x)


def _two(by: Callable[..., Any]) -> Callable[..., Any]:
    """Of two, one of which may be numbers."""

    def done(x: Any, y: Any) -> Any:
        other = y if isinstance(x, list) else x
        x, y = (
            np.asarray(one, str(other.dtype)) if isinstance(one, list) else one for one in (x, y)
        )
        return by(x, y)

    return done


def _biased(value: Any, bias: Any, data_format: str | None = None) -> Any:
    if str(data_format).startswith("NC"):
        raise TypeError(data_format)
    return _two(ops.add)(value, bias)


# By the names and arguments of TensorFlow; the first is what comes in.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "__operators__.add": _two(ops.add),
    "__operators__.getitem": _sliced,
    "cast": lambda x, dtype: ops.cast(x, dtype),
    "clip_by_value": _clipped,
    "compat.v1.squeeze": lambda x, axis=None: ops.squeeze(x, axis=axis),
    "compat.v1.transpose": lambda a, perm=None: ops.transpose(a, perm),
    "concat": lambda values, axis: ops.concatenate(values, axis=axis),
    "expand_dims": lambda x, axis: ops.expand_dims(x, axis),
    "identity": _one(ops.copy),
    "image.resize": _resized,
    "linalg.matmul": lambda a, b: ops.matmul(a, b),
    "math.abs": _one(ops.absolute),
    "math.add": _two(ops.add),
    "math.divide": _two(ops.true_divide),
    "math.exp": _one(ops.exp),
    "math.l2_normalize": _normalized,
    "math.log": _one(ops.log),
    "math.maximum": _two(ops.maximum),
    "math.minimum": _two(ops.minimum),
    "math.multiply": _two(ops.multiply),
    "math.negative": _one(ops.negative),
    "math.pow": _two(ops.power),
    "math.reduce_max": _reduced(ops.max),
    "math.reduce_mean": _reduced(ops.mean),
    "math.reduce_min": _reduced(ops.min),
    "math.reduce_sum": _reduced(ops.sum),
    "math.sigmoid": _one(ops.sigmoid),
    "math.sqrt": _one(ops.sqrt),
    "math.square": _one(ops.square),
    "math.subtract": _two(ops.subtract),
    "math.tanh": _one(ops.tanh),
    "math.truediv": _two(ops.true_divide),
    "nn.bias_add": _biased,
    "nn.elu": _one(ops.elu),
    "nn.gelu": lambda features, approximate=False: ops.gelu(features, approximate=approximate),
    "nn.leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, negative_slope=alpha),
    "nn.relu": _one(ops.relu),
    "nn.relu6": _one(ops.relu6),
    "nn.sigmoid": _one(ops.sigmoid),
    "nn.silu": _silu,
    "nn.softmax": lambda logits, axis=None: ops.softmax(logits, axis=-1 if axis is None else axis),
    "nn.tanh": _one(ops.tanh),
    "reshape": lambda tensor, shape: ops.reshape(tensor, shape),
    "squeeze": lambda x, axis=None: ops.squeeze(x, axis=axis),
    "stack": lambda values, axis=0: ops.stack(values, axis=axis),
    "transpose": lambda a, perm=None: ops.transpose(a, perm),
}


class Operation(keras.Operation):
    """Stands for a TFOpLambda while its network is built, and is not in it afterwards."""

    def __init__(self, function: str, name: str) -> None:
        super().__init__()
        self._function = function
        self._called = name.replace("/", "_")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Operation:
        """As Keras calls it."""
        return cls(str(config.get("function")), str(config.get("name")))

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Of tensors of a graph: operations of Keras' own, whose last is taken for this one."""
        done = FUNCTIONS[self._function]
        known = inspect.signature(done).parameters
        given = {
            name: value
            for name, value in settings.items()
            if name != "name" and (name in known or not (value is None or value is False))
        }
        try:
            found = done(*inputs, **given)
        except TypeError as error:  # an argument that ours doesn't have
            raise ValueError(f"tf.{self._function} with {', '.join(given)}") from error
        history = keras.tree.flatten(found)[0]._keras_history
        self._inbound_nodes.append(history.operation._inbound_nodes[history.node_index])
        before = {id(one) for one in keras.tree.flatten((inputs, given))}
        for number, made in enumerate(_made(history.operation, before)):
            # A layer of the file may have the name that Keras has just made up.
            suffix = "_".join(filter(None, (self._call(), str(number or ""))))
            made.name = f"{self._called}_{suffix}" if suffix else self._called
        return found

    def _call(self) -> str:
        """Which call of it, if not the first."""
        calls = len(self._inbound_nodes)
        return f"call{calls}" if calls > 1 else ""


def _made(last: Any, before: set[int]) -> Iterator[Any]:
    """The operations between what came in and what came out, the last one first."""
    waiting, seen = [last], set()
    while waiting:
        operation = waiting.pop()
        if id(operation) in seen:
            continue
        seen.add(id(operation))
        yield operation
        for tensor in operation._inbound_nodes[-1].input_tensors:
            if id(tensor) not in before:
                waiting.append(tensor._keras_history.operation)
