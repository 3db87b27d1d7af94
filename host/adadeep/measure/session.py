"""A meter on a device: the agent is chosen, got ready, started, and ended at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from adadeep.core.agent_kind import Preparing, ReadyAgent
from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.errors import DeviceError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import new_study
from adadeep.core.noise import PRIOR, NoiseModel
from adadeep.core.transport import Transport
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.choice import choose_kind
from adadeep.devices.agent_watch import Watch
from adadeep.devices.discovery import select
from adadeep.devices.facts import gather_facts
from adadeep.measure.meter import DeviceMeter
from adadeep.measure.session_log import SessionLog
from adadeep.profiles import uses

_START_S = 90.0
_LEAVE_S = 10.0


@dataclass(frozen=True, slots=True)
class MeterOptions:
    """What may be said of a meter beside its settings.

    Attributes:
        agent: name of the kind that measures; None for the one that suits the device best.
        known: facts and capabilities of the device, if they were gathered already.
        study: whose results these are; None for a fresh one, which takes nothing up again.
        preparing: how far the device may be prepared, and who is told.
        watch: how patient with a silent agent, and who is told of long waits.
        log: how the device's profile is told at the end what was done; None: it is not.
        noise: how much the device strays; None for what its profile says, or what is true of most
            devices.
    """

    agent: str | None = None
    known: tuple[DeviceFacts, Sequence[Capability]] | None = None
    study: str | None = None
    preparing: Preparing = field(default_factory=Preparing)
    watch: Watch = field(default_factory=Watch)
    log: SessionLog | None = None
    noise: NoiseModel | None = None


@contextlib.contextmanager
def open_meter(
    transport: Transport,
    deadline: Deadline,
    settings: MeasureSettings | None = None,
    options: MeterOptions | None = None,
) -> Iterator[DeviceMeter]:
    """A meter for a device; the agent is started, and ended at the end.

    Args:
        transport: to the device.
        deadline: for getting ready.
        settings: how models are measured; None for the defaults.
        options: whatever else.

    Raises:
        NoAgentError: no agent can run there as it is; the message says what to do.
        DeviceError: the device can't be reached, or the agent that is named does not fit.
        ConfigError: no agent is called so.
    """
    wish = options or MeterOptions()
    facts, capabilities = wish.known or gather_facts(transport, deadline)
    kind = choose_kind(facts, capabilities, wish.agent)
    ready = kind.prepare(transport, deadline, wish.preparing)

    def connect() -> AgentClient:
        start_by = Deadline.after(_START_S)
        select([transport.serial], start_by)  # connects a network device again that went offline
        return AgentClient.start(ready, start_by, wish.watch)

    with _left_in_the_end(ready):
        noise = wish.noise or uses.noise_of(facts) or PRIOR
        if noise.core_kinds != facts.core_kinds:
            noise = replace(noise, core_kinds=facts.core_kinds)
        settings = settings or MeasureSettings()
        meter = DeviceMeter(facts, connect, settings, wish.study or new_study(), noise)
        try:
            yield meter
        except BaseException:
            meter.close(cancel=True)  # what was measured last stays in the device's spool
            raise
        else:
            meter.close()
        finally:
            if wish.log is not None:
                wish.log.write(facts, meter.study, meter.tally)


@contextlib.contextmanager
def _left_in_the_end(ready: ReadyAgent) -> Iterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(DeviceError):
            ready.leave(Deadline.after(_LEAVE_S))
