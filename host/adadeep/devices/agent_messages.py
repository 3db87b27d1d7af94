"""What an agent may answer: typed and bounded. Anything else is one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Block,
    Delegate,
    FedInput,
    Measurement,
    Memory,
    Placement,
)
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.reader import convert, read_json, require_finite, require_range
from adadeep.core.session import Ended, MeasuredTogether
from adadeep.devices.parse.block_texts import block_facts
from adadeep.devices.reading import Reading
from adadeep_agent import wire

_Count = Annotated[int, Meta(ge=0, le=1 << 31)]
_Text = Annotated[str, Meta(max_length=2000)]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._+-]{1,80}$")]
_Tensors = tuple[dict[str, Any], ...]
_Path = Annotated[str, Meta(max_length=1000)]
Placed = tuple[Placement, ...]  # a placement of each model of a session


class ClockQuality(msgspec.Struct, frozen=True):
    """Of the clock that times runs.

    Attributes:
        resolution_ns: the smallest step that it was seen to take.
        cost_ns: what reading it costs.
    """

    resolution_ns: Annotated[int, Meta(ge=1, le=1 << 40)]
    cost_ns: Annotated[int, Meta(ge=1, le=1 << 40)]


class HelloReply(msgspec.Struct, frozen=True, tag="hello"):
    """The agent is ready.

    Attributes:
        protocol: that it speaks.
        version: of adadeep.
        agent: its kind.
        runtime: the TFLite runtime it found.
        runtime_version: of it.
        pid: of its process.
        spooled: sessions that wait on the device, of any study.
        clock: how well it can time runs.
        memory_available_bytes: None where the kernel does not tell.
        abi: the kind of code that runs in it, by Android's names; None if it has none.
        features: what not every agent can do.
    """

    protocol: _Count
    version: _Text
    agent: _Name
    runtime: _Name
    runtime_version: _Name
    pid: _Count
    spooled: _Count
    clock: ClockQuality
    memory_available_bytes: Annotated[int, Meta(ge=0, le=1 << 50)] | None
    abi: _Name | None
    features: Annotated[tuple[_Name, ...], Meta(max_length=100)]


class ModelResult(msgspec.Struct, frozen=True):
    """What a session told of one of its models, beside its times.

    Attributes:
        name: as asked.
        model_sha256: of its file.
        model_bytes: of it.
        delegates: who ran the nodes.
        inputs: what it was fed.
        outputs: a list of tensors for each sample.
    """

    name: Annotated[str, Meta(max_length=wire.MAX_NAME)]
    model_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    model_bytes: Annotated[int, Meta(ge=1, le=1 << 40)]
    delegates: Annotated[tuple[Delegate, ...], Meta(max_length=1000)]
    inputs: Annotated[tuple[FedInput, ...], Meta(max_length=1000)]
    outputs: tuple[_Tensors, ...] = ()


_BlockText = Annotated[str, Meta(max_length=wire.MAX_BLOCK_TEXT)]
_BlockTexts = Annotated[tuple[_BlockText | None, ...], Meta(max_length=wire.MAX_BLOCK_PATHS)]


class BlockReply(msgspec.Struct, frozen=True):
    """A block as an agent tells it; the fields are those of `Block`, and the texts around it."""

    round: int
    start_ns: int
    boot_ns: int | None
    group: int
    times_ns: tuple[int, ...]
    dropped_ns: int | None
    cpu_ns: int | None
    core: int | None
    texts: tuple[_BlockTexts, _BlockTexts]

    def block(self, read_block: Sequence[str]) -> Block:
        """It as a block; ValueError where a number can't be.

        Args:
            read_block: what the texts are of.
        """
        before, after = (dict(zip(read_block, side, strict=True)) for side in self.texts)
        facts = block_facts(before, after)
        return Block(
            round=self.round,
            start_ns=self.start_ns,
            group=self.group,
            times_ns=self.times_ns,
            dropped_ns=self.dropped_ns,
            boot_ns=self.boot_ns,
            cpu_ns=self.cpu_ns,
            delay_ns=facts.delay_ns,
            switches=facts.switches,
            core=self.core,
            khz=facts.khz,
        )


class PlacedReply(msgspec.Struct, frozen=True):
    """A model in a placement."""

    load_ns: int
    first_ns: int
    cold_ns: tuple[int, ...]
    blocks: Annotated[tuple[BlockReply, ...], Meta(min_length=1)]


class PartBody(msgspec.Struct, frozen=True, kw_only=True):
    """A placement that is done, with all models in the order in which they were asked for."""

    placement: Annotated[int, Meta(ge=0, le=1000)]
    models: Annotated[tuple[PlacedReply, ...], Meta(min_length=1, max_length=wire.MAX_MODELS)]

    def __post_init__(self) -> None:
        rounds = {tuple(block.round for block in model.blocks) for model in self.models}
        if rounds != {tuple(range(len(self.models[0].blocks)))}:
            raise ValueError("its models don't have the same rounds")

    def placements(self, read_block: Sequence[str]) -> Placed:
        """It as a placement of each model; ValueError where a number can't be."""
        return tuple(
            Placement(
                number=self.placement,
                launch=0,
                load_ns=model.load_ns,
                first_ns=model.first_ns,
                blocks=tuple(block.block(read_block) for block in model.blocks),
                cold_ns=model.cold_ns,
            )
            for model in self.models
        )


class ResultBody(msgspec.Struct, frozen=True, kw_only=True):
    """A session is done; see `AgentSession`."""

    job: _Text
    agent: Agent
    settings: MeasureSettings
    plan: MeasuringPlan
    read_block: Annotated[tuple[_Path, ...], Meta(max_length=wire.MAX_BLOCK_PATHS)]
    models: Annotated[tuple[ModelResult, ...], Meta(min_length=1, max_length=wire.MAX_MODELS)]
    memory: Memory
    before: Reading
    after: Reading
    ended: Literal["narrow", "placements", "time"]
    parts: Annotated[int, Meta(ge=1, le=1000)]


class AgentSession(msgspec.Struct, frozen=True):
    """What an agent measured in one request.

    Attributes:
        result: what it said at the end.
        placements: of each model, in the order in which they were asked for.
    """

    result: ResultBody
    placements: tuple[tuple[Placement, ...], ...]

    @classmethod
    def of(cls, result: ResultBody, parts: Sequence[Placed]) -> AgentSession:
        """A session of what an agent said, a part being a placement of each model.

        Raises:
            ValueError: it does not fit together.
        """
        require_range("the number of placements", len(parts), len(parts), result.parts)
        for number, part in enumerate(parts):
            if part[0].number != number or len(part) != len(result.models):
                raise ValueError(f"its placement {number} is another, or of other models")
        return cls(result, tuple(zip(*parts, strict=True)))

    @property
    def job(self) -> str:
        """As asked."""
        return self.result.job

    @property
    def agent(self) -> Agent:
        """Who measured."""
        return self.result.agent

    @property
    def settings(self) -> MeasureSettings:
        """As asked."""
        return self.result.settings

    @property
    def plan(self) -> MeasuringPlan:
        """As asked."""
        return self.result.plan

    @property
    def models(self) -> tuple[ModelResult, ...]:
        """Beside their times; outputs are here."""
        return self.result.models

    @property
    def ended(self) -> Ended:
        """Why it ended."""
        return Ended[self.result.ended.upper()]

    def together(self, device_fingerprint: str, device_title: str) -> MeasuredTogether:
        """It as a session on a device; its id is the end of the job's name.

        Raises:
            ValueError: the job's name does not end with a session's id.
        """
        result, session = self.result, self.job.rpartition("-")[2]
        before, after = result.before.conditions, result.after.conditions
        measurements = tuple(
            Measurement(
                model_sha256=model.model_sha256,
                model_bytes=model.model_bytes,
                device_fingerprint=device_fingerprint,
                device_title=device_title,
                agent=result.agent,
                settings=result.settings,
                placements=placements,
                delegates=model.delegates,
                memory=result.memory,
                before=before,
                after=after,
                session=session,
                inputs=model.inputs,
            )
            for model, placements in zip(result.models, self.placements, strict=True)
        )
        return MeasuredTogether(session, result.plan, measurements, self.ended)


class ProgressReply(msgspec.Struct, frozen=True, tag="progress"):
    """A session goes on.

    Attributes:
        id: of the request.
        placement: that is under way, from 0.
        placements: at most.
        elapsed_ms: since the first load.
        half_width: of the widest interval that the stop rule looks at; None before there is one.
    """

    id: _Count
    placement: _Count
    placements: _Count
    elapsed_ms: float
    half_width: float | None

    def __post_init__(self) -> None:
        require_finite("elapsed_ms", self.elapsed_ms, self.half_width)


class PartReply(PartBody, frozen=True, tag="part", kw_only=True):
    """A placement is done."""

    id: _Count


class ResultReply(ResultBody, frozen=True, tag="result", kw_only=True):
    """A session is done."""

    id: _Count


class ReadingReply(Reading, frozen=True, tag="reading", kw_only=True):
    """What was to be read."""

    id: _Count


class SpoolReply(msgspec.Struct, frozen=True, tag="spool"):
    """The jobs whose sessions wait."""

    id: _Count
    jobs: tuple[_Text, ...]


class SpooledPartReply(msgspec.Struct, frozen=True, tag="spooled_part"):
    """A placement of a session that waited, not yet checked."""

    id: _Count
    part: dict[str, Any]


class SpooledReply(msgspec.Struct, frozen=True, tag="spooled"):
    """The result of a session that waited, not yet checked; None if it is not there."""

    id: _Count
    result: dict[str, Any] | None


class DoneReply(msgspec.Struct, frozen=True, tag="done"):
    """A request was carried out."""

    id: _Count


class ErrorReply(msgspec.Struct, frozen=True, tag="error"):
    """A request was not carried out.

    `id` is None where the line was no request; `model` is the name of the one that is at fault.
    """

    id: _Count | None
    code: str
    message: str
    model: str | None


Reply = (
    HelloReply
    | ProgressReply
    | PartReply
    | ResultReply
    | ReadingReply
    | SpoolReply
    | SpooledPartReply
    | SpooledReply
    | DoneReply
    | ErrorReply
)


def decode_reply(line: bytes, source: str) -> Reply:
    """A line from an agent, checked.

    Raises:
        FormatError: it is no reply of this protocol.
    """
    return cast("Reply", read_json(line, cast("type[Any]", Reply), source))


def spooled_session(
    result: dict[str, Any], parts: Sequence[dict[str, Any]], source: str
) -> AgentSession:
    """What waited on a device, checked.

    Raises:
        FormatError: it is no session of this protocol.
        ValueError: it does not fit together, or a number can't be.
    """
    told = convert(result, ResultBody, source)
    placed = [convert(part, PartBody, source).placements(told.read_block) for part in parts]
    return AgentSession.of(told, placed)
