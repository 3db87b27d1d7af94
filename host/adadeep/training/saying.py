"""How to train: what a user's function says, what the network's file says, or what labels tell."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.training.ends import End, Meaning, Port
from adadeep.training.modules import call, source_hash

KEYS = ("loss", "loss_weights", "metrics", "class_weight", "optimizer", "learning_rate", "augment",
        "custom_objects", "batch_size", "steps")  # fmt: skip
RATE = 1e-3  # Keras' own for Adam
_MOST_BATCH, _MOST_STEPS = 65_536, 1_000_000
_SWAPPED = {
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "categorical_crossentropy": "sparse_categorical_crossentropy",
    "SparseCategoricalCrossentropy": "CategoricalCrossentropy",
    "CategoricalCrossentropy": "SparseCategoricalCrossentropy",
}


@dataclass(frozen=True, slots=True, eq=False)
class Saying:
    """What a --train function gave.

    Attributes:
        values: by key.
        code: hash of its module; empty where there is none.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""

    def get(self, key: str) -> Any:
        """None where nothing is said."""
        return self.values.get(key)

    def number(self, key: str, most: float) -> Any:
        """A positive number; None where nothing is said.

        Raises:
            ConfigError: it is none.
        """
        value = self.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None or (is_number and isfinite(value) and 0 < value <= most):
            return value
        shown = one_line(repr(value), 40)
        raise ConfigError(f"--train gives {key} {shown}; give a number above 0, {most:g} at most.")


def said(target: str | None, search_path: str) -> Saying:
    """What a user's function says of training.

    Raises:
        ConfigError: it can't be called, gives no dictionary, or one with unknown keys.
    """
    if target is None:
        return Saying()
    given = call(target, search_path, "--train")
    shown = one_line(target, 80)
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"--train {shown} gives {type(given).__name__}; give a dictionary of some of"
            f" {', '.join(KEYS)}."
        )
    unknown = [str(key) for key in given if key not in KEYS]
    if unknown:
        raise ConfigError(
            f"--train {shown} gives {one_line(', '.join(unknown), 60)}; use some of"
            f" {', '.join(KEYS)}."
        )
    code = source_hash(_attribute(target))
    return Saying(dict(given), code)


def _attribute(target: str) -> Any:
    import sys

    module, _, name = target.partition(":")
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return found


def compiled(model: Any) -> dict[str, Any]:
    """`loss`, `loss_weights`, `learning_rate` of a network that was compiled; else nothing."""
    if not getattr(model, "compiled", False) or getattr(model, "loss", None) is None:
        return {}
    config = model.get_compile_config() or {}
    found = {"loss": model.loss, "loss_weights": config.get("loss_weights")}
    rate = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    try:
        found["learning_rate"] = float(f"{float(rate):.6g}")  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a schedule
        found["learning_rate"] = RATE
    return found


def by_output(value: Any, outputs: Sequence[Port], what: str) -> list[Any]:
    """One for each output, of a value for all, a list or a dictionary by output.

    Raises:
        ConfigError: a name is of no output, or there are more or fewer than outputs.
    """
    if isinstance(value, Mapping):
        known = {name for port in outputs for name in port.names}
        odd = [str(name) for name in value if name not in known]
        if odd:
            raise ConfigError(
                f"{what} names {one_line(', '.join(odd), 60)}; the outputs are"
                f" {', '.join(port.name for port in outputs)}."
            )
        return [next((value[n] for n in port.names if n in value), None) for port in outputs]
    if isinstance(value, (list, tuple)):
        if len(value) != len(outputs):
            raise ConfigError(
                f"{what} has {len(value)} entries for {len(outputs)} outputs; give one each."
            )
        return list(value)
    return [value] * len(outputs)


def loss_for(loss: Any, end: End) -> tuple[Callable[[Any, Any], Any], str]:
    """A loss as a function that fits the labels, and its name.

    One of classes by number is taken for its sister by shares, and the other way round, as the
    labels are.

    Raises:
        ConfigError: Keras knows no such loss.
    """
    import keras

    from adadeep.training.objective import matched

    try:
        found = keras.losses.get(_suited(loss, end))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"the loss {one_line(repr(loss), 60)} is not known to Keras; name one of"
            " keras.losses, or give it by --train (loss, custom_objects)."
        ) from error
    name = getattr(found, "name", None) or getattr(found, "__name__", type(found).__name__)
    module = type(found).__module__ if isinstance(found, keras.losses.Loss) else found.__module__
    if module.startswith("keras."):
        return matched(found, end), str(name)
    return found, f"{name} {source_hash(found)}"


def _suited(loss: Any, end: End) -> Any:
    """The loss, or its sister, where Keras has two for labels of two forms."""
    import keras

    if end.meaning is not Meaning.CLASSES:
        return loss
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    if name not in _SWAPPED or ("parse" in name) != end.is_hot:
        return loss
    if not isinstance(loss, keras.losses.Loss):
        return _SWAPPED[name]
    config = loss.get_config()
    kept = {key: config[key] for key in ("from_logits",) if key in config}
    return getattr(keras.losses, _SWAPPED[name])(**kept)


def optimizer_maker(value: Any, code: str) -> tuple[Callable[[], Any] | None, str]:
    """A function that makes a fresh optimizer, and what it is; None for Adam of our own.

    Raises:
        ConfigError: it is none that Keras knows.
    """
    import keras

    if value is None or value == "adam":
        return None, "adam"
    try:
        kept = keras.optimizers.get(value() if inspect.isclass(value) else value)
        config = keras.optimizers.serialize(kept)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"--train gives optimizer {one_line(repr(value), 60)}, which Keras does not know; give"
            " one of keras.optimizers."
        ) from error
    settings = dict(config["config"])
    if not isinstance(settings.get("learning_rate"), (int, float)):
        settings["learning_rate"] = RATE  # a schedule; ours is another anyway
    text = ", ".join(f"{key}={settings[key]!r}" for key in sorted(settings))
    own = "" if type(kept).__module__.startswith("keras.") else code
    return lambda: type(kept).from_config(settings), f"{type(kept).__name__}({text}){own}"
