"""Loads networks that users bring: .keras files, and .h5 ones of before.

Nothing of a file is run unless the user says so: Lambda layers hold code. What can't become a
.tflite of fixed sizes is refused before anything long.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from adadeep.compress import keras2, walk
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.reader import why

_MOST_CONFIG_BYTES = 64_000_000
_MOST_BYTES = 8_000_000_000  # unpacked
_MOST_TFLITE_BYTES = 2**31 - 1  # a flat buffer's offsets
_WEIGHT_BYTES = 4
_LAMBDAS = ("Lambda", "__lambda__")
_NOT_CONVERTED = (
    "StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing",
)  # fmt: skip
_GIVE_CUSTOM = "give a module by --train whose function returns custom_objects"
# What else people have networks in, and what to do about it.
_OTHERS = {
    ".tflite": "`adadeep measure` takes it; to compress it give the Keras network it came from",
    ".onnx": "adadeep takes Keras networks",
    ".pt": "adadeep takes Keras networks",
    ".pth": "adadeep takes Keras networks",
    ".pb": "load it in the TensorFlow that saved it and save it by model.save('model.keras')",
}


def load_model(
    path: Path,
    *,
    trust: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    compiled: bool = True,
) -> keras.Model:
    """The network that a file holds, with its weights and where it has one its compile state.

    Args:
        path: of a .keras or .h5 file.
        trust: whether code in it (Lambda layers) may be run.
        custom_objects: layers, losses and so on of the user's own, by name; are registered with
            Keras, so that copies of such layers can be made.
        compiled: whether the compile state is wanted; without, a loss that isn't known here is
            no error.

    Raises:
        ConfigError: it is no network that can be compressed; says why, and what to do.
    """
    custom = dict(custom_objects or {})
    keras.saving.get_custom_objects().update(custom)
    config = _config(path)
    _check_code(path, config, trust)
    _check_classes(path, config, custom)
    if path.suffix.lower() != ".keras" and keras2.is_of_keras_2(path):
        return _of_keras_2(path, config, trust, custom, compiled)
    model = _loaded(path, trust, custom, compiled)
    _check_network(path, model)
    return model


def _config(path: Path) -> Any:
    """What the file says of its network."""
    if path.is_dir():
        raise ConfigError(
            f"{path} is a folder (a SavedModel?), not a Keras file; load it in the TensorFlow "
            "that saved it and save it by model.save('model.keras')."
        )
    if not path.is_file():
        raise ConfigError(f"{path} is not there; give a .keras file.")
    suffix = path.suffix.lower()
    if suffix not in (".keras", ".h5", ".hdf5"):
        hint = _OTHERS.get(suffix, "save it by model.save('model.keras')")
        raise ConfigError(f"{path} is no .keras or .h5 file; {hint}.")
    try:
        config = _zipped(path) if suffix == ".keras" else _in_h5(path)
        return json.loads(config)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, RecursionError) as error:
        raise ConfigError(
            f"{path} holds no Keras network ({why(error)}); save it again by "
            "model.save('model.keras')."
        ) from error


def _zipped(path: Path, member: str = "config.json") -> bytes:
    with zipfile.ZipFile(path) as archive:
        about = archive.getinfo(member)
        if about.file_size > _MOST_CONFIG_BYTES:
            raise ValueError(f"its {member} is too large")
        if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"it unpacks to more than {_MOST_BYTES / 1e9:g} GB")
        return archive.read(about)


def _in_h5(path: Path) -> bytes | str:
    with h5py.File(path, "r") as file:
        config = file.attrs.get("model_config")
    if config is None:
        raise ValueError("it holds weights alone, not the network")
    return config if isinstance(config, str) else bytes(config)


def _objects(config: Any) -> Iterator[Mapping[str, Any]]:
    """All objects in a network's configuration that are of a class."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("class_name"), str):
                yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _name_of(one: Mapping[str, Any]) -> str:
    config = one.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return one_line(str(name or one.get("name") or one["class_name"]), 80)


def _check_code(path: Path, config: Any, trust: bool) -> None:
    found = next((one for one in _objects(config) if one["class_name"] in _LAMBDAS), None)
    if found is not None and not trust:
        raise ConfigError(
            f"{path} holds code: {_name_of(found)!r} is a Lambda, which would be run; say "
            "--trust-model if you trust whoever made the file."
        )


def _check_classes(path: Path, config: Any, custom: Mapping[str, Any]) -> None:
    """Refuses layers that nothing here knows."""
    for one in _objects(config.get("config") if isinstance(config, dict) else config):
        name, module = one["class_name"], one.get("module")
        is_layer = isinstance(one.get("config"), dict) and "inbound_nodes" in one
        is_keras = isinstance(module, str) and module.split(".")[0] == "keras"
        is_known = is_keras or hasattr(keras.layers, name) or hasattr(keras, name)
        registered = keras.saving.get_registered_object(str(one.get("registered_name")), custom)
        if name in keras2.CLASSES:
            continue
        if is_layer and not is_known and name not in custom and registered is None:
            raise ConfigError(
                f"{path}: layer {_name_of(one)!r} is of the class {one_line(name, 80)!r}, which "
                f"Keras doesn't have; {_GIVE_CUSTOM}."
            )


# Short names of losses that .h5 files hold, and that Keras 3 knows but does not find there.
_SHORT = {
    "mse": "mean_squared_error", "MSE": "mean_squared_error", "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error", "msle": "mean_squared_logarithmic_error",
    "mape": "mean_absolute_percentage_error", "kld": "kl_divergence",
}  # fmt: skip


def _of_keras_2(
    path: Path, config: Any, trust: bool, custom: dict[str, Any], compiled: bool
) -> keras.Model:
    """Of an .h5 file of Keras 2."""
    refused = keras2.refused(config)
    if refused:
        raise ConfigError(
            f"{path} has {one_line(', '.join(refused), 80)}, which nothing here stands for; build"
            " it of layers and keras.ops in Keras 3, take the weights over (load_weights), and"
            " save it by model.save('model.keras')."
        )
    try:
        with keras2.rewritten(path, config) as (copy, operations):
            model = _loaded(path, trust, operations | custom, compiled, copy)
        keras2.require_weights(path, model)
        _check_network(path, model)
        _try(model)
        return model
    except (
        OSError, KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError,
        tf.errors.OpError,
    ) as error:  # fmt: skip
        raise ConfigError(
            f"{path} can't be read as a network of Keras 2 ({why(error)}); save it again by "
            "model.save('model.keras') in Keras 3."
        ) from error


def _try(model: keras.Model) -> None:
    """Runs it once: what Keras took over may only fail then, or give another shape."""
    ends = keras.Model(list(model.inputs), list(model.outputs))
    given = [tf.zeros([size or 1 for size in one.shape], one.dtype) for one in model.inputs]
    found = keras.tree.flatten(ends(given, training=False))
    for one, told in zip(found, model.outputs, strict=True):
        if any(size not in (None, own) for own, size in zip(one.shape, told.shape, strict=True)):
            raise ValueError(f"it gives {tuple(one.shape)}, not {tuple(told.shape)}")


def _loaded(
    path: Path, trust: bool, custom: dict[str, Any], compiled: bool, copy: Path | None = None
) -> keras.Model:
    """Of the file, or of a copy that Keras can load; messages name the file."""
    if path.suffix.lower() != ".keras":
        custom = {short: getattr(keras.losses, long) for short, long in _SHORT.items()} | custom

    def load(compile_it: bool) -> keras.Model:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of optimisers' state, which nobody needs here
            return keras.models.load_model(
                copy or path, custom_objects=custom, compile=compile_it, safe_mode=not trust
            )

    try:
        return load(compiled)
    except Exception as error:  # Keras raises whatever a file makes it stumble over
        if compiled and _can(load):
            raise ConfigError(
                f"{path}: how it was compiled can't be restored ({why(error)}); give a module by "
                "--train whose function returns a loss, or custom_objects."
            ) from error
        if _is_of_keras_2(path):
            raise ConfigError(
                f"Keras {keras.__version__} can't load {path}, which Keras 2 saved; in Keras 2 "
                "save it by model.save('model.h5')."
            ) from error
        raise ConfigError(
            f"Keras {keras.__version__} can't load {path} ({why(error)}); save it again with "
            f"that version, or {_GIVE_CUSTOM}."
        ) from error


def _is_of_keras_2(path: Path) -> bool:
    """Whether it is a .keras file of Keras 2, which Keras 3 reads in .h5 files alone."""
    if path.suffix.lower() != ".keras":
        return False
    try:
        about = json.loads(_zipped(path, "metadata.json"))
        return str(about.get("keras_version")).startswith("2.")
    except (ValueError, KeyError, AttributeError):  # it doesn't say
        return False


def _can(load: Any) -> bool:
    try:
        load(False)
    except Exception:  # noqa: BLE001  (as above)
        return False
    return True


def _check_network(path: Path, model: Any) -> None:
    """Refuses what can't become a .tflite of fixed sizes."""
    if not isinstance(model, keras.Model) or walk.functional_of(model) is None:
        raise ConfigError(
            f"{path} holds a {type(model).__name__} that is not a graph of layers; build it by "
            "keras.Model(inputs, outputs) or as a keras.Sequential with an Input."
        )
    for tensor in model.inputs:
        _check_input(path, walk.node_of(tensor).operation.name, tensor)
    for layer in model._flatten_layers(include_self=False):
        if getattr(layer, "data_format", None) == "channels_first":
            raise ConfigError(
                f"{path}: layer {one_line(layer.name, 80)!r} is channels_first, which a .tflite"
                " doesn't run; build it with channels_last."
            )
        if type(layer).__name__ in _NOT_CONVERTED:
            raise ConfigError(
                f"{path}: layer {one_line(layer.name, 80)!r} ({type(layer).__name__}) can't be "
                "converted to .tflite; do that step before the network and save the rest."
            )
    if model.count_params() * _WEIGHT_BYTES > _MOST_TFLITE_BYTES:
        raise ConfigError(
            f"{path} has {model.count_params():,} weights; a .tflite file holds 2 GB at the most; "
            "take a network of 536 million or fewer."
        )


def _check_input(path: Path, name: str, tensor: Any) -> None:
    shape = tuple(tensor.shape[1:])
    said = f"{path}: input {one_line(name, 80)!r}"
    if tensor.dtype == "string":
        raise ConfigError(f"{said} takes text, which a .tflite can't; give it numbers.")
    if None not in shape:
        return
    if len(shape) == 3 and shape[2] is not None:
        raise ConfigError(
            f"{said} leaves its height or width open; fix them: x = keras.Input((224, 224, "
            f"{shape[2]})); keras.Model(x, model(x)).save('fixed.keras')."
        )
    raise ConfigError(
        f"{said} leaves a size open {shape}; build it with a keras.Input of fixed sizes and save "
        "it again."
    )
