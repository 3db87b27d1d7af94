"""From plans to trials: hands jobs to an executor and journals what comes of them.

What the journal holds is not done again: a network that was made is not made again, a model that
was measured on a target is not measured there again. Results are journalled as they come, whatever
plan is waited for.

A trial keeps its network: where the model has gone from the folder (`adadeep runs prune`) it stays
unmeasured on targets that have not had it. Made anew it would be another network beside the old
measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adadeep.core.errors import (
    AgentError,
    ConversionError,
    TechniqueNotApplicable,
    TransientDeviceError,
)
from adadeep.core.measurement import Measurement, measurement_key
from adadeep.core.plan import CompressionPlan
from adadeep.cost.registry import needs_measurement
from adadeep.measure.faults import AGENT_DIED, CRASHED, OVERDUE
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.storage.records import Artifact, TargetRecord, TrialRecord, content_key
from adadeep.study.jobs import Done, Executor, MadeNetwork, MakeJob, MeasureJob
from adadeep_agent.wire import ErrorCode

# What the agent says of a model; its other errors are of the device, and end the search.
_MODEL_ERRORS = (
    ErrorCode.MODEL_CORRUPT, ErrorCode.UNSUPPORTED_OP, ErrorCode.BAD_INPUT,
    ErrorCode.RUN_FAILED, ErrorCode.OPEN_SHAPE,
    ErrorCode.OUT_OF_MEMORY, ErrorCode.INTERNAL, AGENT_DIED, CRASHED, OVERDUE,
)  # fmt: skip


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
    def recovered(self) -> tuple[Measurement, ...]:
        """Results of this study that an earlier host left on the device."""
        ...

    def acknowledge(self, keys: list[str]) -> None:
        """Lets the device forget these results."""
        ...


@dataclass(slots=True)
class _Underway:
    """A plan on its way.

    Attributes:
        plan: what is tried.
        artifact: its network, once there is one.
        measurements: by target key.
        failures: by target key.
        reason: why there is no network.
        missing: keys of targets that are to measure it still.
        away: of those whose device has left.
        making_s: that making it took.
        measuring_s: that measuring it took.
    """

    plan: CompressionPlan
    artifact: Artifact | None = None
    measurements: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    missing: set[str] = field(default_factory=set)
    making_s: float = 0.0
    measuring_s: float = 0.0

    @classmethod
    def again(cls, record: TrialRecord) -> _Underway:
        """Of a plan that some target has still to measure."""
        return cls(
            record.plan,
            measurements=dict(record.measurements),
            failures=dict(record.failures),
            making_s=record.making_s,
            measuring_s=record.measuring_s,
        )

    @property
    def is_done(self) -> bool:
        """Whether nothing more comes."""
        return self.reason is not None or (self.artifact is not None and not self.missing)

    def record(self) -> TrialRecord:
        """What came of it so far."""
        return TrialRecord(
            plan=self.plan,
            artifact=self.artifact.key if self.artifact else None,
            measurements=dict(self.measurements),
            failures=dict(self.failures),
            reason=self.reason,
            making_s=round(self.making_s, 3),
            measuring_s=round(self.measuring_s, 3),
        )


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
    """

    journal: Journal
    store: ArtifactStore
    executor: Executor
    basis: str
    stage: Callable[[str], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None
    elsewhere: Callable[[str, CompressionPlan], Artifact | None] = lambda _key, _plan: None
    initial_from: str | None = None


class Pipeline:
    """Evaluates plans on the targets of a study, several at a time.

    Args:
        place: what it works with.
        benches: the targets whose devices are at hand, by key.
    """

    def __init__(self, place: Workplace, benches: Mapping[str, TargetBench]) -> None:
        self._place = place
        self._benches = dict(benches)
        self._underway: dict[str, _Underway] = {}
        self._settled: dict[str, TrialRecord] = {}
        self._left: list[str] = []
        for bench in self._benches.values():
            self._absorb(bench)

    @property
    def attached(self) -> tuple[str, ...]:
        """Keys of the targets whose devices have not left."""
        return tuple(self._benches)

    @property
    def left(self) -> tuple[str, ...]:
        """Titles of the devices that have."""
        return tuple(self._left)

    def known(self, plan: CompressionPlan) -> TrialRecord | None:
        """What the journal has of a plan, where no target at hand has still to measure it."""
        record = self._place.journal.content.trials.get(plan.key)
        return record if record and not self._missing(record) else None

    def begin(self, plan: CompressionPlan) -> bool:
        """Sees to it that a plan is evaluated; does nothing for one that is known or begun.

        Returns:
            False if it was tried, some target lacks it, and its model has gone.
        """
        if plan.key in self._underway or self.known(plan):
            return True
        record = self._place.journal.content.trials.get(plan.key)
        artifact = self._artifact(plan, record)
        if record is not None and artifact is None:
            return False
        artifact = artifact or self._taken(plan)
        underway = _Underway(plan) if record is None else _Underway.again(record)
        self._underway[plan.key] = underway
        if artifact is None:
            self._place.stage(f"making {plan.label}")
            self._place.executor.submit(MakeJob(plan))
        else:
            self._made(underway, artifact)
        return True

    def finish(self, plan: CompressionPlan) -> TrialRecord:
        """Waits until a plan that was begun is evaluated, and returns what came of it.

        Of one whose model has gone it returns what is known.

        Raises:
            DeviceError: the last device is gone, or it can take no model at all.
        """
        while plan.key in self._underway:
            self._take(self._place.executor.next_done())
        return self._settled.get(plan.key) or self._place.journal.content.trials[plan.key]

    def catch_up(self, records: Iterable[TrialRecord]) -> int:
        """Has the targets at hand measure networks that they lack; returns how many plans.

        Those whose models have gone are left out, and their number is said.
        """
        behind = [record for record in records if self._missing(record)]
        begun = [record for record in behind if self.begin(record.plan)]
        for record in begun:
            self.finish(record.plan)
        gone = len(behind) - len(begun)
        if gone:
            self._place.note(
                "not measured on every device, for the model has gone from the run's folder"
                f" (adadeep runs prune): {gone} {'plan' if gone == 1 else 'plans'}. To try them"
                " there use another folder (-o)."
            )
        return len(begun)

    def _artifact(self, plan: CompressionPlan, record: TrialRecord | None) -> Artifact | None:
        """The network of a plan's trial, else of this session's basis; None if not whole."""
        basis = self._place.basis
        key = record.artifact if record and record.artifact else content_key(basis, plan)
        artifact = self._place.journal.content.artifacts.get(key)
        whole = artifact and self._place.store.get(artifact.model_sha256) is not None
        return artifact if whole else None

    def _taken(self, plan: CompressionPlan) -> Artifact | None:
        """The network of a new plan as another run made it; None if none did.

        The initial one is always made here: by it other runs are judged, and it costs no training.
        """
        if plan == CompressionPlan():
            return None
        artifact = self._place.elsewhere(content_key(self._place.basis, plan), plan)
        if artifact is not None:
            self._place.journal.add(artifact)
        return artifact

    def _missing(self, record: TrialRecord) -> set[str]:
        if record.artifact is None:
            return set()
        return {
            key
            for key, bench in self._benches.items()
            if needs_measurement(bench.record.sources)
            and key not in record.measurements
            and key not in record.failures
        }

    def _take(self, done: Done) -> None:
        underway = self._underway[done.job.plan.key]
        if isinstance(done.job, MakeJob):
            underway.making_s += done.seconds
            self._take_made(underway, done)
        else:
            underway.measuring_s += done.seconds
            self._take_measured(underway, done.job, done)

    def _take_made(self, underway: _Underway, done: Done) -> None:
        if isinstance(done.error, TechniqueNotApplicable | ConversionError):
            underway.reason = _text_of(done.error)
            self._settle(underway)
            return
        if done.error is not None:
            raise done.error
        made = done.result
        assert isinstance(made, MadeNetwork)
        artifact = Artifact(
            key=content_key(self._place.basis, underway.plan),
            plan_key=underway.plan.key,
            model_sha256=made.model_sha256,
            file_bytes=made.file_bytes,
            accuracy=made.scores.mean,
            scores=made.scores,
            spec=made.spec,
            network_sha256=made.network_sha256,
            taken_from=self._place.initial_from if underway.plan == CompressionPlan() else None,
        )
        self._place.journal.add(artifact)
        self._made(underway, artifact)

    def _made(self, underway: _Underway, artifact: Artifact) -> None:
        """There is a network: what is known of it is taken, the rest is to be measured."""
        underway.artifact = artifact
        measurements = self._place.journal.content.measurements
        underway.missing = self._missing(underway.record())
        for key in sorted(underway.missing):
            bench = self._benches[key]
            known = measurement_key(artifact.model_sha256, bench.record.target)
            if known in measurements:
                underway.measurements[key] = known
                underway.missing.discard(key)
                continue
            title = bench.record.target.device_title
            self._place.stage(f"measuring on {title}")
            models = (artifact.model_sha256,)
            self._place.executor.submit(MeasureJob(underway.plan, key, models, bench.resource))
        self._settle(underway)

    def _take_measured(self, underway: _Underway, job: MeasureJob, done: Done) -> None:
        error = done.error
        if isinstance(error, AgentError) and error.code in _MODEL_ERRORS:
            underway.failures[job.target] = _text_of(error)
        elif isinstance(error, TransientDeviceError):
            self._lose(job.target, error)
        elif error is not None:
            raise error
        else:
            assert isinstance(done.result, tuple)
            measurement = done.result[0]
            self._place.journal.add(measurement)
            underway.measurements[job.target] = measurement.key
        underway.missing.discard(job.target)
        self._settle(underway)

    def _lose(self, target: str, error: TransientDeviceError) -> None:
        """A device has left: the others go on, the last one ends the search.

        Raises:
            TransientDeviceError: it was the last one.
        """
        bench = self._benches.pop(target, None)
        if not self._benches:
            raise error
        if bench is not None:
            self._left.append(bench.record.target.device_title)
            self._place.note(
                f"{error} The search goes on without it; the same command lets it catch up."
            )

    def _settle(self, underway: _Underway) -> None:
        """Journals a plan of which nothing more is to come, but for a failed initial network.

        That one, if it can be used nowhere, is tried again next time.
        """
        if not underway.is_done:
            return
        del self._underway[underway.plan.key]
        record = self._settled[underway.plan.key] = underway.record()
        is_usable = record.reason is None and (record.measurements or not record.failures)
        if record.plan != CompressionPlan() or is_usable:
            self._place.journal.add(record)

    def _absorb(self, bench: TargetBench) -> None:
        """Journals what an earlier host of this search measured and did not live to receive."""
        content = self._place.journal.content
        ours = {artifact.model_sha256 for artifact in content.artifacts.values()}
        found = [m for m in bench.recovered if m.model_sha256 in ours]
        new = [m for m in found if m.key not in content.measurements]
        for measurement in new:
            self._place.journal.add(measurement)
        if new:
            bench.acknowledge([measurement.key for measurement in new])


def _text_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]
