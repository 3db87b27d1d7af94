"""The next networks are trained while the last one is measured."""

from __future__ import annotations

from collections import deque

from adadeep.study.executors.serial import wait_for_made
from adadeep.study.jobs import Crew, Done, Job, MakeJob, MeasureJob


class OverlappedExecutor:
    """Networks go to the maker at once, and are made beside; we measure meanwhile.

    Args:
        crew: carries out the jobs.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._to_measure: deque[MeasureJob] = deque()

    def submit(self, job: Job) -> None:
        """Hands it on, or keeps it for the next wait."""
        if isinstance(job, MakeJob):
            self._crew.start(job)
        else:
            self._to_measure.append(job)

    def next_done(self) -> Done:
        """What is made already, else what is to be measured, else what is made next."""
        made = self._crew.finished(0.0)
        if made is not None:
            return made
        if self._to_measure:
            return self._crew.measure(self._to_measure.popleft())
        return wait_for_made(self._crew)


class OverlappedKind:
    """The "overlapped" entry of the registry: where training and measuring do not meet."""

    name = "overlapped"
    title = "training of the next plans while the last one is measured"
    look_ahead = 3

    def make(self, crew: Crew) -> OverlappedExecutor:
        """One with nothing to do."""
        return OverlappedExecutor(crew)


OVERLAPPED = OverlappedKind()
