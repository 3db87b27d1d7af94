"""Models by content hash, and files that are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from adadeep.core.errors import ConfigError


def write_atomic(path: Path, data: bytes) -> None:
    """Writes a file such that a reader (or a crash) sees the old content or the new, no mixture.

    Raises:
        ConfigError: the folder can't be written, or the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or str(error)
    return ConfigError(
        f"{path} can't be written ({reason}); free some space or name another folder."
    )


class ArtifactStore:
    """Models in one folder, named by the SHA-256 of their bytes.

    Args:
        folder: made when the first model is put.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the model of that hash is, or would be."""
        return self._folder / f"{sha256}.tflite"

    def put(self, data: bytes) -> str:
        """Keeps a model and returns its SHA-256 in hexadecimal digits.

        Raises:
            ConfigError: it can't be written.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        if self.get(sha256) is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritable(self._folder, error) from error
            write_atomic(self.path(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The model of that hash; None if it is missing or its content was changed."""
        try:
            data = self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None
