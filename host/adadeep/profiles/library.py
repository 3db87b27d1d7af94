"""The two libraries of profiles, the files in them, and the lock on the user's."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.files import replacing
from adadeep.core.lock import holding
from adadeep.core.places import expanded
from adadeep.core.reader import MAX_FILE_BYTES, read_bytes

_LOCK = ".lock"
_WAIT_S = 10.0  # who writes holds it for some milliseconds


def library_dir() -> Path:
    """The user's library: $ADADEEP_LIBRARY, else in the platform's data folder.

    Raises:
        ConfigError: something is there that can't be a library, or can't be read.
    """
    own = os.environ.get("ADADEEP_LIBRARY")
    folder = expanded(own) if own else _usual_library()
    try:
        with os.scandir(folder):
            pass
    except FileNotFoundError:
        pass  # it is made when something is saved
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"the profile library {one_line(str(folder), 200)} can't be read ({reason}); set "
            "ADADEEP_LIBRARY to another folder."
        ) from error
    return folder


def _usual_library() -> Path:
    if sys.platform == "darwin":
        data = expanded("~/Library/Application Support")
    else:
        data = expanded(os.environ.get("XDG_DATA_HOME") or "~/.local/share")
    return data / "adadeep" / "profiles"


def shipped_dir() -> Path:
    """The library that comes with adadeep: packaged, or in an editable install the checkout's."""
    package = Path(str(importlib.resources.files("adadeep")))
    packaged = package / "_data" / "profiles"
    return packaged if packaged.is_dir() else package.parents[1] / "profiles"


@contextlib.contextmanager
def writing() -> Iterator[Path]:
    """The user's library, made if need be; meanwhile no other command writes there.

    Raises:
        ConfigError: it can't be written, or another command has been writing all the time.
    """
    root = library_dir()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with holding(root / _LOCK, _WAIT_S):
            yield root
    except TimeoutError as error:
        raise ConfigError(
            f"another command has been writing to the profile library {root} for {_WAIT_S:g} s; "
            "try again when it has ended."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"the profile library {root} can't be written ({error.strerror}); make it writable "
            "or set ADADEEP_LIBRARY to another folder."
        ) from error


def users_files(name: str) -> list[Path]:
    """TOML files of that name (or pattern) in the user's library."""
    return sorted(library_dir().glob(f"devices/*/{name}.toml"))


def read_text(path: Path, most_bytes: int = MAX_FILE_BYTES) -> str:
    """A file of a library.

    Raises:
        ConfigError: it can't be read.
        FormatError: it is larger than `most_bytes`, or no UTF-8.
    """
    data = read_bytes(path, most_bytes)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}: no UTF-8 text at byte {error.start}; restore it from a copy."
        ) from error


def tables_dir(path: Path, name: str) -> Path:
    """The folder of the tables of the profile `name`, whose TOML file is `path`."""
    return _root(path) / "tables" / name


def _root(path: Path) -> Path:
    """What a profile's other files lie below; a TOML file outside a library has them beside it."""
    in_library = path.parent.parent.name == "devices"
    return path.parents[2] if in_library else path.parent


def sessions_file(path: Path, name: str) -> Path:
    """The file of the sessions of the profile `name`, whose TOML file is `path`."""
    return _root(path) / "sessions" / f"{name}.jsonl"


def noise_file(path: Path, name: str) -> Path:
    """The file of the noise of the profile `name`, whose TOML file is `path`."""
    return _root(path) / "noise" / f"{name}.json"


def table_files(path: Path, name: str) -> list[Path]:
    """The tables that there are."""
    found = tables_dir(path, name).glob("*.jsonl")
    return sorted(table for table in found if not table.name.startswith("."))  # half written


def write_text(path: Path, text: str) -> Path:
    """Writes a file whole or not at all, its folder too; gives its path.

    Raises:
        OSError: it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())
    return path
