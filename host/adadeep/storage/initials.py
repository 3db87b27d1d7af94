"""Trained initial networks, kept for whatever command needs the same one again.

A network is named by all that training it depends on: what it starts from, data, recipe, seed,
version of the training code. The folder is a cache: what is damaged or gone is trained again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from adadeep.core.errors import AdaDeepError
from adadeep.core.files import remove_parts, write_atomic, write_through
from adadeep.core.places import cache_dir
from adadeep.core.reader import read_bytes, read_json, require_hex, require_range

_MOST = 32  # networks
_MOST_BYTES = 2_000_000_000  # of all of them
_MOST_NETWORK_BYTES = 1_000_000_000
_OLD_S = 3600.0  # what was being written so long ago is a killed command's


def initials_folder() -> Path:
    """Where they are.

    Raises:
        ConfigError: the environment names no such folder.
    """
    return cache_dir() / "networks"


@dataclass(frozen=True, slots=True)
class Kept:
    """A network of the cache.

    Attributes:
        sha256: of its .keras.
        training_s: that training it took.
    """

    sha256: str
    training_s: float

    def __post_init__(self) -> None:
        require_hex("sha256", 64, self.sha256)
        require_range("training_s", 0, 1e9, self.training_s)


class Initials:
    """The cache.

    Args:
        folder: made when the first network is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> tuple[Path, Kept] | None:
        """The file of a network and what is known of it; None if it is not there whole."""
        path, about = self._paths(key)
        try:
            kept = read_json(read_bytes(about, 10_000), Kept, about.name)
            data = read_bytes(path, _MOST_NETWORK_BYTES)
        except AdaDeepError:
            return None
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            return None
        with contextlib.suppress(OSError):
            os.utime(about)  # was used: it goes last
        return path, kept

    def keep(self, key: str, save: Callable[[Path], object], training_s: float) -> None:
        """Keeps a network; where that is not possible nothing is said: it is a cache.

        Args:
            key: 64 hex digits.
            save: writes it into a file of that name.
            training_s: that training it took.
        """
        path, about = self._paths(key)
        with contextlib.suppress(OSError, AdaDeepError):
            self._folder.mkdir(parents=True, exist_ok=True)
            remove_parts(self._folder, _OLD_S)
            write_through(path, save)
            sha256 = hashlib.sha256(read_bytes(path, _MOST_NETWORK_BYTES)).hexdigest()
            write_atomic(about, msgspec.json.encode(Kept(sha256, training_s)))
            self._bound()

    def _paths(self, key: str) -> tuple[Path, Path]:
        return self._folder / f"{key}.keras", self._folder / f"{key}.json"

    def _bound(self) -> None:
        """Removes those that were not used for the longest time."""
        latest = sorted(self._folder.glob("*.json"), key=lambda p: p.stat().st_mtime, reverse=True)
        total = 0
        for number, about in enumerate(latest):
            network = about.with_suffix(".keras")
            total += network.stat().st_size if network.exists() else 0
            if number >= _MOST or total > _MOST_BYTES:
                about.unlink(missing_ok=True)
                network.unlink(missing_ok=True)
