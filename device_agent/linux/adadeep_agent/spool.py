"""Results wait here until the host has said that it has them, so that none is lost with a cable.

One file a session, a line for each of its messages; it counts once the last one is there. It
outlives the agent, the host and the link; not a power cut within the seconds that the kernel takes
to write to flash (an fsync would stall the next measurement).
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, BinaryIO, Dict, Iterable, List, Optional

from adadeep_agent import wire

_KEEP = 500  # results; by number and not by age, for a board without a battery has no date
_END, _PART = ".jsonl", ".part"


class Spool:
    """A folder of sessions by job.

    Args:
        folder: is made if it is not there.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.makedirs(folder, exist_ok=True)

    def tidy(self) -> None:
        """Removes what a killed agent left unfinished, and of too many sessions the oldest.

        Only for who holds the device's lock: an unfinished file may be another agent's.
        """
        names = os.listdir(self._folder)
        whole = [os.path.join(self._folder, name) for name in names if name.endswith(_END)]
        half = [os.path.join(self._folder, name) for name in names if not name.endswith(_END)]
        with contextlib.suppress(OSError):
            whole.sort(key=os.path.getmtime)
        for path in half + whole[:-_KEEP]:
            with contextlib.suppress(OSError):
                os.remove(path)

    def _path(self, job: str) -> str:
        if not wire.is_job(job):
            raise ValueError(f"no name for a job: {job!r}")
        return os.path.join(self._folder, job + _END)

    def begun(self, job: str) -> Spooling:
        """A new session, in the place of an older one of that name once it is finished."""
        return Spooling(self._path(job))

    def jobs(self) -> List[str]:
        """The jobs whose sessions wait."""
        names = os.listdir(self._folder)
        return sorted(name[: -len(_END)] for name in names if name.endswith(_END))

    def get(self, job: str) -> List[Dict[str, Any]]:
        """The messages of a session, its parts and at last its result.

        Empty if there is none, or none that can be read: it is dropped.
        """
        messages: List[Any] = []
        try:
            with open(self._path(job), encoding="ascii") as file:
                messages = [json.loads(line) for line in file]
        except (OSError, ValueError, RecursionError):
            messages = []
        if messages and all(isinstance(message, dict) for message in messages):
            return messages
        self.remove([job])
        return []

    def remove(self, jobs: Iterable[str]) -> None:
        """Forgets sessions; those that are not there are passed over."""
        for job in jobs:
            with contextlib.suppress(OSError, ValueError):
                os.remove(self._path(job))


class Spooling:
    """A session that is being written. A full disk ends it without a word: the host has the rest.

    Args:
        path: of the file, once it is whole.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: Optional[BinaryIO] = None
        with contextlib.suppress(OSError):
            self._file = open(path + _PART, "wb")  # noqa: SIM115

    def write(self, line: bytes) -> None:
        """Adds a line, its line feed included."""
        if self._file is not None:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError:
                self.drop()

    def finish(self) -> None:
        """It is whole: from now on it waits."""
        if self._file is not None:
            try:
                self._file.close()
                os.replace(self._path + _PART, self._path)
                self._file = None
            except OSError:
                self.drop()

    def drop(self) -> None:
        """There will be no result; nothing, if it is finished."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                os.remove(self._path + _PART)
            self._file = None
