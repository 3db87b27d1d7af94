"""Files that are written whole or not at all, and what killed writers leave of them."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError

PART = ".part."  # begins the names of what is being written
# What is being written: ours, and as adadeep 0.1 named it (".best.tflite.k3x_9a1q").
_LEFTOVER = re.compile(
    r"\.part\..+|\.[0-9a-z]+\.(tflite|json|npz)\.[0-9a-z_]{8}"
    r"|\.[\w.-]+\.(toml|jsonl)\.[0-9a-z_]{8}"
)


def write_atomic(path: Path, data: bytes) -> None:
    """Writes a file such that a reader (or a crash) sees the old content or the new, no mixture.

    Raises:
        ConfigError: the folder can't be written, or the disk is full.
    """
    write_through(path, lambda temporary: temporary.write_bytes(data))


def write_through(path: Path, write: Callable[[Path], object]) -> None:
    """As `write_atomic`, by a function that writes to the path that it is given.

    Args:
        path: of the file; the one that is written first ends in the same name.
        write: may fail as h5py and zipfile do: by OSError, ValueError or RuntimeError.

    Raises:
        ConfigError: the folder can't be written, or the disk is full; nothing is left behind.
    """
    try:
        with replacing(path) as temporary:
            write(temporary)
    except (OSError, ValueError, RuntimeError) as error:
        raise unwritable(path, error) from error


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """An empty file beside that path, which takes its place at the end, or is gone.

    Args:
        path: of the file in the end.
        mode: of it.

    Raises:
        OSError: it can't be made, written to the disk or renamed; callers have their own message.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=f".{path.name}")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _to_disk(temporary)
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def unwritable(path: Path, error: Exception) -> ConfigError:
    """The error of a file or folder that can't be written."""
    reason = getattr(error, "strerror", None) or one_line(str(error), 120)
    return ConfigError(
        f"{path} can't be written ({reason}); free some space or name another folder."
    )


def remove_parts(folder: Path, least_age_s: float = 0.0) -> None:
    """Removes what killed writers left in a folder.

    Args:
        folder: may be missing.
        least_age_s: since the last write to it; 0 only where a lock says that nobody writes now.

    Raises:
        OSError: the folder can't be written.
    """
    newest = time.time() - least_age_s
    for path in folder.glob(".*"):
        if _LEFTOVER.fullmatch(path.name):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and (not least_age_s or status.st_mtime <= newest):
                path.unlink()
