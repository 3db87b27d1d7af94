"""A folder for temporary files that does not outlive its process, even one that was killed.

Each process has a folder of its own and holds a lock on it. TensorFlow's generated sources and
pip's wheels go there; what a killed process left is removed by the next one, for its lock is free.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adadeep.core.errors import ConfigError
from adadeep.core.lock import try_lock
from adadeep.core.places import cache_dir, expanded


def scratch_base() -> Path:
    """Where the folders of all processes lie."""
    return cache_dir() / "tmp"


def give_keras_a_home() -> None:
    """Has Keras keep its settings and downloads in our cache, unless the user has a ~/.keras.

    It makes that folder by being imported; a command leaves nothing outside our folders.
    """
    if not expanded("~/.keras").exists():
        os.environ.setdefault("KERAS_HOME", str(scratch_base().parent / "keras"))


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Meanwhile temporary files, those of child processes too, go to a folder that is removed.

    Raises:
        ConfigError: the folder can't be made.
    """
    base = scratch_base()
    try:
        folder, lock = _made(base)
    except OSError as error:
        raise ConfigError(
            f"{base} can't be written ({error.strerror}); free some space, or set XDG_CACHE_HOME "
            "to another folder."
        ) from error
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _made(base: Path) -> tuple[Path, int]:
    """A new folder and its lock; removes those that nobody holds."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    guard = os.open(base, os.O_RDONLY)
    try:
        try_lock(guard, wait=True)  # a new folder is not locked yet: nobody else may look now
        for left in base.iterdir():
            _remove_if_free(left)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
        lock = os.open(folder, os.O_RDONLY)
        try_lock(lock)
        return folder, lock
    finally:
        os.close(guard)


def _remove_if_free(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        return
    lock = os.open(folder, os.O_RDONLY)
    try:
        if try_lock(lock):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
