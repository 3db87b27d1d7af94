"""What is measured for a study, on the targets whose devices are at hand.

Sessions are journalled as they come. A model that was measured on a target is not measured there
again; what is measured for no plan of its own (the unit once more, finalists) ends no search where
it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from adadeep.core.cost import MEDIAN
from adadeep.core.errors import AgentError, DeviceError, TransientDeviceError
from adadeep.core.noise import NoiseModel
from adadeep.core.plan import CompressionPlan
from adadeep.core.session import MeasuredTogether
from adadeep.cost.registry import needs_measurement
from adadeep.measure.faults import AGENT_DIED, CRASHED, OVERDUE
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.storage.records import Artifact, JournalContent, TargetRecord, TrialRecord
from adadeep.study.jobs import Done, Executor, MeasureJob
from adadeep.study.measuring import Place, drift_line, is_of
from adadeep.study.references import SHARP, sharp_sha256
from adadeep.study.underway import Underway, text_of
from adadeep_agent.wire import ErrorCode

# What the agent says of a model; its other errors are of the device, and end the search.
_MODEL_ERRORS = (
    ErrorCode.MODEL_CORRUPT, ErrorCode.UNSUPPORTED_OP, ErrorCode.BAD_INPUT,
    ErrorCode.RUN_FAILED, ErrorCode.OPEN_SHAPE,
    ErrorCode.OUT_OF_MEMORY, ErrorCode.INTERNAL, AGENT_DIED, CRASHED, OVERDUE,
)  # fmt: skip


_TIME_ERRORS = (ErrorCode.SLEPT, ErrorCode.CLOCK_JUMPED)
_NAME_DIGITS = 8  # of a model's hash, by which errors of a meter name it


class TargetBench(Protocol):
    """A target with its device at hand."""

    @property
    def record(self) -> TargetRecord:
        """Of the journal."""
        ...

    @property
    def resource(self) -> str:
        """What measuring there needs for itself alone."""
        ...

    @property
    def noise(self) -> NoiseModel:
        """Of the device, as it is known now."""
        ...

    @property
    def recovered(self) -> tuple[MeasuredTogether, ...]:
        """Sessions of this study that an earlier host left on the device."""
        ...

    def acknowledge(self, session_ids: list[str]) -> None:
        """Lets the device forget these sessions."""
        ...


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a pipeline works with.

    Attributes:
        journal: of the run.
        store: of the run's models.
        executor: carries out the jobs.
        basis: of `content_key`: what the networks of this session depend on besides their plan.
        stage: is told what begins.
        note: is told what the user should see at once.
        elsewhere: copies the network of a content key and a plan out of another run; None where
            there is none.
        initial_from: name of the run that trained the initial network; None where this one did.
        statistics: by target key, which latency the demand there names; the median where none is.
    """

    journal: Journal
    store: ArtifactStore
    executor: Executor
    basis: str
    stage: Callable[[str], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None
    elsewhere: Callable[[str, CompressionPlan], Artifact | None] = lambda _key, _plan: None
    initial_from: str | None = None
    statistics: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is measured for no plan of its own.

    Attributes:
        take: is given the session once it is journalled.
        is_last: whether nothing else is measured afterwards, so that a device may have gone.
    """

    take: Callable[[MeasuredTogether], None]
    is_last: bool = False


class Measurer:
    """Has the targets of a study measure networks.

    Args:
        place: what it works with.
        benches: the targets whose devices are at hand, by key.
    """

    def __init__(self, place: Workplace, benches: Mapping[str, TargetBench]) -> None:
        self._place = place
        self._all = dict(benches)
        self._here = dict(benches)
        self._left: list[str] = []
        self._best: str | None = None
        self._besides: dict[MeasureJob, _Beside] = {}
        self._again: set[MeasureJob] = set()  # the device slept, or its clock jumped
        self._current: set[str] = set()  # targets whose unit was measured by this process
        for bench in self._all.values():
            self._absorb(bench)

    @property
    def attached(self) -> tuple[str, ...]:
        """Keys of the targets whose devices have not left."""
        return tuple(self._here)

    @property
    def left(self) -> tuple[str, ...]:
        """Titles of the devices that have."""
        return tuple(self._left)

    @property
    def _content(self) -> JournalContent:
        return self._place.journal.content

    def prefer(self, model_sha256: str | None) -> None:
        """Says which network is the best so far: candidates to come are measured beside it."""
        self._best = model_sha256

    def missing(self, record: TrialRecord) -> set[str]:
        """Keys of the targets at hand that have still to measure a trial's network."""
        artifact = self._content.artifacts.get(record.artifact or "")
        if artifact is None:
            return set()
        return {
            key
            for key, bench in self._here.items()
            if needs_measurement(bench.record.sources)
            and key not in record.failures
            and not self._has_measured(record, key, artifact)
        }

    def _has_measured(self, record: TrialRecord, target: str, artifact: Artifact) -> bool:
        is_known = target in record.measurements
        return is_known and self._at(target).is_measured(artifact.model_sha256)

    def measure(self, underway: Underway, artifact: Artifact, target: str) -> None:
        """Takes what is known of a network on a target, or has it measured there."""
        place, sha256 = self._at(target), artifact.model_sha256
        has_unit = target in self._content.units
        if has_unit and place.is_measured(sha256):
            underway.measured(target, self._content.sessions_on(target), sha256)
            return
        self._place.stage(f"measuring on {place.record.target.device_title}")
        if has_unit:
            self._measure_again(target)
            job = place.candidate_job(underway.plan, sha256, self._best)
        else:  # the first that is measured on a target is the initial network
            job = place.unit_job(sha256)
        self._place.executor.submit(job)

    def take(self, underway: Underway, job: MeasureJob, done: Done) -> None:
        """Journals what measuring a plan's network gave.

        Raises:
            DeviceError: the last device is gone, or one can take no model at all.
        """
        error = done.error
        if isinstance(error, AgentError) and error.code in _TIME_ERRORS and job not in self._again:
            self._again.add(job)
            self._place.note(f"{error} It is measured again.")
            self._place.executor.submit(job)
            return
        if isinstance(error, AgentError) and error.code in _MODEL_ERRORS:
            if self._is_tried_otherwise(underway, job, error):
                return
            underway.failures[job.target] = text_of(error)
        elif isinstance(error, TransientDeviceError):
            if job.target not in self._content.units:
                underway.failures.pop(job.target, None)  # nothing is known for good there
            self._lose(job.target, error)
        elif error is not None:
            raise error
        else:
            self._take_session(underway, job, self._journalled(done))
        underway.missing.discard(job.target)

    def meeting(self, target: str, model_sha256s: tuple[str, ...]) -> MeasureJob | None:
        """Has networks of the run measured in one session; None where there is nothing to do.

        They have met already, one has gone from the run's folder, or the device has left.
        """
        is_measured = target in self._here and target in self._content.units
        if not is_measured or not 2 <= len(model_sha256s) == len(set(model_sha256s)):
            return None
        place = self._at(target)
        job = place.final_job(model_sha256s) if all(map(place.has, model_sha256s)) else None
        if job is not None:
            self._place.stage(f"comparing the best on {place.record.target.device_title}")
            self._submit_beside(job, _Beside(lambda _: None, is_last=True))
        return job

    def is_beside(self, job: MeasureJob) -> bool:
        """Whether a job is open that is of no plan."""
        return job in self._besides

    def take_beside(self, job: MeasureJob, done: Done) -> None:
        """What was measured for no plan of its own; where it fails a search can do without.

        Raises:
            TransientDeviceError: the last device is gone, and there is more to measure.
        """
        beside, error = self._besides.pop(job), done.error
        may_go = len(self._here) > 1 or not beside.is_last
        if isinstance(error, TransientDeviceError) and may_go:
            self._lose(job.target, error)
        elif isinstance(error, DeviceError):
            self._place.note(f"{error} The search goes on without this comparison.")
        elif error is not None:
            raise error
        else:
            beside.take(self._journalled(done))

    def _at(self, target: str) -> Place:
        bench = self._all[target]
        return Place(
            self._content, bench.record, bench.resource, bench.noise, self._place.store.has,
            self._place.statistics.get(target, MEDIAN),
        )  # fmt: skip

    def _measure_again(self, target: str) -> None:
        """Sees to it that the unit was measured since this process began."""
        if target in self._current:
            return
        self._current.add(target)
        place = self._at(target)
        job = place.again_job()
        if job is not None:
            self._submit_beside(job, _Beside(lambda session: self._note_drift(place, session)))

    def _note_drift(self, place: Place, session: MeasuredTogether) -> None:
        reason = self._content.units[place.record.key].reason
        self._place.journal.add(place.unit_of(session, reason))
        line = drift_line(self._content, place.record)
        if line is not None:
            self._place.note(line)

    def _submit_beside(self, job: MeasureJob, beside: _Beside) -> None:
        self._besides[job] = beside
        self._place.executor.submit(job)

    def _journalled(self, done: Done) -> MeasuredTogether:
        session = done.result
        assert isinstance(session, MeasuredTogether)
        if session.id not in self._content.measured:
            self._place.journal.add(session)
        return session

    def _is_tried_otherwise(self, underway: Underway, job: MeasureJob, error: AgentError) -> bool:
        """Whether a model that failed beside others is measured in another way.

        A candidate that may have failed for its references (there is no memory for all, or one
        ends the agent) is tried beside the sharp one alone. Where the initial network can't run,
        that one is the unit.

        Raises:
            AgentError: not even the sharp reference runs: it is the device, or its runtime.
        """
        if job.models == (SHARP,) or error.model == sharp_sha256()[:_NAME_DIGITS]:
            raise error
        is_own = error.model == job.models[0][:_NAME_DIGITS]
        is_sure = is_own and error.code != ErrorCode.OUT_OF_MEMORY
        if job.target not in self._content.units:
            underway.failures[job.target] = text_of(error)
            again = self._at(job.target).unit_job(None)
        elif not is_sure and job.models[1:] not in ((), (SHARP,)):
            again = replace(job, models=(job.models[0], SHARP))
        else:
            return False
        self._place.executor.submit(again)
        return True

    def _take_session(
        self, underway: Underway, job: MeasureJob, session: MeasuredTogether
    ) -> None:
        is_of_plan = job.models[0] != SHARP
        if job.target not in self._content.units:
            reason = None if is_of_plan else underway.failures[job.target]
            self._place.journal.add(self._at(job.target).unit_of(session, reason))
            self._current.add(job.target)
        if is_of_plan:
            underway.measurements.setdefault(job.target, session.id)

    def _lose(self, target: str, error: TransientDeviceError) -> None:
        """A device has left: the others go on, the last one ends the search.

        Raises:
            TransientDeviceError: it was the last one.
        """
        bench = self._here.pop(target, None)
        if not self._here:
            raise error
        if bench is not None:
            self._left.append(bench.record.target.device_title)
            self._place.note(
                f"{error} The search goes on without it; the same command lets it catch up."
            )

    def _absorb(self, bench: TargetBench) -> None:
        """Journals what an earlier host of this search measured and did not live to receive."""
        content = self._content
        ours = {artifact.model_sha256 for artifact in content.artifacts.values()}
        found = [one for one in bench.recovered if is_of(one, ours | {sharp_sha256()})]
        new = [one for one in found if one.id not in content.measured]
        for session in new:
            self._place.journal.add(session)
        if new:
            bench.acknowledge([session.id for session in new])
