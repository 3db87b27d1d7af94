"""What every executor does, with a crew that only counts."""

from __future__ import annotations

import random
from collections import deque

import numpy as np
import pytest

from adadeep.core.errors import ConversionError
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import require_name
from adadeep.core.scores import SampleScores
from adadeep.core.space import SearchSpace
from adadeep.study.jobs import (
    TRAINING,
    Done,
    Executor,
    ExecutorKind,
    Job,
    MadeNetwork,
    MakeJob,
    MeasureJob,
)
from adadeep.testing.measurements import target, together
from adadeep.testing.spaces import MODEL, SPACE

DEVICES = [target("one", "1" * 16), target("two", "2" * 16)]
_RIGHT = SampleScores.of(np.ones(4, dtype=np.bool_))


class ToyCrew:
    """Carries out jobs at once, but that a network is made only when it was waited for.

    Args:
        waits: how often `finished` says that nothing is, before each network.
        failing: keys of plans of which nothing can be made.
    """

    def __init__(self, waits: int = 0, failing: tuple[str, ...] = ()) -> None:
        self.waits = waits
        self.failing = failing
        self.started: list[Job] = []
        self.measured: list[Job] = []
        self._making: deque[MakeJob] = deque()
        self._waited = 0

    def start(self, job: MakeJob) -> None:
        """Hands a network to the maker."""
        self.started.append(job)
        self._making.append(job)

    def finished(self, wait_s: float) -> Done | None:
        """The oldest network, when it was waited for."""
        del wait_s
        if not self._making:
            return None
        self._waited += 1
        if self._waited <= self.waits:
            return None
        self._waited = 0
        job = self._making.popleft()
        if job.plan.key in self.failing:
            return Done(job, None, ConversionError("no such operator; leave it out."), 1.0)
        made = MadeNetwork(f"{job.plan.key:0<64}", 1000, _RIGHT, MODEL)
        return Done(job, made, None, 1.0)

    def measure(self, job: MeasureJob) -> Done:
        """What measuring gives, always the same."""
        self.measured.append(job)
        (of,) = (one for one in DEVICES if one.key == job.target)
        session = together([model.encode() for model in job.models], of=of, plan=job.measuring)
        return Done(job, session, None, 1.0)


class _InterruptedCrew(ToyCrew):
    """The user pressed Ctrl-C."""

    def finished(self, wait_s: float) -> Done | None:
        """Nothing: it is interrupted."""
        del wait_s
        raise KeyboardInterrupt


def plans(space: SearchSpace = SPACE, count: int = 8) -> list[CompressionPlan]:
    """Some plans, each another."""
    rng = random.Random(0)
    found: dict[str, CompressionPlan] = {}
    while len(found) < count:
        decisions: list[int] = []
        for _ in space.points:
            open_ones = [n for n, is_open in enumerate(space.mask(decisions)) if is_open]
            decisions.append(rng.choice(open_ones))
        plan = space.plan(decisions)
        found[plan.key] = plan
    return list(found.values())


def measuring(done: Done) -> list[MeasureJob]:
    """The jobs that a study submits when a network is made: to measure it on every device."""
    if not isinstance(done.result, MadeNetwork):
        return []
    models = (done.result.model_sha256,)
    return [
        MeasureJob(done.job.plan, of.key, models, resource)
        for of, resource in zip(DEVICES, (TRAINING, "device two"), strict=True)
    ]


def carried_out(executor: Executor, open_jobs: int) -> list[Done]:
    """A study by hand: so many plans at a time, each made and then measured on every device."""
    waiting, found = deque(MakeJob(plan) for plan in plans()), []
    pending = 0
    while waiting or pending:
        while waiting and pending < open_jobs:
            executor.submit(waiting.popleft())
            pending += 1
        done = executor.next_done()
        pending -= 1
        found.append(done)
        for job in measuring(done):
            executor.submit(job)
            pending += 1
    return found


class ExecutorKit:
    """The contract of `Executor` and `ExecutorKind` in `study/jobs.py`."""

    @pytest.fixture
    def kind(self) -> ExecutorKind:
        """The registry's entry; to be overridden."""
        raise NotImplementedError

    def test_names_itself_and_says_how_many_asks_may_be_open(self, kind: ExecutorKind) -> None:
        require_name("executor", kind.name)
        assert kind.title
        assert kind.look_ahead >= 1

    @pytest.mark.parametrize("open_jobs", [1, 4])
    @pytest.mark.parametrize("waits", [0, 3])
    def test_every_job_is_done_once_and_gives_what_the_crew_gives(
        self, kind: ExecutorKind, open_jobs: int, waits: int
    ) -> None:
        crew = ToyCrew(waits)
        found = carried_out(kind.make(crew), open_jobs)
        jobs = [done.job for done in found]
        assert len(jobs) == len(set(jobs)) == len(plans()) * (1 + len(DEVICES))
        assert set(jobs) == {*crew.started, *crew.measured}
        assert len(jobs) == len(crew.started) + len(crew.measured)
        assert all(done.error is None for done in found)

    def test_what_comes_of_a_job_does_not_depend_on_when_it_is_done(
        self, kind: ExecutorKind
    ) -> None:
        runs = [
            {done.job: done.result for done in carried_out(kind.make(ToyCrew(waits)), count)}
            for waits, count in ((0, 1), (0, 4), (2, 4))
        ]
        assert runs[0] == runs[1] == runs[2]

    def test_a_network_that_can_not_be_made_costs_no_other(self, kind: ExecutorKind) -> None:
        bad = plans()[2]
        found = carried_out(kind.make(ToyCrew(1, (bad.key,))), 4)
        failed = [done for done in found if done.error is not None]
        assert [(done.job, done.result) for done in failed] == [(MakeJob(bad), None)]
        assert len(found) == len(plans()) * (1 + len(DEVICES)) - len(DEVICES)

    def test_what_ends_the_crew_ends_it_too(self, kind: ExecutorKind) -> None:
        executor = kind.make(_InterruptedCrew())
        executor.submit(MakeJob(plans()[0]))
        with pytest.raises(KeyboardInterrupt):
            executor.next_done()

    def test_one_has_nothing_of_another(self, kind: ExecutorKind) -> None:
        first, second = kind.make(ToyCrew()), kind.make(ToyCrew())
        for executor, plan in ((first, plans()[0]), (second, plans()[1])):
            executor.submit(MakeJob(plan))
        assert second.next_done().job.plan == plans()[1]
        assert first.next_done().job.plan == plans()[0]
