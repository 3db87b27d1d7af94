"""From a plan to a trial: make the network, measure it, put the costs together.

What is in the journal is taken from there: a network that was made is not made again, and a model
that was measured is not measured again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from adadeep.core.clock import SYSTEM_CLOCK, Clock
from adadeep.core.correct import CorrectSamples
from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.errors import AgentError, ConversionError, TechniqueNotApplicable
from adadeep.core.measurement import Measurement, measurement_key
from adadeep.core.plan import CompressionPlan
from adadeep.core.trial import Trial, TrialState
from adadeep.measure.faults import AGENT_DIED, CRASHED, OVERDUE
from adadeep.measure.meter import LatencyMeter
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Artifact, Journal
from adadeep_agent.wire import ErrorCode

ANALYTIC_ENERGY = "Eq. 5 of AdaDeep, 52.8 pJ a MAC"

# What the agent says of a model; its other errors are of the device, and end the search.
_MODEL_ERRORS = (
    ErrorCode.MODEL_CORRUPT, ErrorCode.UNSUPPORTED_OP, ErrorCode.BAD_INPUT,
    ErrorCode.RUN_FAILED, ErrorCode.OPEN_SHAPE,
    ErrorCode.OUT_OF_MEMORY, ErrorCode.INTERNAL, AGENT_DIED, CRASHED, OVERDUE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeNetwork:
    """A plan's network, trained and converted.

    Attributes:
        model: the .tflite.
        correct: which validation samples it got right.
        macs: C.
        storage_bytes: S_p.
        activation_bytes: S_f.
        energy_mj: E by Eq. 5.
    """

    model: bytes
    correct: CorrectSamples
    macs: int
    storage_bytes: float
    activation_bytes: float
    energy_mj: float


class NetworkMaker(Protocol):
    """Makes the network of a plan."""

    def make(self, plan: CompressionPlan) -> MadeNetwork:
        """Compresses the initial network, trains, converts and tests it.

        Raises:
            TechniqueNotApplicable: the plan can't be applied.
            ConversionError: the network did not become a .tflite.
        """
        ...


class PlanEvaluator:
    """Evaluates plans on one device.

    Args:
        maker: makes networks.
        meter: measures them.
        journal: of this search.
        store: of this search's models.
        stage: is told what is being done.
        clock: for the time that a trial took.
    """

    def __init__(
        self,
        maker: NetworkMaker,
        meter: LatencyMeter,
        journal: Journal,
        store: ArtifactStore,
        stage: Callable[[str], None] = lambda _: None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._maker = maker
        self._meter = meter
        self._journal = journal
        self._store = store
        self._stage = stage
        self._clock = clock
        self._absorb()

    def evaluate(self, plan: CompressionPlan) -> Trial:
        """Makes and measures a plan's network; what fails for good is a failed trial.

        Raises:
            DeviceError: the device is gone, or unfit for any model.
        """
        start = self._clock.now()
        artifact: Artifact | None = None
        try:
            artifact, model = self._artifact(plan)
            measurement = self._measurement(artifact, model)
        except AgentError as error:
            if error.code not in _MODEL_ERRORS:
                raise
            return self._failed(plan, start, error, artifact)
        except (TechniqueNotApplicable, ConversionError) as error:
            return self._failed(plan, start, error, artifact)
        return Trial(
            plan=plan,
            state=TrialState.COMPLETE,
            accuracy=artifact.accuracy,
            cost=_cost(artifact, measurement),
            model_sha256=artifact.model_sha256,
            measurement_key=measurement.key,
            seconds=round(self._clock.now() - start, 3),
        )

    def _failed(
        self, plan: CompressionPlan, start: float, error: Exception, artifact: Artifact | None
    ) -> Trial:
        return Trial(
            plan=plan,
            state=TrialState.FAILED,
            model_sha256=artifact.model_sha256 if artifact else None,
            reason=f"{type(error).__name__}: {error}",
            seconds=round(self._clock.now() - start, 3),
        )

    def _artifact(self, plan: CompressionPlan) -> tuple[Artifact, bytes]:
        known = self._journal.content.artifacts.get(plan.key)
        model = self._store.get(known.model_sha256) if known else None
        if known is not None and model is not None:
            return known, model
        self._stage(f"making {plan.label}")
        made = self._maker.make(plan)
        artifact = Artifact(
            plan_key=plan.key,
            model_sha256=self._store.put(made.model),
            file_bytes=len(made.model),
            accuracy=made.correct.accuracy,
            correct=made.correct,
            macs=made.macs,
            storage_bytes=made.storage_bytes,
            activation_bytes=made.activation_bytes,
            energy_mj=made.energy_mj,
        )
        self._journal.add_artifact(artifact)
        return artifact, made.model

    def _measurement(self, artifact: Artifact, model: bytes) -> Measurement:
        meter, measurements = self._meter, self._journal.content.measurements
        key = measurement_key(artifact.model_sha256, meter.device_fingerprint, meter.settings)
        self._absorb()
        if key in measurements:
            return measurements[key]
        self._stage(f"measuring on {meter.device_title}")
        measurement = meter.measure(model)
        self._journal.add_measurement(measurement)
        return measurement

    def _absorb(self) -> None:
        """Journals what an earlier host of this search measured and did not live to receive."""
        content = self._journal.content
        ours = {artifact.model_sha256 for artifact in content.artifacts.values()}
        found = [m for m in self._meter.recovered if m.model_sha256 in ours]
        new = [m for m in found if m.key not in content.measurements]
        for measurement in new:
            self._journal.add_measurement(measurement)
        if new:
            self._meter.acknowledge([measurement.key for measurement in new])


def _cost(artifact: Artifact, measurement: Measurement) -> Cost:
    agent = measurement.agent
    where = f"{measurement.device_title}, {agent.runtime} {agent.runtime_version}"
    summary = measurement.latency
    return Cost(
        latency_ms=Quantity(
            summary.median,
            Provenance.MEASURED,
            where,
            measurement.disturbed,
            summary.ci_low,
            summary.ci_high,
        ),
        energy_mj=Quantity(artifact.energy_mj, Provenance.ANALYTIC, ANALYTIC_ENERGY),
        storage_bytes=artifact.storage_bytes,
        activation_bytes=artifact.activation_bytes,
        file_bytes=artifact.file_bytes,
        macs=artifact.macs,
    )
