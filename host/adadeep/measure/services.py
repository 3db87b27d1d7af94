"""What Android's services say of a device's state, asked for no oftener than it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from adadeep.core.clock import Clock
from adadeep.devices.agent_messages import AgentSession
from adadeep.devices.parse.conditions import CONDITION_COMMANDS

EVERY_S = 10.0  # each answer costs the device a process; charge, screen and heat change slowly


class Services:
    """Of one device.

    Args:
        has_any: whether it is an Android.
        clock: the host's.
    """

    def __init__(self, has_any: bool, clock: Clock) -> None:
        self.commands: Sequence[str] = CONDITION_COMMANDS if has_any else ()
        self._clock = clock
        self._asked_s: float | None = None
        self._said: Mapping[str, str | None] = {}

    def due(self) -> Sequence[str]:
        """What the next session is to ask: nothing within ten seconds of the last answer."""
        now = self._clock.now()
        if self._asked_s is not None and now - self._asked_s < EVERY_S:
            return ()
        self._asked_s = now
        return self.commands

    def completed(self, session: AgentSession) -> AgentSession:
        """The session; one that did not ask has the last answer, which is seconds old."""
        told = session.result
        if told.after.commands:
            self._said = told.after.commands
        elif self._said:
            before, after = (
                msgspec.structs.replace(side, commands=dict(self._said))
                for side in (told.before, told.after)
            )
            told = msgspec.structs.replace(told, before=before, after=after)
        return msgspec.structs.replace(session, result=told)
