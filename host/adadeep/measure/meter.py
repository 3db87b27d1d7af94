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
from adadeep.core.measurement import (
    Agent,
    Measurement,
    MeasureSettings,
    job_name,
    measurement_key,
    new_study,
)
from adadeep.core.protocols import Transport
from adadeep.core.statistics import summarise
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_messages import AgentResult
from adadeep.devices.agent_watch import Note, Watch
from adadeep.devices.discovery import select
from adadeep.devices.facts import gather_facts
from adadeep.devices.provision import require_python
from adadeep.measure.faults import OVERDUE, blaming_the_runtime, ending_the_overdue, unsurvived
from adadeep.measure.layer_models import anchor_model
from adadeep.measure.quality import (
    MAX_CLOCK_DROP,
    clock_drop,
    disturbances,
    drift,
    ratio_to_anchor,
)
from adadeep.measure.tensors import outputs_of, to_message
from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode, Message

_MAX_ATTEMPTS = 3  # of a measurement whose samples are suspect
_MAX_RECONNECTS = 2
_SETTLE_S = 0.5  # before a second attempt; a device that throttles gets longer
_COOL_DOWN_S = 10.0
_START_S = 90.0
_REPLUG_S = 15.0
_SLOWEST_INFERENCE_S = 30.0  # a big network on a slow board
_ANCHOR_FRESH_S = 5.0
_ANCHOR_MS = 6.0


class _DeviceGone(TransientDeviceError):
    """The device did not come back; no more tries."""


class LatencyMeter(Protocol):
    """What a study needs of a meter."""

    device_title: str
    device_fingerprint: str
    settings: MeasureSettings
    study: str

    @property
    def recovered(self) -> tuple[Measurement, ...]:
        """Results of this study that an earlier host left; `acknowledge` them once kept."""
        ...

    def measure(self, model: bytes) -> Measurement:
        """Measures a .tflite; raises AgentError if the model is at fault."""
        ...

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Lets the device forget these results."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """A measurement and what the model gave for the samples.

    Attributes:
        measurement: the times.
        outputs: one list a sample, one array an output tensor.
    """

    measurement: Measurement
    outputs: list[list[np.ndarray]]


@dataclass(frozen=True, slots=True)
class _Job:
    model: bytes
    samples: Sequence[Sequence[np.ndarray]]
    keep_as: str | None


class DeviceMeter:
    """Measures on one device.

    Args:
        facts: of the device.
        connect: starts an agent there; called again when the link broke.
        settings: how models are measured.
        study: names what is measured together; what other studies left is left alone.
        clock: the host's.
    """

    def __init__(
        self,
        facts: DeviceFacts,
        connect: Callable[[], AgentClient],
        settings: MeasureSettings,
        study: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.device_title = facts.title
        self.device_fingerprint = facts.fingerprint
        self.settings = settings
        self.study = study
        self._serial = facts.serial
        self._connect = connect
        self._clock = clock
        self._agent: AgentClient | None = None
        self._pending: list[str] = []
        self._anchor_ms: tuple[float, float] | None = None  # when, how long
        self._anchor_path: str | None = None
        self._recovered: tuple[Measurement, ...] = ()
        self._open()

    @property
    def identity(self) -> Agent:
        """Who measures."""
        return self._identity(self._open())

    @staticmethod
    def _identity(agent: AgentClient) -> Agent:
        hello = agent.hello
        return Agent(hello.agent, wire.VERSION, hello.runtime, hello.runtime_version)

    @property
    def recovered(self) -> tuple[Measurement, ...]:
        """Results of this study that an earlier host left, by this agent and not suspect."""
        return self._recovered

    def measure(self, model: bytes) -> Measurement:
        """Measures a .tflite; suspect samples are discarded and measured again, up to 3 times.

        Raises:
            AgentError: the model is at fault: corrupt, an operator is missing, it ends the agent.
            TransientDeviceError: the device is gone, also after reconnecting.
        """
        return self.check(model, ()).measurement

    def check(
        self,
        model: bytes,
        samples: Sequence[Sequence[np.ndarray]],
        keep_as: str | None = None,
    ) -> Checked:
        """Measures a .tflite and returns its outputs for samples; see `measure`.

        Args:
            model: a .tflite.
            samples: each a list of one array for each input of the model.
            keep_as: name below the work folder under which it stays on the device.
        """
        job = _Job(model, samples, keep_as)
        attempt = 1
        while True:
            checked = self._measure_once(job, attempt)
            measurement = checked.measurement
            if not measurement.disturbed or attempt == _MAX_ATTEMPTS:
                return checked
            drop = clock_drop(measurement.before, measurement.after) or 0.0
            self._clock.sleep(_COOL_DOWN_S if drop > MAX_CLOCK_DROP else _SETTLE_S * attempt)
            self._anchor_ms = None
            attempt += 1

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Lets the device forget results of this study that are safe here."""
        jobs = [job_name(self.study, key) for key in keys]
        self._open().acknowledge(jobs, Deadline.after(10, self._clock))

    def close(self, cancel: bool = False) -> None:
        """Ends the agent; what it measured last counts as received."""
        if self._agent is None:
            return
        if self._pending and not cancel:
            with contextlib.suppress(TransientDeviceError, AgentError):
                self._agent.acknowledge(self._pending, Deadline.after(2, self._clock))
        self._agent.close(cancel)
        self._agent = None

    def _measure_once(self, job: _Job, attempt: int) -> Checked:
        anchors = [self._anchor(fresh_enough_s=_ANCHOR_FRESH_S)]
        result = self._request(job)
        anchors.append(self._anchor())
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
        return Checked(measurement, outputs_of(result, self._serial))

    def _request(self, job: _Job) -> AgentResult:
        digest = hashlib.sha256(job.model).hexdigest()
        key = measurement_key(digest, self.device_fingerprint, self.settings)
        name = job_name(self.study, key)
        inputs = [[to_message(array) for array in sample] for sample in job.samples]
        options: Message = {"inputs": inputs} if inputs else {}
        if job.keep_as:
            options["keep"] = True

        def ask(agent: AgentClient, deadline: Deadline) -> AgentResult:
            if self._pending:
                agent.acknowledge(self._pending, deadline)
                self._pending = []
            remote = agent.push_model(job.model, deadline, job.keep_as)
            with ending_the_overdue(agent, self._serial):
                return agent.measure(remote, name, self.settings, deadline, options)

        result = self._with_reconnects(ask, None if inputs else name, len(inputs))
        if (result.model_sha256, result.model_bytes) != (digest, len(job.model)):
            raise TransientDeviceError(
                f"{self._serial}: the model arrived damaged on the device; check the cable."
            )
        self._pending.append(name)
        return result

    def _with_reconnects(
        self,
        ask: Callable[[AgentClient, Deadline], AgentResult],
        job: str | None,
        samples: int = 0,
    ) -> AgentResult:
        failure: TransientDeviceError | None = None
        for _ in range(_MAX_RECONNECTS + 1):
            try:
                agent = self._open() if failure is None else self._reopen(failure)
                waiting = self._found_in_spool(job) if failure and job else None
                if waiting is not None:
                    return waiting
                return ask(agent, Deadline.after(self._limit_s(samples), self._clock))
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
        raise unsurvived(self._serial, _MAX_RECONNECTS + 1, failure) from failure

    def _limit_s(self, samples: int) -> float:
        """How long a job may take before the agent counts as hung."""
        settings = self.settings
        a_launch = 3 * _SLOWEST_INFERENCE_S + 2 * settings.max_ms / 1000
        return _START_S + settings.launches * a_launch + samples * _SLOWEST_INFERENCE_S

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

    def _found_in_spool(self, job: str) -> AgentResult | None:
        found = self._open().fetch(job, Deadline.after(30, self._clock))
        return found if found and found.settings == self.settings else None

    def _open(self) -> AgentClient:
        if self._agent is None:
            self._agent = self._connect()
            self._anchor_ms, self._anchor_path = None, None
            if self._agent.hello.spooled and not self._recovered:
                self._recovered = tuple(self._sound_leftovers(self._agent))
        return self._agent

    def _sound_leftovers(self, agent: AgentClient) -> Iterator[Measurement]:
        """What this study left and can be taken for a measurement of now; its rest is dropped.

        Dropped are results of another runtime or version, of the device before an update, and
        suspect ones, which would have been measured again.
        """
        deadline = Deadline.after(60, self._clock)
        identity = self._identity(agent)
        dropped = []
        for job in agent.spooled(deadline):
            if not job.startswith(job_name(self.study, "")):
                continue
            result = agent.fetch(job, deadline)
            found = self._measurement(result) if result else None
            quiet = found and not disturbances(found.before, found.after, found.launches, None)
            is_of_now = found and (found.agent, job_name(self.study, found.key)) == (identity, job)
            if found and quiet and is_of_now:
                yield found
            else:
                dropped.append(job)
        if dropped:
            agent.acknowledge(dropped, deadline)

    def _drop(self) -> None:
        if self._agent is not None:
            self._agent.close(cancel=True)
            self._agent = None

    def _anchor(self, fresh_enough_s: float = 0.0) -> float:
        """The anchor's median in ms, measured now or less than so many seconds ago."""
        if self._anchor_ms and self._clock.now() - self._anchor_ms[0] < fresh_enough_s:
            return self._anchor_ms[1]
        settings = replace(
            self.settings, launches=1, warmup_min_runs=2, warmup_min_ms=1.0,
            min_runs=9, max_runs=200, min_ms=_ANCHOR_MS, max_ms=_ANCHOR_MS * 20, ci_relative=0.05,
            input_ranges=(), input_shapes=(), input_file=None,
        )  # fmt: skip

        def ask(agent: AgentClient, deadline: Deadline) -> AgentResult:
            if self._anchor_path is None:
                self._anchor_path = agent.push_model(anchor_model(), deadline)
            options = {"keep": True, "spool": False}
            with ending_the_overdue(agent, self._serial):
                return agent.measure(self._anchor_path, "anchor", settings, deadline, options)

        with blaming_the_runtime(self._serial):
            result = self._with_reconnects(ask, None)
        runs = [ns / 1e6 for launch in result.launches for ns in launch.runs_ns]
        self._anchor_ms = (self._clock.now(), summarise(runs).median)
        return self._anchor_ms[1]

    def _measurement(self, result: AgentResult) -> Measurement:
        return result.measurement(self.device_fingerprint, self.device_title)


@contextlib.contextmanager
def open_meter(
    transport: Transport,
    deadline: Deadline,
    settings: MeasureSettings | None = None,
    facts: DeviceFacts | None = None,
    study: str | None = None,
    note: Note | None = None,
) -> Iterator[DeviceMeter]:
    """A meter for a device; the agent is started, and ended at the end.

    Args:
        transport: to the device.
        deadline: for getting ready.
        settings: how models are measured; None for the defaults.
        facts: of the device, if they are known already.
        study: whose results these are; None for a fresh one, which takes nothing up again.
        note: is told of long waits.

    Raises:
        StableDeviceError: no Python or no runtime there; the message says what to do.
    """
    known = facts or gather_facts(transport, deadline)[0]
    board = require_python(transport, deadline)
    watch = Watch(note) if note else Watch()

    def connect() -> AgentClient:
        start_by = Deadline.after(_START_S)
        select([transport.serial], start_by)  # connects a network device again that went offline
        return AgentClient.start(transport, board.executable, board.python_path, start_by, watch)

    meter = DeviceMeter(known, connect, settings or MeasureSettings(), study or new_study())
    try:
        yield meter
    except BaseException:
        meter.close(cancel=True)  # what was measured last stays in the device's spool
        raise
    else:
        meter.close()
