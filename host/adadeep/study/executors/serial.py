"""One job after the other, in the order submitted."""

from __future__ import annotations

from collections import deque

from adadeep.study.jobs import Crew, Done, Job, MakeJob

WAIT_S = 1.0  # at a time; the user is told meanwhile what is waited for


def wait_for_made(crew: Crew) -> Done:
    """The next network that is made."""
    while (done := crew.finished(WAIT_S)) is None:
        pass
    return done


class SerialExecutor:
    """A queue.

    Args:
        crew: carries out the jobs.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        """Puts it at the end of the queue."""
        self._waiting.append(job)

    def next_done(self) -> Done:
        """Carries out the first job of the queue."""
        job = self._waiting.popleft()
        if not isinstance(job, MakeJob):
            return self._crew.measure(job)
        self._crew.start(job)
        return wait_for_made(self._crew)


class SerialKind:
    """The "serial" entry of the registry: where training would disturb what is measured."""

    name = "serial"
    title = "one job after the other"
    look_ahead = 1

    def make(self, crew: Crew) -> SerialExecutor:
        """An empty queue."""
        return SerialExecutor(crew)


SERIAL = SerialKind()
