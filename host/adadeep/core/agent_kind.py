"""AgentKind: a way to have models measured on a device by a program of ours there.

The host asks `fits` of every kind, has the one of the highest priority `prepare` the device, and
then starts its agent by `open`, again whenever the link broke. With the agent it speaks the wire
protocol; of what it is written in it knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adadeep.core.check import Check
from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport

# What a start may say, a line each, before the agent's own first message: its process id; or that
# the device lacks the agent's files, or has damaged ones, with which the start ends. Behind the
# latter may come a colon and what is lacking beside the agent itself: "library x86".
PROCESS_LINE = b"adadeep: the agent is process "
MISSING_LINE = b"adadeep: the agent is not here"


def _never(_: str) -> bool:
    return False


def _nobody(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Preparing:
    """How far a kind may go when it prepares a device, and who is told.

    Attributes:
        may_provide: asked with what is missing before something is installed there.
        tell: is told each step that takes time.
        runtime: an archive (AAR) whose runtime is to be taken; None for the kind's own.
    """

    may_provide: Callable[[str], bool] = _never
    tell: Callable[[str], None] = _nobody
    runtime: Path | None = None


class ReadyAgent(Protocol):
    """An agent that can be started on one device, as often as need be."""

    @property
    def transport(self) -> Transport:
        """To the device."""
        ...

    @property
    def remedies(self) -> Mapping[str, str]:
        """Of its kind."""
        ...

    def open(self, deadline: Deadline) -> Stream:
        """Starts it; its command line ends with `serve` and the work folder.

        May say `PROCESS_LINE` or `MISSING_LINE` first.

        Raises:
            DeviceError: the device can't be reached, or starts nothing.
        """
        ...

    def push(self, deadline: Deadline, lacking: str = "") -> None:
        """Puts its own files on the device; called where a start said that they are missing.

        Args:
            deadline: for all of it.
            lacking: what the start said behind `MISSING_LINE`; foreign text. Empty for the agent.

        Raises:
            DeviceError: the device can't be reached, takes no files, or wants what there is not.
            ConfigError: what the user gave for it will not do.
        """
        ...

    def leave(self, deadline: Deadline) -> None:
        """Takes back what `prepare` changed on the device; called when the last agent has ended.

        Raises:
            DeviceError: the device can't be reached.
        """
        ...


class AgentKind(Protocol):
    """One kind of agent; holds nothing of a device."""

    @property
    def name(self) -> str:
        """In the registry, in targets, in its own hello: "linux-python"."""
        ...

    @property
    def title(self) -> str:
        """For people: "the Python agent"."""
        ...

    @property
    def priority(self) -> int:
        """Of the kinds that fit a device the one with the highest is taken."""
        ...

    @property
    def remedies(self) -> Mapping[str, str]:
        """Error code -> what to do, a sentence; goes before what the host says of the code.

        "{serial}" stands for the device's serial as a shell takes it.
        """
        ...

    def fits(self, facts: DeviceFacts, capabilities: Sequence[Capability]) -> str | None:
        """None if it may run on such a device, else why not and what to do: whole sentences.

        Pure: what only a look at the device can tell, `prepare` finds out.
        """
        ...

    def prepare(
        self, transport: Transport, deadline: Deadline, preparing: Preparing
    ) -> ReadyAgent:
        """Sees to all that must be on the device but the agent's own files.

        Args:
            transport: to a device that it fits.
            deadline: for all but what is provided, which takes the time that it takes.
            preparing: what it may do.

        Raises:
            NoAgentError: something is missing; says what to do.
            ConfigError: what the user gave, such as a runtime, will not do.
            DeviceError: the device can't be reached.
        """
        ...

    def examine(self, transport: Transport, deadline: Deadline) -> list[Check]:
        """Checks what the device must have, for `adadeep doctor`; starts no agent.

        Raises:
            DeviceError: the device can't be reached.
        """
        ...
