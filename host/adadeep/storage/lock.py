"""A lock on a run's folder: two searches must not share one journal."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from adadeep.core.errors import ConfigError
from adadeep.core.lock import try_lock


class FolderLock:
    """Holds a folder until `release`, or until the process ends in any way.

    Args:
        folder: exists.

    Raises:
        ConfigError: another process holds it, or the folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / ".lock"
        try:
            self._file: IO[bytes] = path.open("ab")
        except OSError as error:
            raise ConfigError(
                f"the folder {folder} can't be written ({error.strerror}); name another."
            ) from error
        if not try_lock(self._file.fileno()):
            self._file.close()
            raise ConfigError(
                f"another search is running in {folder}; wait for it or name another folder."
            )

    def release(self) -> None:
        """Lets the folder go; may be called twice."""
        self._file.close()
