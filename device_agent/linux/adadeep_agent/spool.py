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
from typing import Any, Dict, Iterable, List

_KEEP = 500  # results; by number and not by age, for a board without a battery has no date
_JOB = re.compile(r"[A-Za-z0-9._-]{1,120}")


class Spool:
    """A folder of results by job. Of too many, the oldest are dropped.

    Args:
        folder: is made if it is not there.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        os.makedirs(folder, exist_ok=True)
        self._drop_old()

    def _drop_old(self) -> None:
        paths = [os.path.join(self._folder, name) for name in os.listdir(self._folder)]
        with contextlib.suppress(OSError):
            paths.sort(key=os.path.getmtime)
        for path in paths[:-_KEEP]:
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

    def all(self) -> List[Dict[str, Any]]:
        """The results that wait; one that can't be read is dropped."""
        results = []
        for job in self.jobs():
            try:
                with open(self._path(job), encoding="ascii") as file:
                    results.append(json.load(file))
            except (OSError, ValueError):
                self.remove([job])
        return results

    def remove(self, jobs: Iterable[str]) -> None:
        """Forgets results; those that are not there are passed over."""
        for job in jobs:
            with contextlib.suppress(OSError, ValueError):
                os.remove(self._path(job))
