"""networks-first: makes every network that it knows of before it measures one."""

from __future__ import annotations

from collections import deque

from adadeep.study.executors.serial import wait_for_made
from adadeep.study.jobs import Crew, Done, Job, MakeJob, MeasureJob


class NetworksFirst:
    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._making = 0
        self._to_measure: deque[MeasureJob] = deque()

    def submit(self, job: Job) -> None:
        if isinstance(job, MakeJob):
            self._making += 1
            self._crew.start(job)
        else:
            self._to_measure.append(job)

    def next_done(self) -> Done:
        if not self._making:
            return self._crew.measure(self._to_measure.popleft())
        self._making -= 1
        return wait_for_made(self._crew)


class NetworksFirstKind:
    name = "networks-first"
    title = "every network, then every measurement"
    look_ahead = 2

    def make(self, crew: Crew) -> NetworksFirst:
        return NetworksFirst(crew)


NETWORKS_FIRST = NetworksFirstKind()
