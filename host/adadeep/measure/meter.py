"""The meter: measures models on one device over one warm agent, several of them in turn.

A session is one request to the agent, or one a launch where several are wanted. A broken link is
mended and the device's spool asked before anything is repeated; a model that is at fault is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from adadeep.core.clock import SYSTEM_CLOCK, Clock, Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AgentError, FormatError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Conditions, job_name
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether, session_id
from adadeep.core.target import Target
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_messages import AgentSession, ProgressReply
from adadeep.devices.parse.block_texts import BLOCK_PATHS
from adadeep.devices.parse.conditions import ANDROID_PATHS, CONDITION_PATHS
from adadeep.devices.parse.scheduling import SCHEDULING_PATHS, scheduling_of
from adadeep.measure.cooling import Cooling
from adadeep.measure.faults import (
    AGENT_DIED,
    CRASHED,
    OVERDUE,
    Quarantine,
    ending_the_overdue,
)
from adadeep.measure.launches import launch_plan, merged
from adadeep.measure.link import AgentLink
from adadeep.measure.meter_jobs import Batch, Digests, KeptModels, Measured, ModelJob
from adadeep.measure.operators import require_operators
from adadeep.measure.quality import disturbed_by, with_causes
from adadeep.measure.services import Services
from adadeep.measure.session_log import Tally
from adadeep.measure.tensors import outputs_of

if TYPE_CHECKING:
    from adadeep.core.noise import NoiseModel

_START_S = 90.0
_SLOWEST_RUN_S = 60.0  # a big network on a slow board
_RUNS_OF_A_MODEL = 8  # load, first, warm-up, two for the group, dropped and timed ones
_READ_S = 15.0  # with the commands, of which each may take a while

OnProgress = Callable[[ProgressReply], None]


class LatencyMeter(Protocol):
    """What a study needs of a meter."""

    study: str

    @property
    def target(self) -> Target:
        """What its measurements are of."""
        ...

    @property
    def noise(self) -> NoiseModel:
        """How far to trust them: the device's, as it was when the meter was made."""
        ...

    @property
    def recovered(self) -> tuple[MeasuredTogether, ...]:
        """Sessions of this study that an earlier host left; `acknowledge` them once kept."""
        ...

    def measure(
        self, models: Sequence[bytes], plan: MeasuringPlan, launches: int = 1
    ) -> MeasuredTogether:
        """Measures .tflites in turn; AgentError if a model is at fault."""
        ...

    def acknowledge(self, session_ids: Sequence[str]) -> None:
        """Lets the device forget these sessions."""
        ...


class DeviceMeter:
    """Measures on one device.

    Args:
        facts: of the device.
        connect: starts an agent there; called again when the link broke, and for a launch.
        settings: how models run.
        study: names what is measured together; what other studies left is left alone.
        noise: of the device.
        clock: the host's.

    Attributes:
        agent: that measures.
        tally: of what it measured.
    """

    agent: Agent

    def __init__(
        self,
        facts: DeviceFacts,
        connect: Callable[[], AgentClient],
        settings: MeasureSettings,
        study: str,
        noise: NoiseModel,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self.study = study
        self.noise = noise
        self.tally = Tally()
        self._facts = facts
        self._clock = clock
        self._cooling = Cooling(clock)
        self._kept, self._digests = KeptModels(), Digests()
        self._quarantine = Quarantine(facts.serial)
        self._services = Services(self._is_android, clock)
        self._scheduling: str | None = None  # of the first agent; all others must have the same
        self._link = AgentLink(facts.serial, connect, clock, self._begun)
        self._pending: list[str] = []  # jobs that are safe here with the next request
        self._jobs_of: dict[str, list[str]] = {}  # by session, where it is of several launches
        agent = self._link.open()
        spooled = agent.hello.spooled
        self._recovered = tuple(self._sound_leftovers(agent)) if spooled else ()

    @property
    def target(self) -> Target:
        """The device, the agent there, and how models run."""
        facts = self._facts
        return self.agent.target(
            facts.fingerprint, facts.title, self.settings, scheduling=self._scheduling
        )

    @property
    def recovered(self) -> tuple[MeasuredTogether, ...]:
        """Sessions of this study that an earlier host left, by this agent; each of one launch."""
        return self._recovered

    def measure(
        self, models: Sequence[bytes], plan: MeasuringPlan, launches: int = 1
    ) -> MeasuredTogether:
        """Measures .tflites in turn, so that they can be compared.

        Args:
            models: 1 to 16 of them; the first is what others are references of.
            plan: how it goes.
            launches: of the agent; each does its share of the plan.

        Raises:
            AgentError: a model is at fault: corrupt, an operator is missing, it ends the agent.
                Its `model` is the first 8 digits of the model's SHA-256.
            TransientDeviceError: the device is gone, also after reconnecting.
        """
        return self.session([ModelJob(model) for model in models], plan, launches).session

    def session(
        self,
        jobs: Sequence[ModelJob],
        plan: MeasuringPlan,
        launches: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Measured:
        """As `measure`, and gives the models' outputs for samples; errors have the jobs' names."""
        batch = Batch.of(jobs, self._digests)
        name = session_id(batch.digests, plan, self.target.key)
        parts: list[MeasuredTogether] = []
        made: list[str] = []
        outputs: list[list[list[np.ndarray]]] = []
        for launch in range(launches):
            if launch:
                self._link.drop(cancel=False)
            share = launch_plan(plan, launch, launches)
            result, part = self._launch(batch, share, on_progress)
            parts.append(part)
            made.append(result.job)
            outputs = outputs or [outputs_of(model, self._facts.serial) for model in result.models]
        self._pending += made
        self._kept.measured(batch)
        session = with_causes(parts[0] if launches == 1 else merged(name, plan, parts))
        self._jobs_of[session.id] = made
        self.tally.take(session)
        return Measured(session, outputs)

    def acknowledge(self, session_ids: Sequence[str]) -> None:
        """Lets the device forget sessions of this study that are safe here."""
        jobs = []
        for one in session_ids:
            jobs += self._jobs_of.get(one, [job_name(self.study, one)])
        self._link.open().acknowledge(jobs, Deadline.after(10, self._clock))

    def close(self, cancel: bool = False) -> None:
        """Ends the agent; what it measured last counts as received."""
        if self._pending and not cancel and self._link.is_open:
            with contextlib.suppress(TransientDeviceError, AgentError):
                agent = self._link.open()
                agent.acknowledge(self._pending, Deadline.after(2, self._clock))
        self._link.drop(cancel)

    def _begun(self, agent: AgentClient) -> None:
        self.agent = agent.agent
        self._kept.clear()
        if self._is_android and self._scheduling is None:
            told = agent.read(SCHEDULING_PATHS, Deadline.after(_READ_S, self._clock))
            self._scheduling = scheduling_of(told.texts)

    def _launch(
        self, batch: Batch, plan: MeasuringPlan, on_progress: OnProgress | None
    ) -> tuple[AgentSession, MeasuredTogether]:
        """One launch's part of a session, with what is known to disturb it before it begins."""
        self._quarantine.require_none_of(zip(batch.names, batch.digests, strict=True))
        require_operators(self._facts.serial, self.agent, batch.contents)
        reasons: tuple[str, ...] = ()
        job = job_name(self.study, session_id(batch.digests, plan, self.target.key))

        def ask(agent: AgentClient, deadline: Deadline) -> AgentSession:
            nonlocal reasons
            if self._pending:
                agent.acknowledge_ahead(self._pending, deadline)
            reasons = self._cooling.wait(lambda: self._state(agent))
            models = self._kept.put(agent, batch, deadline)
            with ending_the_overdue(agent, self._facts.serial):
                found = agent.measure(
                    job, models, self.settings, plan, deadline, read=self._paths,
                    commands=self._services.due(), read_block=BLOCK_PATHS,
                    on_progress=on_progress,
                )  # fmt: skip
            self._pending = []  # what comes in order: it was heard before the request
            return found

        def is_it(found: AgentSession) -> bool:
            return (found.settings, found.plan) == (self.settings, plan)

        waiting = "" if batch.has_samples else job  # outputs are not kept in the spool
        try:
            result = self._link.ask(ask, self._limit_s(batch, plan), waiting, is_it)
        except AgentError as error:
            raise self._blaming(error, batch, plan) from error
        result = self._services.completed(result)
        part = self._told(result)
        self._require_of(part, batch)
        self._cooling.note(part)
        return result, disturbed_by(part, reasons)

    def _blaming(self, error: AgentError, batch: Batch, plan: MeasuringPlan) -> AgentError:
        """The error with the model that is at fault, where the agent did not live to name it."""
        if error.model or error.code not in (CRASHED, AGENT_DIED, OVERDUE):
            return error
        if len(batch.jobs) == 1:
            if error.code == CRASHED:
                self._quarantine.add(batch.digests[0])
            return AgentError(str(error), error.code, batch.names[0])
        if error.code == OVERDUE:  # to find out takes as long again for each
            return error
        short = replace(plan, placements=1, least_placements=1, placement_ms=0.0, cold_runs=0)
        for job in batch.jobs:
            try:
                self._launch(Batch.of([job]), short, None)
            except AgentError as alone:
                return alone
        return error

    def _require_of(self, part: MeasuredTogether, batch: Batch) -> None:
        sizes = [(one.model_sha256, one.model_bytes) for one in part.measurements]
        wanted = [(d, len(job.model)) for d, job in zip(batch.digests, batch.jobs, strict=True)]
        if sizes != wanted:
            raise TransientDeviceError(
                f"{self._facts.serial}: the model arrived damaged on the device; check the cable."
            )
        found = part.measurements[0].before.scheduling
        if found != self._scheduling:
            raise TransientDeviceError(
                f"{self._facts.serial}: the system moved the agent to other cores:"
                f" {found or 'unknown'}, where it began on {self._scheduling or 'unknown'}. Keep"
                " the device awake and try again."
            )

    def _limit_s(self, batch: Batch, plan: MeasuringPlan) -> float:
        """How long a launch may take before the agent counts as hung."""
        runs = sum(_RUNS_OF_A_MODEL + len(job.samples) for job in batch.jobs)
        return _START_S + runs * _SLOWEST_RUN_S + 2 * plan.max_ms / 1000

    def _state(self, agent: AgentClient) -> Conditions:
        by = Deadline.after(_READ_S, self._clock)
        return agent.read(self._paths, by, self._services.commands).conditions

    @property
    def _is_android(self) -> bool:
        return self._facts.os == "android"

    @property
    def _paths(self) -> Sequence[str]:
        return ANDROID_PATHS if self._is_android else CONDITION_PATHS

    def _sound_leftovers(self, agent: AgentClient) -> Iterator[MeasuredTogether]:
        """What this study left and can be taken for a session of now; its rest is dropped.

        Dropped is what another runtime or version measured, or the device before an update.
        """
        deadline = Deadline.after(60, self._clock)
        dropped = []
        for job in agent.spooled(deadline):
            if not job.startswith(job_name(self.study, "")):
                continue
            found = agent.fetch(job, deadline)
            session = self._told_if_of_now(found) if found else None
            if session is not None:
                yield with_causes(session)
            else:
                dropped.append(job)
        if dropped:
            agent.acknowledge(dropped, deadline)

    def _told_if_of_now(self, found: AgentSession) -> MeasuredTogether | None:
        try:
            session = self._told(found)
        except (FormatError, ValueError):
            return None
        models = [one.model_sha256 for one in session.measurements]
        now = session_id(models, session.plan, self.target.key)
        is_of_now = session.measurements[0].target == self.target and found.agent == self.agent
        return session if is_of_now and found.job == job_name(self.study, now) else None

    def _told(self, result: AgentSession) -> MeasuredTogether:
        return result.together(self._facts.fingerprint, self._facts.title)
