"""Results wait here until the host has said that it has them, so that none is lost with a cable.

One file a result, written whole or not at all. It outlives the agent, the host and the link; not a
power cut within the seconds that the kernel takes to write to flash (an fsync would stall the next
measurement).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any, Dict, Iterable, List, Optional

_KEEP = 500  # results; by number and not by age, for a board without a battery has no date
_JOB = re.compile(r"[A-Za-z0-9._-]{1,120}")


class Spool:
    """A folder of results by job.

    Args:
        folder: is made if it is not there.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.makedirs(folder, exist_ok=True)

    def tidy(self) -> None:
        """Removes what a killed agent wrote half, and of too many results the oldest.

        Only for who holds the device's lock: a file that is half written may be another agent's.
        """
        names = os.listdir(self._folder)
        whole = [os.path.join(self._folder, name) for name in names if name.endswith(".json")]
        half = [os.path.join(self._folder, name) for name in names if not name.endswith(".json")]
        with contextlib.suppress(OSError):
            whole.sort(key=os.path.getmtime)
        for path in half + whole[:-_KEEP]:
            with contextlib.suppress(OSError):
                os.remove(path)

    def _path(self, job: str) -> str:
        if not _JOB.fullmatch(job) or job.startswith("."):
            raise ValueError(f"no name for a job: {job!r}")
        return os.path.join(self._folder, job + ".json")

    def put(self, job: str, result: Dict[str, Any]) -> None:
        """Keeps a result until it is removed.

        Raises:
            ValueError: the job's name can't be a file's.
            OSError: the disk is full.
        """
        path = self._path(job)
        try:
            with open(path + ".part", "w", encoding="ascii") as file:
                json.dump(result, file, separators=(",", ":"))
            os.replace(path + ".part", path)
        except OSError:
            with contextlib.suppress(OSError):
                os.remove(path + ".part")
            raise

    def jobs(self) -> List[str]:
        """The jobs whose results wait."""
        return sorted(n[:-5] for n in os.listdir(self._folder) if n.endswith(".json"))

    def get(self, job: str) -> Optional[Dict[str, Any]]:
        """The result of a job; None if there is none, or none that can be read: it is dropped."""
        try:
            with open(self._path(job), encoding="ascii") as file:
                result = json.load(file)
        except (OSError, ValueError, RecursionError):
            result = None
        if isinstance(result, dict):
            return result
        self.remove([job])
        return None

    def remove(self, jobs: Iterable[str]) -> None:
        """Forgets results; those that are not there are passed over."""
        for job in jobs:
            with contextlib.suppress(OSError, ValueError):
                os.remove(self._path(job))
