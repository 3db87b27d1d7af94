"""The link to one warm agent: started again when it breaks, the spool asked before all else."""

from __future__ import annotations

from collections.abc import Callable

from adadeep.core.clock import Clock, Deadline
from adadeep.core.errors import AgentError, DeviceError, ProcessEnded, TransientDeviceError
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_messages import AgentSession
from adadeep.measure.faults import OVERDUE, unsurvived
from adadeep_agent.wire import ErrorCode

_MAX_RECONNECTS = 2
_MOST_CRASHES = 2  # once may have been chance; and a crash leaves its traces on the device
_REPLUG_S = 15.0
_FETCH_S = 60.0

# The device slept or its clock was set: that is over, and the same request may well succeed.
_OF_THE_MOMENT = (ErrorCode.SLEPT, ErrorCode.CLOCK_JUMPED)
# Somebody tidied up, or the link damaged it: push it again.
_NOT_THERE = (ErrorCode.MODEL_MISSING, ErrorCode.MODEL_DAMAGED)

Ask = Callable[[AgentClient, Deadline], AgentSession]


class _DeviceGone(TransientDeviceError):
    """The device did not come back; no more tries."""


class AgentLink:
    """Has requests answered by an agent that may have to be started again meanwhile.

    Args:
        serial: of the device, for messages.
        connect: starts an agent there.
        clock: the host's.
        begun: is told of an agent on whose device no file is known to lie: it is another one, or
            misses what it had.
    """

    def __init__(
        self,
        serial: str,
        connect: Callable[[], AgentClient],
        clock: Clock,
        begun: Callable[[AgentClient], None],
    ) -> None:
        self._serial = serial
        self._connect = connect
        self._clock = clock
        self._begun = begun
        self._client: AgentClient | None = None

    @property
    def is_open(self) -> bool:
        """Whether an agent runs."""
        return self._client is not None

    def open(self) -> AgentClient:
        """The agent, started if need be."""
        if self._client is None:
            self._client = self._connect()
            self._begun(self._client)
        return self._client

    def drop(self, cancel: bool = True) -> None:
        """Ends the agent; the next request starts another."""
        if self._client is not None:
            client, self._client = self._client, None
            client.close(cancel)

    def ask(
        self, ask: Ask, limit_s: float, job: str, is_it: Callable[[AgentSession], bool]
    ) -> AgentSession:
        """The answer to a request, over as many agents as it takes, within reason.

        Args:
            ask: makes the request.
            limit_s: how long it may take before the agent counts as hung.
            job: under which the answer may wait in the spool after a break; empty if it can't.
            is_it: whether what waits there is the answer.

        Raises:
            AgentError: a model is at fault, or the request.
            TransientDeviceError: the device is gone.
        """
        failure: DeviceError | None = None
        tries = crashes = 0
        while tries <= _MAX_RECONNECTS and crashes < _MOST_CRASHES:
            tries += 1
            try:
                agent = self.open() if failure is None else self._reopen(failure)
                waiting = self._waiting(job) if failure and job else None
                if waiting is not None and is_it(waiting):
                    return waiting
                return ask(agent, Deadline.after(limit_s, self._clock))
            except _DeviceGone:
                raise
            except AgentError as error:
                self._require_worth_another_try(error)
                failure = error
            except TransientDeviceError as error:
                self.drop()
                failure = error
                crashes += isinstance(error, ProcessEnded) and error.crashed
        if isinstance(failure, AgentError):
            raise failure
        self._reopen(failure)  # raises if it is the device that is gone
        raise unsurvived(self._serial, tries, failure) from failure

    def _require_worth_another_try(self, error: AgentError) -> None:
        """Raises the error where the same request would end the same way."""
        if error.code == OVERDUE:
            self.drop()
            self._reopen(error)  # which tidies up after the one that was ended
        if error.code in _NOT_THERE:
            self._begun(self.open())
        elif error.code not in _OF_THE_MOMENT:
            raise error

    def _waiting(self, job: str) -> AgentSession | None:
        return self.open().fetch(job, Deadline.after(_FETCH_S, self._clock))

    def _reopen(self, failure: Exception | None) -> AgentClient:
        """Starts an agent again, waiting a while for a device that is being plugged in again."""
        patience = Deadline.after(_REPLUG_S, self._clock)
        while True:
            try:
                return self.open()
            except DeviceError as error:
                if patience.expired:
                    raise _DeviceGone(
                        f"{failure or error} It did not come back within {_REPLUG_S:.0f} s."
                    ) from error
            self._clock.sleep(0.5)
