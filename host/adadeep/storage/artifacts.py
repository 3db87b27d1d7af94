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
            raise unwritable(self.folder, error) from error
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
            raise unwritable(self.folder, error) from error
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
