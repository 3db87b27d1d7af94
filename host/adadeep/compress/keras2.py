"""Networks in .h5 files of Keras 2, so told that Keras 3 can load them.

Keras 3 reads such files, but stumbles over what Keras 2 wrote of many layers (settings that are
gone), counts calls of networks within networks from 0 where Keras 2 did from 1, and has no
TFOpLambda, the layers as which Keras 2 wrote `x / 127.5` and `tf.nn.relu(x)`. These name a
function of TensorFlow; those that networks are made of are done by `keras.ops`, and the loaded
network is as if it had been built by Keras 3. No code of the file is run.
"""

from __future__ import annotations

import copy
import inspect
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
from keras import ops

OPERATIONS = ("TFOpLambda", "SlicingOpLambda")
CLASSES = (*OPERATIONS, "Functional")  # that Keras 3 has no layers of, and still reads
_NETWORKS = ("Functional", "Model", "Sequential")
_CONSTANT = "_CONSTANT_VALUE"
_MOST_DEPTH = 50
_ANY = object()
# Settings of Keras 2 that Keras 3 does not take, and the value at which they change nothing.
_GONE_OF: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        (
            "DepthwiseConv1D", "DepthwiseConv2D", "Conv1DTranspose", "Conv2DTranspose",
            "Conv3DTranspose",
        ),
        {"groups": 1},
    ),
    (
        ("SeparableConv1D", "SeparableConv2D"),
        {
            "groups": 1, "kernel_initializer": _ANY, "kernel_regularizer": _ANY,
            "kernel_constraint": _ANY,
        },
    ),
    (("LSTM", "GRU", "SimpleRNN"), {"time_major": False}),
    (
        (
            "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomCrop",
            "RandomContrast", "RandomBrightness", "RandomHeight", "RandomWidth",
        ),
        {"rng_type": _ANY},
    ),
    (
        ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
        {"trainable": True, "noise_shape": None},
    ),
    (
        ("MultiHeadAttention",),
        {
            "softmax_robust_masking": _ANY, "query_shape": _ANY, "key_shape": _ANY,
            "value_shape": _ANY,
        },
    ),
)  # fmt: skip
_GONE = {name: settings for names, settings in _GONE_OF for name in names}
_OTHERWISE = "hard_sigmoid"  # another function in Keras 3


def _sliced(x: Any, slice_spec: Sequence[Any]) -> Any:
    """`x[...]` of what Keras 2 wrote of slices."""
    places = [
        slice(one["start"], one["stop"], one["step"]) if isinstance(one, Mapping) else one
        for one in slice_spec
    ]
    return x[tuple(Ellipsis if place == "..." else place for place in places)]


def _reduced(by: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(input_tensor: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return by(input_tensor, axis=axis, keepdims=bool(keepdims))

    return reduce


def _resized(images: Any, size: Any, method: str = "bilinear") -> Any:
    return ops.image.resize(images, size, interpolation=method)


def _normalized(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """By the Euclidean length over some axes."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(square, epsilon)))


def _one(by: Callable[..., Any]) -> Callable[..., Any]:
    """Of one tensor, which TensorFlow calls x, features or input."""
    return lambda x: by(x)


def _two(by: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: by(x, y)


# By the names and arguments of TensorFlow; the first is what comes in.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "__operators__.add": _two(ops.add),
    "__operators__.getitem": _sliced,
    "cast": lambda x, dtype: ops.cast(x, dtype),
    "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(
        t, clip_value_min, clip_value_max
    ),
    "compat.v1.squeeze": lambda x, axis=None: ops.squeeze(x, axis=axis),
    "compat.v1.transpose": lambda a, perm=None: ops.transpose(a, perm),
    "concat": lambda values, axis: ops.concatenate(values, axis=axis),
    "expand_dims": lambda x, axis: ops.expand_dims(x, axis),
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
    "nn.elu": _one(ops.elu),
    "nn.gelu": lambda features, approximate=False: ops.gelu(features, approximate=approximate),
    "nn.leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, negative_slope=alpha),
    "nn.relu": _one(ops.relu),
    "nn.relu6": _one(ops.relu6),
    "nn.sigmoid": _one(ops.sigmoid),
    "nn.silu": lambda features, beta=1.0: ops.multiply(features, ops.sigmoid(beta * features)),
    "nn.softmax": lambda logits, axis=None: ops.softmax(logits, axis=-1 if axis is None else axis),
    "nn.tanh": _one(ops.tanh),
    "reshape": lambda tensor, shape: ops.reshape(tensor, shape),
    "squeeze": lambda x, axis=None: ops.squeeze(x, axis=axis),
    "stack": lambda values, axis=0: ops.stack(values, axis=axis),
    "transpose": lambda a, perm=None: ops.transpose(a, perm),
}


class _Operation(keras.Operation):
    """Stands for a TFOpLambda while its network is built, and is not in it afterwards."""

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> _Operation:
        """As Keras calls it."""
        return cls(str(config.get("function")))

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Of tensors of a graph: operations of Keras' own, whose last is taken for this one."""
        done = _FUNCTIONS[self._function]
        known = inspect.signature(done).parameters
        given = {
            name: value
            for name, value in settings.items()
            if name != "name" and (name in known or value not in (None, False))
        }
        try:
            found = done(*inputs, **given)
        except TypeError as error:  # an argument that ours doesn't have
            raise ValueError(f"tf.{self._function} with {', '.join(given)}") from error
        history = keras.tree.flatten(found)[0]._keras_history
        self._inbound_nodes.append(history.operation._inbound_nodes[history.node_index])
        return found


def is_of_keras_2(path: Path) -> bool:
    """Whether an .h5 file says that Keras 2 wrote it."""
    with h5py.File(path, "r") as file:
        version = file.attrs.get("keras_version")
    text = version.decode(errors="replace") if isinstance(version, bytes) else str(version)
    return text.startswith("2.")


def refused(config: Any) -> list[str]:
    """What in a network nothing here stands for: "tf.math.erf", "hard_sigmoid in 'lstm'"."""
    found = []
    for layer in _layers(config):
        about = layer.get("config")
        settings = about if isinstance(about, dict) else {}
        if layer.get("class_name") in OPERATIONS:
            if str(settings.get("function")) not in _FUNCTIONS:
                found.append(f"tf.{settings.get('function')}")
        elif _OTHERWISE in settings.values():
            found.append(f"{_OTHERWISE} in {settings.get('name')!r}")
    return list(dict.fromkeys(found))


@contextmanager
def rewritten(path: Path, config: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A copy of the .h5 file that Keras 3 can load, and the custom objects that it takes.

    Args:
        path: of the file; it stays as it is.
        config: of the network in it.

    Raises:
        OSError: there is no room for a copy.
    """
    told = copy.deepcopy(config)
    _mend(told)
    with tempfile.TemporaryDirectory(prefix="adadeep-") as folder:
        other = Path(folder) / path.name
        shutil.copyfile(path, other)
        with h5py.File(other, "r+") as file:
            file.attrs["model_config"] = json.dumps(told)
        yield other, dict.fromkeys(OPERATIONS, _Operation)


def _layers(config: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """All layers of a network, those of networks and of wrappers in it, too."""
    inner = config.get("config") if isinstance(config, dict) else None
    if not isinstance(inner, dict) or depth > _MOST_DEPTH:
        return
    layers = inner.get("layers")
    wrapped = (inner.get(name) for name in ("layer", "backward_layer"))
    for layer in (*(layers if isinstance(layers, list) else ()), *wrapped):
        if isinstance(layer, dict):
            yield layer
            yield from _layers(layer, depth + 1)


def _mend(config: dict[str, Any]) -> None:
    """In place, of a network and all networks in it."""
    for network in (config, *_layers(config)):
        if network.get("class_name") in _NETWORKS:
            _count_from_0(network["config"])
    for layer in _layers(config):
        for name, harmless in _GONE.get(layer["class_name"], {}).items():
            if harmless is _ANY or layer["config"].get(name, _ANY) == harmless:
                layer["config"].pop(name, None)
        calls = layer.get("inbound_nodes")
        if calls and (layer["class_name"] in OPERATIONS or _has_tensors(calls)):
            layer["inbound_nodes"] = [_node(call) for call in calls]


def _count_from_0(network: Any) -> None:
    """Calls of networks within it; Keras 3 does that itself where one gives an output."""
    if not isinstance(network, dict) or "input_layers" not in network:
        return
    inner = {one["name"]: one for one in network["layers"] if one["class_name"] in _NETWORKS}
    uses = list(_references([layer["inbound_nodes"] for layer in network["layers"]]))
    ends = list(_references(network["output_layers"]))
    least: dict[str, int] = {}
    for name, number, *_ in (*uses, *ends):
        least[name] = min(number, least.get(name, number))
    for use in uses:
        use[1] -= least[use[0]] if use[0] in inner else 0
    for end in ends:
        if end[0] in inner and inner[end[0]]["class_name"] == "Sequential":
            end[1] -= least[end[0]]


def _is_reference(value: Any) -> bool:
    """Whether it is what came out of a layer: its name, which call of it, which output."""
    if not isinstance(value, list) or not 3 <= len(value) <= 4 or not isinstance(value[0], str):
        return False
    return value[0] != _CONSTANT and all(isinstance(number, int) for number in value[1:3])


def _references(value: Any) -> Iterator[list[Any]]:
    if _is_reference(value):
        yield value
    if isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _references(one)


def _has_tensors(calls: Any) -> bool:
    """Whether a tensor is among the settings of a call, where Keras 3 doesn't look."""
    return any(
        True
        for use in _references(calls)
        if len(use) == 4
        for _ in _references(list(use[3].values()))
    )


def _node(call: Sequence[Any]) -> dict[str, Any]:
    """A call as Keras 3 writes it: Keras 2 has tensors among the settings, and bare numbers."""
    is_one = isinstance(call[0], str)
    inputs = [call] if is_one else call
    tensors = [_argument(one[:3]) for one in inputs]
    settings = inputs[0][3] if len(inputs[0]) > 3 else {}
    return {
        "args": [tensors[0] if is_one or len(tensors) == 1 else tensors],
        "kwargs": {name: _argument(value) for name, value in settings.items()},
    }


def _argument(value: Any) -> Any:
    """A value, or a tensor of the graph as Keras 3 writes it."""
    if _is_reference(value):
        about = {"shape": [None], "dtype": "float32", "keras_history": value[:3]}
        return {"class_name": "__keras_tensor__", "config": about}
    if isinstance(value, list):
        is_constant = len(value) == 3 and value[0] == _CONSTANT
        return value[2] if is_constant else [_argument(one) for one in value]
    return value
