"""The meter: measures models on one device over one warm agent, and keeps the samples honest.

Each model is measured between two short runs of the anchor model; suspect samples are discarded
and measured again; a broken link is mended and the device's spool asked before anything is
repeated.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from adadeep.core.clock import SYSTEM_CLOCK, Clock, Deadline
from adadeep.core.device import DeviceFacts
from adadeep.core.errors import AgentError, DeviceError, TransientDeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Measurement, job_name, measurement_key
from adadeep.core.statistics import summarise
from adadeep.core.target import Target
from adadeep.devices.agent import AgentClient, RemoteModel
from adadeep.devices.agent_messages import AgentResult
from adadeep.devices.parse.conditions import CONDITION_PATHS
from adadeep.measure.faults import OVERDUE, blaming_the_runtime, ending_the_overdue, unsurvived
from adadeep.measure.layer_models import anchor_model
from adadeep.measure.quality import (
    MAX_CLOCK_DROP,
    clock_drop,
    disturbances,
    drift,
    ratio_to_anchor,
)
from adadeep.measure.session_log import Tally
from adadeep.measure.tensors import outputs_of, to_message
from adadeep_agent.wire import ErrorCode

_MAX_ATTEMPTS = 3  # of a measurement whose samples are suspect
_MAX_RECONNECTS = 2
_SETTLE_S = 0.5  # before a second attempt; a device that throttles gets longer
_COOL_DOWN_S = 10.0
_START_S = 90.0
_REPLUG_S = 15.0
_SLOWEST_INFERENCE_S = 30.0  # a big network on a slow board
_ANCHOR_FRESH_S = 5.0
_ANCHOR_MS = 6.0
_TOGETHER = 1  # models in one request: what the agents of today take


class _DeviceGone(TransientDeviceError):
    """The device did not come back; no more tries."""


class LatencyMeter(Protocol):
    """What a study needs of a meter."""

    study: str

    @property
    def target(self) -> Target:
        """What its measurements are of."""
        ...

    @property
    def recovered(self) -> tuple[Measurement, ...]:
        """Results of this study that an earlier host left; `acknowledge` them once kept."""
        ...

    def measure(self, models: Sequence[bytes]) -> list[Measurement]:
        """Measures .tflites, a measurement for each; AgentError if a model is at fault."""
        ...

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Lets the device forget these results."""
        ...


@dataclass(frozen=True, slots=True)
class ModelJob:
    """A model that is to be measured, and what is wanted besides.

    Attributes:
        model: a .tflite.
        samples: each a list of one array for each input of the model; outputs are wanted of each.
        keep_as: name below the work folder under which it stays on the device.
    """

    model: bytes
    samples: Sequence[Sequence[np.ndarray]] = ()
    keep_as: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement and what the model gave for the samples.

    Attributes:
        measurement: the times.
        outputs: one list a sample, one array an output tensor.
    """

    measurement: Measurement
    outputs: list[list[np.ndarray]]


class DeviceMeter:
    """Measures on one device.

    Args:
        facts: of the device.
        connect: starts an agent there; called again when the link broke.
        settings: how models are measured.
        study: names what is measured together; what other studies left is left alone.
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
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self.study = study
        self.tally = Tally()
        self._facts = facts
        self._connect = connect
        self._clock = clock
        self._client: AgentClient | None = None
        self._pending: list[str] = []
        self._anchor_ms: tuple[float, float] | None = None  # when, how long
        self._anchor_path: str | None = None
        self._recovered: tuple[Measurement, ...] = ()
        self._open()

    @property
    def target(self) -> Target:
        """The device, the agent there, and how it measures."""
        facts = self._facts
        return self.agent.target(facts.fingerprint, facts.title, self.settings)

    @property
    def recovered(self) -> tuple[Measurement, ...]:
        """Results of this study that an earlier host left, by this agent and not suspect."""
        return self._recovered

    def measure(self, models: Sequence[bytes]) -> list[Measurement]:
        """Measures .tflites; suspect samples are discarded and measured again, up to 3 times.

        Raises:
            AgentError: a model is at fault: corrupt, an operator is missing, it ends the agent.
            TransientDeviceError: the device is gone, also after reconnecting.
        """
        return [done.measurement for done in self.measure_jobs([ModelJob(m) for m in models])]

    def measure_jobs(self, jobs: Sequence[ModelJob]) -> list[Measured]:
        """Measures models and returns their outputs for samples, too; see `measure`."""
        done: list[Measured] = []
        for first in range(0, len(jobs), _TOGETHER):
            done += self._measure_together(jobs[first : first + _TOGETHER])
        return done

    def _measure_together(self, jobs: Sequence[ModelJob]) -> list[Measured]:
        attempt = 1
        while True:
            done = self._measure_once(jobs, attempt)
            if attempt == _MAX_ATTEMPTS or not any(m.measurement.disturbed for m in done):
                for one in done:
                    self.tally.take(one.measurement)
                return done
            self._clock.sleep(_pause_s([m.measurement for m in done], attempt))
            self._anchor_ms = None
            attempt += 1

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Lets the device forget results of this study that are safe here."""
        jobs = [job_name(self.study, key) for key in keys]
        self._open().acknowledge(jobs, Deadline.after(10, self._clock))

    def close(self, cancel: bool = False) -> None:
        """Ends the agent; what it measured last counts as received."""
        if self._client is None:
            return
        if self._pending and not cancel:
            with contextlib.suppress(TransientDeviceError, AgentError):
                self._client.acknowledge(self._pending, Deadline.after(2, self._clock))
        self._client.close(cancel)
        self._client = None

    def _measure_once(self, jobs: Sequence[ModelJob], attempt: int) -> list[Measured]:
        anchors = [self._anchor(fresh_enough_s=_ANCHOR_FRESH_S)]
        results = self._request(jobs)
        anchors.append(self._anchor())
        return [self._measured(result, anchors, attempt) for result in results]

    def _measured(self, result: AgentResult, anchors: list[float], attempt: int) -> Measured:
        measurement = self._measurement(result)
        swing = drift(anchors)
        reasons = disturbances(measurement.before, measurement.after, measurement.launches, swing)
        measurement = replace(
            measurement,
            anchor_ratio=ratio_to_anchor(measurement.latency_ms, anchors),
            anchor_drift=swing,
            disturbed=reasons,
            attempts=attempt,
        )
        return Measured(measurement, outputs_of(result, self._facts.serial))

    def _request(self, jobs: Sequence[ModelJob]) -> Sequence[AgentResult]:
        target = self.target
        digests = [hashlib.sha256(job.model).hexdigest() for job in jobs]
        names = [job_name(self.study, measurement_key(digest, target)) for digest in digests]
        inputs = [[[to_message(a) for a in sample] for sample in job.samples] for job in jobs]

        def ask(agent: AgentClient, deadline: Deadline) -> Sequence[AgentResult]:
            if self._pending:
                agent.acknowledge(self._pending, deadline)
                self._pending = []
            models = [
                RemoteModel(
                    job=name,
                    path=agent.push_model(job.model, deadline, job.keep_as),
                    inputs=samples,
                    keep=job.keep_as is not None,
                )
                for name, job, samples in zip(names, jobs, inputs, strict=True)
            ]
            with ending_the_overdue(agent, self._facts.serial):
                return agent.measure(models, self.settings, deadline, CONDITION_PATHS)

        # Outputs are not kept in the spool.
        waiting = [] if any(inputs) else names
        results = self._with_reconnects(
            ask, waiting, self._limit_s(len(jobs), sum(map(len, inputs)))
        )
        for result, digest, job in zip(results, digests, jobs, strict=True):
            if (result.model_sha256, result.model_bytes) != (digest, len(job.model)):
                raise TransientDeviceError(
                    f"{self._facts.serial}: the model arrived damaged on the device; check the"
                    " cable."
                )
        self._pending += names
        return results

    def _with_reconnects(
        self,
        ask: Callable[[AgentClient, Deadline], Sequence[AgentResult]],
        jobs: Sequence[str],
        limit_s: float,
    ) -> Sequence[AgentResult]:
        failure: TransientDeviceError | None = None
        for _ in range(_MAX_RECONNECTS + 1):
            try:
                agent = self._open() if failure is None else self._reopen(failure)
                waiting = self._found_in_spool(jobs) if failure else None
                if waiting:
                    return waiting
                return ask(agent, Deadline.after(limit_s, self._clock))
            except _DeviceGone:
                raise
            except AgentError as error:
                if error.code == OVERDUE:
                    self._drop()
                    self._reopen(error)  # which tidies up after the one that was ended
                if error.code != ErrorCode.MODEL_MISSING:
                    raise
                self._anchor_path = None  # somebody tidied up: push again
                failure = TransientDeviceError(str(error))
            except TransientDeviceError as error:
                self._drop()
                failure = error
        self._reopen(failure)  # raises if it is the device that is gone
        raise unsurvived(self._facts.serial, _MAX_RECONNECTS + 1, failure) from failure

    def _limit_s(self, models: int, samples: int = 0) -> float:
        """How long a job may take before the agent counts as hung."""
        settings = self.settings
        a_launch = 3 * _SLOWEST_INFERENCE_S + 2 * settings.max_ms / 1000
        each = settings.launches * a_launch
        return _START_S + models * each + samples * _SLOWEST_INFERENCE_S

    def _reopen(self, failure: Exception | None) -> AgentClient:
        """Starts an agent again, waiting a while for a device that is being plugged in again."""
        patience = Deadline.after(_REPLUG_S, self._clock)
        while True:
            try:
                return self._open()
            except DeviceError as error:
                if patience.expired:
                    raise _DeviceGone(
                        f"{failure or error} It did not come back within {_REPLUG_S:.0f} s."
                    ) from error
            self._clock.sleep(0.5)

    def _found_in_spool(self, jobs: Sequence[str]) -> list[AgentResult] | None:
        """The results of these jobs, if all of them wait there."""
        found = []
        for job in jobs:
            result = self._open().fetch(job, Deadline.after(30, self._clock))
            if result is None or result.settings != self.settings:
                return None
            found.append(result)
        return found

    def _open(self) -> AgentClient:
        if self._client is None:
            self._client = self._connect()
            self.agent = self._client.agent
            self._anchor_ms, self._anchor_path = None, None
            if self._client.hello.spooled and not self._recovered:
                self._recovered = tuple(self._sound_leftovers(self._client))
        return self._client

    def _sound_leftovers(self, agent: AgentClient) -> Iterator[Measurement]:
        """What this study left and can be taken for a measurement of now; its rest is dropped.

        Dropped are results of another runtime or version, of the device before an update, and
        suspect ones, which would have been measured again.
        """
        deadline = Deadline.after(60, self._clock)
        dropped = []
        for job in agent.spooled(deadline):
            if not job.startswith(job_name(self.study, "")):
                continue
            result = agent.fetch(job, deadline)
            found = self._measurement(result) if result else None
            quiet = found and not disturbances(found.before, found.after, found.launches, None)
            if found and quiet and self._is_of_now(found, job):
                yield found
            else:
                dropped.append(job)
        if dropped:
            agent.acknowledge(dropped, deadline)

    def _is_of_now(self, found: Measurement, job: str) -> bool:
        return found.agent == self.agent and job_name(self.study, found.key) == job

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close(cancel=True)
            self._client = None

    def _anchor(self, fresh_enough_s: float = 0.0) -> float:
        """The anchor's median in ms, measured now or less than so many seconds ago."""
        if self._anchor_ms and self._clock.now() - self._anchor_ms[0] < fresh_enough_s:
            return self._anchor_ms[1]
        settings = replace(
            self.settings, launches=1, warmup_min_runs=2, warmup_min_ms=1.0,
            min_runs=9, max_runs=200, min_ms=_ANCHOR_MS, max_ms=_ANCHOR_MS * 20, ci_relative=0.05,
            input_ranges=(), input_shapes=(), input_file=None,
        )  # fmt: skip

        def ask(agent: AgentClient, deadline: Deadline) -> Sequence[AgentResult]:
            if self._anchor_path is None:
                self._anchor_path = agent.push_model(anchor_model(), deadline)
            model = RemoteModel("anchor", self._anchor_path, keep=True)
            with ending_the_overdue(agent, self._facts.serial):
                return agent.measure([model], settings, deadline, spool=False)

        with blaming_the_runtime(self._facts.serial):
            [result] = self._with_reconnects(ask, (), self._limit_s(1))
        runs = [ns / 1e6 for launch in result.launches for ns in launch.runs_ns]
        self._anchor_ms = (self._clock.now(), summarise(runs).median)
        return self._anchor_ms[1]

    def _measurement(self, result: AgentResult) -> Measurement:
        return result.measurement(self._facts.fingerprint, self._facts.title)


def _pause_s(measurements: Sequence[Measurement], attempt: int) -> float:
    """How long to leave a device alone before these are measured again."""
    drops = [clock_drop(m.before, m.after) or 0.0 for m in measurements]
    return _COOL_DOWN_S if max(drops) > MAX_CLOCK_DROP else _SETTLE_S * attempt
