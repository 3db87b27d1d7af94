"""What an agent is asked to measure, and how its answer, which comes in parts, is put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.agent_messages import (
    AgentSession,
    ClockQuality,
    HelloReply,
    PartReply,
    Placed,
    ProgressReply,
    Reply,
    ResultReply,
    SpooledPartReply,
    SpooledReply,
    spooled_session,
)
from adadeep_agent.wire import Message

# One every two seconds for hours; an agent that says more has nothing to say.
_MOST_PROGRESS = 4_000
_MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class AgentHello:
    """What an agent says of itself.

    Attributes:
        agent: "linux-python", "android-java".
        runtime: the TFLite runtime it found.
        runtime_version: of it.
        spooled: sessions that wait on the device.
        clock: how well it can time runs.
        memory_available_bytes: None where the kernel does not tell.
        features: what it can do beside the least: "cold", "commands", "group", "read_block".
        abi: the kind of code that runs in it, by Android's names; None if it does not say.
    """

    agent: str
    runtime: str
    runtime_version: str
    spooled: int
    clock: ClockQuality
    memory_available_bytes: int | None
    features: frozenset[str]
    abi: str | None = None


def hello_of(reply: HelloReply) -> AgentHello:
    """What is kept of a greeting."""
    return AgentHello(
        reply.agent,
        reply.runtime,
        reply.runtime_version,
        reply.spooled,
        reply.clock,
        reply.memory_available_bytes,
        frozenset(reply.features),
        reply.abi,
    )


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model on the device that is to be measured.

    Attributes:
        name: short, for errors.
        path: from `push_model`; the agent deletes it afterwards unless it is to be kept.
        sha256: of the file; the agent compares it.
        inputs: samples, each a list of tensors of a message; the outputs are wanted of each.
        keep: the file stays.
        block_ms: of this model, in place of the plan's.
    """

    name: str
    path: str
    sha256: str
    inputs: Sequence[Sequence[Message]] = ()
    keep: bool = False
    block_ms: float | None = None

    @property
    def message(self) -> Message:
        """As a request has it."""
        message: Message = {"name": self.name, "path": self.path, "sha256": self.sha256}
        if self.inputs:
            message["inputs"] = [list(sample) for sample in self.inputs]
        if self.block_ms is not None:
            message["block_ms"] = self.block_ms
        return {**message, "keep": True} if self.keep else message


class Around(TypedDict, total=False):
    """What may be said of a session beside models, settings and plan.

    Attributes:
        read: patterns of the files whose texts are wanted of before and after.
        commands: of `wire.COMMANDS`, whose outputs are wanted of before and after.
        read_block: paths that are read around each block.
        spool: whether somebody may want it back; true unless said.
        on_progress: told every two seconds how far it is.
    """

    read: Sequence[str]
    commands: Sequence[str]
    read_block: Sequence[str]
    spool: bool
    on_progress: Callable[[ProgressReply], None] | None


@dataclass(slots=True)
class Awaited:
    """A session that is being measured: takes what comes before its result.

    Attributes:
        on_progress: is told of progress.
        plan: as asked.
        read_block: paths around a block, as asked.
    """

    on_progress: Callable[[ProgressReply], None] | None
    plan: MeasuringPlan
    read_block: tuple[str, ...] = ()
    _parts: list[Placed] = field(default_factory=list)
    _told: int = 0

    def take(self, reply: Reply) -> bool:
        """Takes a reply; false for one that has no place here.

        A part is made values of at once: the device measures meanwhile.

        Raises:
            ValueError: a number in it can't be.
        """
        if isinstance(reply, ProgressReply):
            self._told += 1
            if self.on_progress is not None:
                self.on_progress(reply)
            return self._told <= _MOST_PROGRESS
        if isinstance(reply, PartReply):
            if len(self._parts) == self.plan.placements:
                return False
            self._parts.append(reply.placements(self.read_block))
            return True
        return False

    def session(
        self,
        result: ResultReply,
        job: str,
        models: Sequence[RemoteModel],
        asked: tuple[MeasureSettings, Agent],
    ) -> AgentSession:
        """The session, if it is the one that was asked for.

        Args:
            result: that came at last.
            job: as asked.
            models: as asked.
            asked: settings as asked, and whom.

        Raises:
            ValueError: it is another, or does not fit together.
        """
        settings, agent = asked
        if (result.job, result.settings, result.plan) != (job, settings, self.plan):
            raise ValueError("its result is of another job")
        if (result.read_block, result.agent) != (self.read_block, agent):
            raise ValueError("its result is of another agent, or of other readings")
        if [(m.name, m.model_sha256) for m in result.models] != [
            (m.name, m.sha256) for m in models
        ]:
            raise ValueError("its result is of other models")
        for told, model in zip(result.models, models, strict=True):
            if len(told.outputs) != len(model.inputs):
                raise ValueError(f"{len(told.outputs)} outputs are not one for each sample")
        return AgentSession.of(result, self._parts)


@dataclass(slots=True)
class AwaitedFromSpool:
    """A session that waited on the device: takes its parts, which come before its result."""

    _parts: list[dict[str, Any]] = field(default_factory=list)

    def take(self, reply: Reply) -> bool:
        """Takes a reply; false for one that has no place here."""
        if not isinstance(reply, SpooledPartReply):
            return False
        self._parts.append(reply.part)
        return len(self._parts) <= _MOST_PARTS

    def session(self, reply: SpooledReply, job: str) -> AgentSession | None:
        """The session; None if it is not there, or another's.

        Raises:
            FormatError, ValueError: what was there is none.
        """
        if reply.result is None:
            return None
        found = spooled_session(reply.result, self._parts, job)
        return found if found.job == job else None
