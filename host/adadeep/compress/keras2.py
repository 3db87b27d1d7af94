"""Networks in .h5 files of Keras 2, so told that Keras 3 can load them.

Keras 3 reads such files, but stumbles over what Keras 2 wrote of many layers (settings that are
gone), counts calls of networks within networks from 0 where Keras 2 did from 1, and has no
TFOpLambda, the layers as which Keras 2 wrote `x / 127.5` and `tf.nn.relu(x)`. The loaded network
is as if it had been built by Keras 3. No code of the file is run. What Keras 3 would take for
another function without a word is refused, and weights that came to other layers are noticed.
"""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from adadeep.compress.keras2_operations import FUNCTIONS, Operation

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
_MERGING = ("Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


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
            if str(settings.get("function")) not in FUNCTIONS:
                found.append(f"tf.{settings.get('function')}")
        elif _OTHERWISE in settings.values():
            found.append(f"{_OTHERWISE} in {settings.get('name')!r}")
    return list(dict.fromkeys([*found, *_otherwise(config)]))


def _otherwise(config: Any) -> Iterator[str]:
    """What Keras 3 does otherwise than Keras 2 where several things come together."""
    kinds = {str(layer.get("class_name")) for layer in _layers(config)}
    about = [layer["config"] for layer in _layers(config) if isinstance(layer.get("config"), dict)]
    if "RandomCrop" in kinds:
        yield "RandomCrop"
    is_masked = "Masking" in kinds or any(one.get("mask_zero") for one in about)
    if is_masked and kinds & set(_MERGING):
        yield "masks that are merged"
    inputs = [one for one in about if "batch_input_shape" in one]
    if "Resizing" in kinds and any("int" in str(one.get("dtype")) for one in inputs):
        yield "Resizing of whole numbers"


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
        yield other, dict.fromkeys(OPERATIONS, Operation)


def require_weights(path: Path, model: keras.Model) -> None:
    """Keras gives weights to layers in their order; this sees that they came to those named.

    Raises:
        ValueError: some did not.
    """
    with h5py.File(path, "r") as file:
        groups = file.get("model_weights", file)
        for name, group in groups.items():
            if not any(layer.name == name for layer in model.layers):
                continue
            layers = _within(model.get_layer(name))
            for weight in group.attrs.get("weight_names", ()):
                text = weight.decode() if isinstance(weight, bytes) else str(weight)
                named = [layer for layer in layers if layer.name == text.split("/")[0]]
                if not _have(named or layers, np.asarray(group[text])):
                    raise ValueError(f"the weights of {name!r} came to another layer")


def _within(layer: Any) -> list[Any]:
    return [layer, *getattr(layer, "_flatten_layers", lambda **_: [])(include_self=False)]


def _have(layers: Sequence[Any], value: Any) -> bool:
    """Whether a weight of some layer is that."""
    return any(
        tuple(one.shape) == value.shape and np.array_equal(np.asarray(one), value, equal_nan=True)
        for layer in layers
        for one in layer.weights
    )


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
    settings = (use[3] for use in _references(calls) if len(use) == 4)
    return any(next(_references(list(one.values())), None) for one in settings)


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
    if isinstance(value, dict) and value.get("class_name") == "__ellipsis__":
        return "..."
    if _is_reference(value):
        about = {"shape": [None], "dtype": "float32", "keras_history": value[:3]}
        return {"class_name": "__keras_tensor__", "config": about}
    if isinstance(value, list):
        is_constant = len(value) == 3 and value[0] == _CONSTANT
        return value[2] if is_constant else [_argument(one) for one in value]
    return value
