"""What a user's function gives as data: arrays in some form, or data sets of TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array
from adadeep.training.ends import Port
from adadeep.training.modules import call, told
from adadeep.training.spool import spooled

Ports = tuple[tuple[Port, ...], tuple[Port, ...]]

_BATCH = 64
_FORMS = (
    "a dictionary of arrays, (x, y), ((x, y), (x_test, y_test)), or tf.data.Dataset of (x, y),"
    " one or one to train and one to test"
)


def members_by(target: str, search_path: str, ports: Ports) -> dict[str, Array]:
    """What a function gives, as an .npz would name it.

    Args:
        target: "module:function".
        search_path: where modules are looked for first.
        ports: inputs and outputs of the network.

    Raises:
        ConfigError: it fails, or gives nothing that can be used.
    """
    given = call(target, search_path, "--data")
    shown = one_line(target, 80)
    try:
        return _members(given, ports)
    except ConfigError:
        raise
    except Exception as error:  # a data set runs the user's code; arrays may be anything
        raise ConfigError(
            f"--data {shown} gives what can't be read ({told(error)}); give {_FORMS}."
        ) from error


def _members(given: Any, ports: Ports) -> dict[str, Array]:
    if isinstance(given, Mapping):
        return {str(name): _array(value) for name, value in given.items()}
    if _is_set(given):
        return _of_set(given, "", ports)
    if isinstance(given, (tuple, list)) and 2 <= len(given) <= 3:
        parts = list(given)
        suffixes = ["", "_test"] if len(parts) == 2 else ["", "_val", "_test"]
        if all(_is_set(part) for part in parts):
            return _joined(
                _of_set(part, s, ports) for part, s in zip(parts, suffixes, strict=True)
            )
        if all(isinstance(part, (tuple, list)) and len(part) in (2, 3) for part in parts):
            return _joined(
                _of_tuple(part, s, ports) for part, s in zip(parts, suffixes, strict=True)
            )
        return _of_tuple(given, "", ports)
    raise ValueError(f"it is {type(given).__name__}")


def _joined(found: Iterator[dict[str, Array]]) -> dict[str, Array]:
    return {name: array for members in found for name, array in members.items()}


def _is_set(value: Any) -> bool:
    return hasattr(value, "element_spec") and hasattr(value, "as_numpy_iterator")


def _array(value: Any) -> Array:
    found = np.asarray(value)
    if found.dtype.kind in "OV":
        raise ValueError("an array of objects: rows of different lengths?")
    return found


def _of_tuple(part: Any, suffix: str, ports: Ports) -> dict[str, Array]:
    """(x, y) or (x, y, weight), each an array, or several in a list or dictionary."""
    x, y, *rest = part
    members = {**_by_port(x, ports[0], "x", suffix), **_by_port(y, ports[1], "y", suffix)}
    if rest:
        members[f"weight{suffix}"] = _array(rest[0])
    return members


def _by_port(value: Any, ports: tuple[Port, ...], alone: str, suffix: str) -> dict[str, Array]:
    names = [port.name for port in ports] if len(ports) > 1 else [alone]
    if isinstance(value, Mapping):
        known = {name: port for port in ports for name in port.names}
        found = {known[str(key)].name: one for key, one in value.items() if str(key) in known}
        return {
            f"{alone if len(ports) == 1 else name}{suffix}": _array(one)
            for name, one in found.items()
        }
    several = list(value) if len(ports) > 1 else [value]
    if len(several) != len(names):
        raise ValueError(f"{len(several)} arrays for {', '.join(names)}")
    return {f"{n}{suffix}": _array(one) for n, one in zip(names, several, strict=True)}


def _of_set(given: Any, suffix: str, ports: Ports) -> dict[str, Array]:
    """A data set of TensorFlow, written down once: it is read in other orders many times."""
    import tensorflow as tf

    if int(given.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise ConfigError("--data gives a data set that never ends; leave out its repeat().")
    if not _is_batched(given, ports[0]):
        given = given.batch(_BATCH)
    names: list[str] = []

    def batches() -> Iterator[list[Array]]:
        for element in given.as_numpy_iterator():
            pair = element if isinstance(element, tuple) else (element,)
            members = (
                _of_tuple(pair, suffix, ports)
                if len(pair) > 1
                else _by_port(pair[0], ports[0], "x", suffix)
            )
            names[:] = names or list(members)
            yield [members[name] for name in names]

    arrays = spooled(batches())
    return dict(zip(names, arrays, strict=True))


def _is_batched(given: Any, inputs: tuple[Port, ...]) -> bool:
    """Whether elements are batches, as the rank of the first array tells."""
    import tensorflow as tf

    spec = given.element_spec
    first = tf.nest.flatten(spec[0] if isinstance(spec, tuple) else spec)[0]
    rank = first.shape.rank
    return rank is None or rank > len(inputs[0].shape)
