"""What an agent may answer: typed and bounded. Anything else is one clear error."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Delegate,
    FedInput,
    Launch,
    Measurement,
    Memory,
)
from adadeep.core.reader import convert, read_json, require_finite
from adadeep.devices.parse.conditions import conditions_of
from adadeep_agent import wire

_Count = Annotated[int, Meta(ge=0, le=1 << 31)]
_Text = Annotated[str, Meta(max_length=2000)]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._+-]{1,80}$")]
_Tensors = tuple[dict[str, Any], ...]
_Path = Annotated[str, Meta(max_length=1000)]
_Content = Annotated[str, Meta(max_length=wire.MAX_TEXT_BYTES)]


class HelloReply(msgspec.Struct, frozen=True, tag="hello"):
    """The agent is ready. `spooled`: results that wait on the device, of any study."""

    protocol: _Count
    version: _Text
    agent: _Name
    runtime: _Name
    runtime_version: _Name
    pid: _Count
    spooled: _Count


class Reading(msgspec.Struct, frozen=True):
    """What files of the device held at one moment.

    Attributes:
        timestamp: seconds since 1970, by the device's clock.
        texts: by path; None for a file that could not be read.
    """

    timestamp: float
    texts: Annotated[dict[_Path, _Content | None], Meta(max_length=wire.MAX_TEXTS)]

    def __post_init__(self) -> None:
        require_finite("a timestamp", self.timestamp)
        if sum(map(len, filter(None, self.texts.values()))) > wire.MAX_TEXTS_BYTES:
            raise ValueError(f"its texts have more than {wire.MAX_TEXTS_BYTES} bytes")


class AgentResult(msgspec.Struct, frozen=True):
    """What measuring a model gave; the fields are those of `Measurement`.

    Attributes:
        job: as asked.
        before: the device's state before the first load, as text.
        after: after the last run.
        outputs: a list of tensors for each sample.
    """

    job: _Text
    model_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    model_bytes: Annotated[int, Meta(ge=1, le=1 << 40)]
    agent: Agent
    settings: MeasureSettings
    launches: Annotated[tuple[Launch, ...], Meta(min_length=1, max_length=100)]
    delegates: tuple[Delegate, ...]
    memory: Memory
    before: Reading
    after: Reading
    inputs: Annotated[tuple[FedInput, ...], Meta(max_length=1000)]
    outputs: tuple[_Tensors, ...] = ()

    def measurement(self, device_fingerprint: str, device_title: str) -> Measurement:
        """It as a measurement of a device."""
        return Measurement(
            model_sha256=self.model_sha256,
            model_bytes=self.model_bytes,
            device_fingerprint=device_fingerprint,
            device_title=device_title,
            agent=self.agent,
            settings=self.settings,
            launches=self.launches,
            delegates=self.delegates,
            memory=self.memory,
            before=conditions_of(self.before.timestamp, self.before.texts),
            after=conditions_of(self.after.timestamp, self.after.texts),
            inputs=self.inputs,
        )


class ResultsReply(msgspec.Struct, frozen=True, tag="results"):
    """A job is done: a result for each model, in the order in which they were asked for."""

    id: _Count
    results: Annotated[tuple[AgentResult, ...], Meta(min_length=1, max_length=wire.MAX_MODELS)]


class ReadingReply(Reading, frozen=True, tag="reading", kw_only=True):
    """What was to be read."""

    id: _Count


class SpoolReply(msgspec.Struct, frozen=True, tag="spool"):
    """The jobs whose results wait."""

    id: _Count
    jobs: tuple[_Text, ...]


class SpooledReply(msgspec.Struct, frozen=True, tag="spooled"):
    """One result that waited, not yet checked; None if it is not there."""

    id: _Count
    result: dict[str, Any] | None


class DoneReply(msgspec.Struct, frozen=True, tag="done"):
    """A request was carried out."""

    id: _Count


class ErrorReply(msgspec.Struct, frozen=True, tag="error"):
    """A request was not carried out; `id` is None where the line was no request."""

    id: _Count | None
    code: str
    message: str


Reply = (
    HelloReply | ResultsReply | ReadingReply | SpoolReply | SpooledReply | DoneReply | ErrorReply
)


def decode_reply(line: bytes, source: str) -> Reply:
    """A line from an agent, checked.

    Raises:
        FormatError: it is no reply of this protocol.
    """
    return cast("Reply", read_json(line, cast("type[Any]", Reply), source))


def spooled_result(result: dict[str, Any], source: str) -> AgentResult:
    """What waited on a device, checked.

    Raises:
        FormatError: it is no result of this protocol.
    """
    return convert(result, AgentResult, source)
