"""Models by content hash, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.reader import read_bytes

PART = ".part."  # begins the names of what is being written
# What is being written: ours, and as adadeep 0.1 named it (".best.tflite.k3x_9a1q").
_LEFTOVER = re.compile(r"\.part\..+|\.[0-9a-z]+\.(tflite|json|npz)\.[0-9a-z_]{8}")
MODELS = "models"
MAX_MODEL_BYTES = 1_000_000_000


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
        with _temporary(path) as temporary:
            write(temporary)
            _to_disk(temporary)
            temporary.chmod(0o644)
            temporary.replace(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """An empty file beside that path; gone at the end, unless it was renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=f".{path.name}")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _unwritable(path: Path, error: Exception) -> ConfigError:
    reason = getattr(error, "strerror", None) or one_line(str(error), 120)
    return ConfigError(
        f"{path} can't be written ({reason}); free some space or name another folder."
    )


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed host was writing in a run's folder; the caller holds its lock.

    Raises:
        ConfigError: the folder can't be written.
    """
    for place in (folder, folder / MODELS):
        try:
            found = [path for path in place.glob(".*") if _LEFTOVER.fullmatch(path.name)]
            for path in found:
                path.unlink()
        except OSError as error:
            raise _unwritable(place, error) from error


class ArtifactStore:
    """Networks in one folder, named by the SHA-256 of their .tflite.

    Args:
        folder: made when the first network is put.

    Attributes:
        folder: that one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str, kind: str = "tflite") -> Path:
        """Where the network of that hash is, or would be; `kind` is "tflite" or "keras"."""
        return self.folder / f"{sha256}.{kind}"

    def make(self) -> Path:
        """The folder, made if need be.

        Raises:
            ConfigError: it can't be.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return self.folder

    def put(self, data: bytes) -> str:
        """Keeps a .tflite and returns its SHA-256 in hexadecimal digits.

        Raises:
            ConfigError: it can't be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        if self.get(sha256) is None:
            self.make()
            write_atomic(self.path(sha256), data)
        return sha256

    def adopt(self, model: Path, network: Path | None) -> tuple[str, int]:
        """Takes over what the worker left in the folder; returns the .tflite's SHA-256 and size.

        Args:
            model: the .tflite.
            network: the .keras of the same network; None for none.

        Raises:
            ConfigError: it can't be.
        """
        data = read_bytes(model, MAX_MODEL_BYTES)
        sha256 = hashlib.sha256(data).hexdigest()
        try:
            if network is not None:
                network.replace(self.path(sha256, "keras"))
            model.replace(self.path(sha256))  # last: what has a .tflite has all
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return sha256, len(data)

    def has(self, sha256: str) -> bool:
        """Whether a .tflite of that hash is there; `get` looks whether it is whole."""
        return self.path(sha256).is_file()

    def get(self, sha256: str) -> bytes | None:
        """The .tflite of that hash; None if it is missing or its content was changed."""
        try:
            data = read_bytes(self.path(sha256), MAX_MODEL_BYTES)
        except AdaDeepError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None
