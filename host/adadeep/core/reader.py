"""The one way in for foreign data: bounded, typed and checked, or one `FormatError`.

Everything that comes from a file or a device is decoded here into a value class; what a value
must hold beyond its type (finite, not negative, not empty) its `__post_init__` says by ValueError,
so that a value that exists is a sound one, wherever it came from.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError

MAX_FILE_BYTES = 64_000_000

T = TypeVar("T")


def read_bytes(path: Path, most_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The content of a regular file of bounded size.

    Raises:
        ConfigError: it can't be read, or is no regular file.
        FormatError: it is larger than `most_bytes`.
    """
    shown = one_line(str(path))
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{shown} is no file; name a file.")
        with path.open("rb") as file:
            too_large = os.fstat(file.fileno()).st_size > most_bytes
            data = b"" if too_large else file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{shown} can't be read: {reason}. Check its name and mode.") from error
    if too_large or len(data) > most_bytes:  # the latter if it grows meanwhile
        raise FormatError(f"{shown} is larger than {most_bytes / 1e6:g} MB; name another file.")
    return data


def read_json(data: bytes | str, kind: type[T], source: str) -> T:
    """A value out of JSON.

    Args:
        data: the text.
        kind: the class (or type) that it must be; unknown keys are passed over.
        source: where it came from, for messages: a path, a line, a device.

    Raises:
        FormatError: no JSON, nested too deeply, not finite, or not of that type.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"{source}: {why(error)}.") from error


def convert(value: Any, kind: type[T], source: str) -> T:
    """A value out of plain dictionaries and lists.

    Raises:
        FormatError: not of that type; the message names the key.
    """
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, ValueError, RecursionError, ConfigError) as error:
        raise FormatError(f"{source}: {why(error)}.") from error


def plain_json(data: bytes | str, source: str) -> Any:
    """JSON as dictionaries and lists, where the type can be told only after a look at it.

    Raises:
        FormatError: no JSON (NaN and Infinity are none), or nested too deeply.
    """
    return read_json(data, Any, source)


def why(error: Exception) -> str:
    """An error of decoding as one short line for a message of ours."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    message, _, place = str(error).partition(" - at `$")
    key = place.rstrip("`").lstrip(".")
    return one_line(f"key '{key}': {message}" if key else message).rstrip(".")


def to_json(value: Any) -> str:
    """Compact JSON of plain values.

    Raises:
        ValueError: a number is not finite: such a value must not have come so far.
    """
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def require_finite(name: str, *values: float | None) -> None:
    """For `__post_init__`: raises ValueError where a number is NaN or infinite."""
    for value in values:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} is {value}, not a finite number")


def require_range(name: str, low: float, high: float, *values: float | None) -> None:
    """For `__post_init__`: raises ValueError where a number is outside low..high, or NaN."""
    for value in values:
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name} is {value}, not from {low:g} to {high:g}")


def require_name(what: str, value: str) -> None:
    """For `__post_init__`: raises ValueError where a text is no name of a registry's entry."""
    if not re.fullmatch("[A-Za-z0-9_.-]{1,40}", value):
        raise ValueError(f"{what} is no name of 1 to 40 letters, digits, '.', '_' and '-'")


def require_hex(name: str, digits: int, *values: str | None) -> None:
    """For `__post_init__`: raises ValueError where a hash is not so many hexadecimal digits.

    Hashes become file names: what is not one could name a file anywhere.
    """
    for value in values:
        if value is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
            raise ValueError(f"{name} is no hash of {digits} hexadecimal digits")
