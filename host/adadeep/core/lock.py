"""Locks on files and folders, which end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_LOOK_S = 0.02


def try_lock(descriptor: int, wait: bool = False) -> bool:
    """Locks an open file or folder until it is closed; False if another process holds it."""
    if os.name != "posix":  # no lock there: the user minds it
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def holding(path: Path, wait_s: float) -> Iterator[None]:
    """Meanwhile nobody else holds that file; not even this process, a second time.

    Args:
        path: of a file for this alone; made where it is missing, and left.
        wait_s: for who holds it now.

    Raises:
        TimeoutError: it was held all the time.
        OSError: it can't be opened; callers have their own message.
    """
    give_up = time.monotonic() + wait_s
    with path.open("ab") as file:
        while not try_lock(file.fileno()):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{path} was held for {wait_s:g} s")
            time.sleep(_LOOK_S)
        yield
