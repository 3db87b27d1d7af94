"""Models by content hash, and the tidying of a run's folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.errors import AdaDeepError
from adadeep.core.files import remove_parts, unwritable, write_atomic
from adadeep.core.reader import read_bytes

MODELS = "models"
MAX_MODEL_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A network in a store.

    Attributes:
        model_sha256: of its .tflite.
        file_bytes: size of that.
        network_sha256: of its .keras; None where it has none.
    """

    model_sha256: str
    file_bytes: int
    network_sha256: str | None = None


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

    def adopt(self, model: Path, network: Path | None) -> Stored:
        """Takes over what the worker left in the folder.

        Args:
            model: the .tflite.
            network: the .keras of the same network; None for none.

        Raises:
            ConfigError: it can't be.
        """
        data = read_bytes(model, MAX_MODEL_BYTES)
        sha256, network_sha256 = hashlib.sha256(data).hexdigest(), None
        try:
            if network is not None:
                with network.open("rb") as file:
                    network_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                network.replace(self.path(sha256, "keras"))
            model.replace(self.path(sha256))  # last: what has a .tflite has all
        except OSError as error:
            raise unwritable(self.folder, error) from error
        return Stored(sha256, len(data), network_sha256)

    def copy(self, other: ArtifactStore, stored: Stored) -> bool:
        """Copies a network out of another run's store.

        Args:
            other: where it may be.
            stored: what it is to be; what is another is not copied.

        Returns:
            Whether it is here now, whole.

        Raises:
            ConfigError: it can't be written.
        """
        model = other.get(stored.model_sha256)
        if model is None or len(model) != stored.file_bytes:
            return False
        if stored.network_sha256 is not None:
            path = other.path(stored.model_sha256, "keras")
            network = _content(path, stored.network_sha256)
            if network is None:
                return False
            write_atomic(self.make() / path.name, network)
        self.put(model)  # last, as above
        return True

    def has(self, sha256: str) -> bool:
        """Whether a .tflite of that hash is there; `get` looks whether it is whole."""
        return self.path(sha256).is_file()

    def get(self, sha256: str) -> bytes | None:
        """The .tflite of that hash; None if it is missing or its content was changed."""
        return _content(self.path(sha256), sha256)


def _content(path: Path, sha256: str) -> bytes | None:
    """Of a file; None if it is missing or not of that hash."""
    try:
        data = read_bytes(path, MAX_MODEL_BYTES)
    except AdaDeepError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None
