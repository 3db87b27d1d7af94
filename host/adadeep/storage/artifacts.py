"""Models by content hash, and the tidying of a run's folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from adadeep.core.errors import AdaDeepError
from adadeep.core.files import remove_parts, unwritable, write_atomic
from adadeep.core.reader import read_bytes

MODELS = "models"
MAX_MODEL_BYTES = 1_000_000_000


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed host was writing in a run's folder; the caller holds its lock.

    Raises:
        ConfigError: the folder can't be written.
    """
    for place in (folder, folder / MODELS):
        try:
            remove_parts(place)
        except OSError as error:
            raise unwritable(place, error) from error


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
                raise unwritable(self._folder, error) from error
            write_atomic(self.path(sha256), data)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The model of that hash; None if it is missing or its content was changed."""
        try:
            data = read_bytes(self.path(sha256), MAX_MODEL_BYTES)
        except AdaDeepError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None
