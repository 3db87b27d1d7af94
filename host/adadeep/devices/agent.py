"""The host's end of an agent: starts it, speaks the wire protocol with it."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar, Unpack

from adadeep.core.agent_kind import MISSING_LINE, PROCESS_LINE, ReadyAgent
from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import (
    AgentError,
    DeadlinePassed,
    DeviceError,
    FormatError,
    ProcessEnded,
    ProtocolMismatch,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport
from adadeep.devices.agent_messages import (
    AgentSession,
    DoneReply,
    ErrorReply,
    HelloReply,
    ReadingReply,
    Reply,
    ResultReply,
    SpooledReply,
    SpoolReply,
    decode_reply,
)
from adadeep.devices.agent_requests import (
    AgentHello,
    Around,
    Awaited,
    AwaitedFromSpool,
    RemoteModel,
    hello_of,
)
from adadeep.devices.agent_watch import AgentWatcher, Watch, ending, last_words
from adadeep.devices.reading import Reading
from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode, Message

_BUSY_WAIT_S = 60.0
_STARTS = 4  # its own files may be missing, then its runtime's library, then be damaged
_LONGEST_LACKING = 80
_SEND_S = 60.0  # inputs of megabytes over a slow link
_CRASH_S, _MOST_LAST_LINES = 2.0, 200  # what a runtime may print about its own end
_GOODBYE_S = 5.0  # a job that is cancelled ends with its run, which may be a slow one
_CODES = frozenset(value for name, value in vars(ErrorCode).items() if name.isupper())
_WAITING = "the agent's answer"

__all__ = ["AgentClient", "AgentHello", "RemoteModel"]

ReplyT = TypeVar("ReplyT", bound=Reply)

# What to do whoever the agent is; those of its kind go before these.
_REMEDIES = {
    ErrorCode.MODEL_CORRUPT: "Convert the model anew.",
    ErrorCode.RUN_FAILED: "If an input holds indices, its values may be out of range: give"
    " those that it takes by --input-range LOW..HIGH, or real ones by --inputs FILE.npz.",
    ErrorCode.OPEN_SHAPE: "Name its shape, for example --input-shape 1,224,224,3 (with several"
    " inputs NAME=1,224,224,3).",
    ErrorCode.BAD_INPUT: "--input-range, --input-shape and --inputs say what a model is fed.",
    ErrorCode.UNSUPPORTED_OP: "Convert with built-in operators only.",
    ErrorCode.MODEL_DAMAGED: "Try again; if it stays so, check the cable.",
    ErrorCode.OUT_OF_MEMORY: "Close other programs on the device, or take a smaller model.",
    ErrorCode.SLEPT: "Keep the device awake, and measure again.",
    ErrorCode.CLOCK_JUMPED: "Measure again; if it stays so, take another device.",
    ErrorCode.BAD_CORE_MASK: "See `adadeep profiles show` for the cores that there are.",
    ErrorCode.INTERNAL: "This is a fault of the agent; please report it.",
}


class AgentClient:
    """A running agent. Not for two threads.

    Use `start`; then `push_model` and `measure` as often as needed; then `close`.
    """

    def __init__(self, ready: ReadyAgent, stream: Stream, watch: Watch) -> None:
        self._transport = ready.transport
        self._remedies = {**_REMEDIES, **ready.remedies}
        self._stream = stream
        self._watcher = AgentWatcher(ready.transport, stream, watch)
        self._number = 0
        self._ahead: set[int] = set()  # requests whose `done` nobody waits for
        self.hello: AgentHello

    @classmethod
    def start(
        cls, ready: ReadyAgent, deadline: Deadline, watch: Watch | None = None
    ) -> AgentClient:
        """Starts the agent on a device, its files pushed first if the device lacks them whole.

        Args:
            ready: what `AgentKind.prepare` gave.
            deadline: for all of it.
            watch: how patient with its silence, and who is told.

        Raises:
            TransientDeviceError: the link broke, or another agent keeps the device busy.
            StableDeviceError: no runtime, no room for the files.
            ProtocolMismatch: the agent is of another version.
        """
        lacking: str | None = None
        for _ in range(_STARTS):
            stream = ready.open(deadline)
            client = cls(ready, stream, watch or Watch())
            try:
                before, lacking = lacking, client._greet(deadline)
                if lacking is None:
                    return client
            except Exception:
                stream.close()
                raise
            except BaseException:  # Ctrl-C while it starts: waits until it has ended
                client.close(cancel=True)
                raise
            stream.close()
            if lacking == before:  # it has just been pushed
                break
            ready.push(deadline, lacking)
        transport = ready.transport
        what = one_line(lacking or "") or "the agent"
        raise StableDeviceError(
            f"{transport.serial}: {what} was pushed to {transport.workdir} but is not there."
            " See with `adadeep doctor` whether that folder keeps files."
        )

    def push_model(self, model: bytes, deadline: Deadline, name: str | None = None) -> str:
        """Puts a .tflite on the device and returns its path there.

        Args:
            model: the .tflite.
            deadline: for the transfer.
            name: below the work folder; None for a passing place, under its hash.
        """
        name = name or f"models/{hashlib.sha256(model).hexdigest()}.tflite"
        remote = f"{self._transport.workdir}/{name}"
        self._transport.push(model, remote, deadline)
        return remote

    def measure(
        self,
        job: str,
        models: Sequence[RemoteModel],
        settings: MeasureSettings,
        plan: MeasuringPlan,
        deadline: Deadline,
        **around: Unpack[Around],
    ) -> AgentSession:
        """Has models measured in turn: a session.

        Args:
            job: names it in the spool.
            models: that lie on the device.
            settings: how they run.
            plan: how the session goes.
            deadline: for the whole of it.
            around: what is read, whether it is spooled, who is told how far it is.

        Raises:
            AgentError: a model or the request can't be served.
            TransientDeviceError: the link broke, the agent ended, hung or answered something odd.
        """
        read_block = tuple(around.get("read_block", ()))
        request: Message = {
            "type": "measure",
            "job": job,
            "models": [model.message for model in models],
            "settings": asdict(settings),
            "plan": plan.message,
            "read": list(around.get("read", ())),
            "commands": list(around.get("commands", ())),
            "read_block": list(read_block),
            "spool": around.get("spool", True),
        }
        awaited = Awaited(around.get("on_progress"), plan, read_block)
        try:
            result = self._ask(request, ResultReply, deadline, awaited.take)
            return awaited.session(result, job, models, (settings, self.agent))
        except ValueError as error:
            raise self._odd(one_line(str(error))) from error

    @property
    def agent(self) -> Agent:
        """Who measures."""
        hello = self.hello
        return Agent(hello.agent, wire.VERSION, hello.runtime, hello.runtime_version)

    def read(
        self, patterns: Sequence[str], deadline: Deadline, commands: Sequence[str] = ()
    ) -> Reading:
        """What files of the device hold now, and what commands of `wire.COMMANDS` say."""
        request = {"type": "read", "read": list(patterns), "commands": list(commands)}
        return self._ask(request, ReadingReply, deadline)

    def spooled(self, deadline: Deadline) -> tuple[str, ...]:
        """The jobs whose sessions wait on the device, of whatever study."""
        return self._ask({"type": "spool"}, SpoolReply, deadline).jobs

    def fetch(self, job: str, deadline: Deadline) -> AgentSession | None:
        """A session that waits on the device; None if there is none that can be read."""
        awaited = AwaitedFromSpool()
        request = {"type": "fetch", "job": job}
        reply = self._ask(request, SpooledReply, deadline, awaited.take)
        try:
            return awaited.session(reply, job)
        except (FormatError, ValueError):
            return None

    def acknowledge(self, jobs: list[str], deadline: Deadline) -> None:
        """Tells the device that these sessions are safe here."""
        self._ask({"type": "ack", "jobs": jobs}, DoneReply, deadline)

    def acknowledge_ahead(self, jobs: list[str], deadline: Deadline) -> None:
        """As `acknowledge`, without waiting: the answer comes before that to the next request."""
        self._number += 1
        self._ahead.add(self._number)
        self._send({"type": "ack", "jobs": jobs, "id": self._number}, deadline)

    def close(self, cancel: bool = False) -> None:
        """Says goodbye and waits until the agent has removed the models and ended. Never raises.

        Args:
            cancel: stop the job in hand first; an agent that computes on in spite of it is killed.
        """
        deadline, has_ended = Deadline.after(_GOODBYE_S), not cancel
        try:
            if cancel:
                self._stream.write(wire.encode({"type": "cancel", "id": 0}), deadline)
            self._stream.write(wire.encode({"type": "bye"}), deadline)
            has_ended = self._wait_for_end(deadline) or has_ended
        except DeadlinePassed:
            pass  # it does not read
        except TransientDeviceError:
            has_ended = True  # or the link is gone: it tidies up by itself
        except KeyboardInterrupt:  # it goes already: a first Ctrl-C waits for that
            has_ended = False
            has_ended = self._wait_for_end(deadline)
            raise
        finally:  # also at a second Ctrl-C
            if not has_ended:
                self.end()
            self._stream.close()

    def end(self) -> bool:
        """Kills its process, which does not listen; False if the device does not answer."""
        return self._watcher.end()

    def _wait_for_end(self, deadline: Deadline) -> bool:
        """Reads to the end of the agent's output, which is its own end; False if none came."""
        try:
            while True:
                self._stream.read_line(deadline)
        except (DeadlinePassed, StableDeviceError):
            return False
        except TransientDeviceError:
            return True

    def _greet(self, deadline: Deadline) -> str | None:
        """Exchanges hello; what the device lacks, None if nothing."""
        hello: Message = {"type": "hello", "protocol": wire.PROTOCOL, "version": wire.VERSION}
        hello["wait_ms"] = int(1000 * min(_BUSY_WAIT_S, deadline.remaining / 2))
        with contextlib.suppress(TransientDeviceError):  # it may have said something and ended
            self._stream.write(wire.encode(hello), deadline)
        line = self._first_line(deadline)
        if line.startswith(PROCESS_LINE) and (pid := line[len(PROCESS_LINE) :].strip()).isdigit():
            self._watcher.pid = int(pid[:9])
            line = self._first_line(deadline)
        if (lacking := _lacking(line)) is not None:
            return lacking
        reply = self._decoded(line)
        if isinstance(reply, ErrorReply):  # with which it ends
            self._wait_for_end(deadline.sooner(_GOODBYE_S))
            raise self._refusal(reply)
        welcome = _welcome(self._transport, reply)
        self.hello = hello_of(welcome)
        self._watcher.pid = self._watcher.pid or welcome.pid
        self._watcher.greeting = False
        return None

    def _first_line(self, deadline: Deadline) -> bytes:
        try:
            return self._watcher.read_line(deadline, "the agent to start")
        except DeadlinePassed:
            raise
        except TransientDeviceError as error:
            words = f"{error} {last_words(self._transport)}".rstrip()
            check = f"`adadeep doctor -d {self._transport.serial}` checks why."
            raise TransientDeviceError(f"{words} {check}") from error

    def _ask(
        self,
        request: Message,
        kind: type[ReplyT],
        deadline: Deadline,
        on_the_way: Callable[[Reply], bool] = lambda _: False,
    ) -> ReplyT:
        """The answer to a request; `on_the_way` takes those that come before it, or does not."""
        self._number += 1
        self._send({**request, "id": self._number}, deadline)
        while True:
            reply = self._decoded(self._watcher.read_line(deadline, _WAITING))
            if isinstance(reply, DoneReply) and reply.id in self._ahead:
                self._ahead.remove(reply.id)
                continue
            if isinstance(reply, ErrorReply) and reply.id in (self._number, None, *self._ahead):
                raise self._error(reply)
            is_ours = getattr(reply, "id", None) == self._number
            if is_ours and isinstance(reply, kind):
                return reply
            if not is_ours or not on_the_way(reply):
                raise self._odd("it answered what was not asked")

    def _send(self, request: Message, deadline: Deadline) -> None:
        try:
            self._stream.write(wire.encode(request), deadline.sooner(_SEND_S))
        except DeadlinePassed:  # it reads all the time, also while it measures
            self._watcher.look(deadline)
            raise

    def _decoded(self, line: bytes) -> Reply:
        try:
            return decode_reply(line, "what it said is no message")
        except FormatError as error:
            self._require_no_crash()
            shown = one_line(line[:480].decode("utf-8", "replace"), 120)
            raise self._odd(f"{str(error).rstrip('.')}: {shown}") from error

    def _require_no_crash(self) -> None:
        """Raises as it ended, if it does so: what a program prints as it crashes is no message."""
        by = Deadline.after(_CRASH_S)
        try:
            for _ in range(_MOST_LAST_LINES):
                self._stream.read_line(by)
        except DeviceError as error:
            if isinstance(error, ProcessEnded) and error.crashed:
                raise

    def _odd(self, what: str) -> TransientDeviceError:
        return TransientDeviceError(
            f"{self._transport.serial}: the agent there does not keep to the protocol: {what}."
            " Try again; if it stays so, remove it: `adadeep doctor --clean`."
        )

    def _error(self, reply: ErrorReply) -> AgentError:
        code = reply.code if reply.code in _CODES else ErrorCode.INTERNAL
        text = f"{self._transport.serial}: {one_line(reply.message).rstrip('.')}."
        model = None if reply.model is None else one_line(reply.model, wire.MAX_NAME)
        return AgentError(f"{text} {self._remedy(code)}".rstrip(), code, model)

    def _refusal(self, reply: ErrorReply) -> Exception:
        serial, text = self._transport.serial, one_line(reply.message)
        if reply.code == ErrorCode.NO_RUNTIME:
            return StableDeviceError(f"{serial}: {text}. {self._remedy(reply.code)}".rstrip())
        if reply.code == ErrorCode.BUSY:
            return TransientDeviceError(
                f"{serial}: {text}; try again when that is done. If nobody waits for it,"
                f" {ending(serial)} ends it."
            )
        if reply.code == ErrorCode.VERSION:
            return ProtocolMismatch(f"{serial}: {text}; this host is {wire.VERSION}.")
        return self._error(reply)

    def _remedy(self, code: str) -> str:
        serial = shlex.quote(self._transport.serial)
        return self._remedies.get(code, "").replace("{serial}", serial)


def _lacking(line: bytes) -> str | None:
    """What a start says is not there, empty for the agent; None if it says no such thing."""
    if not line.startswith(MISSING_LINE):
        return None
    return line[len(MISSING_LINE) :].decode("utf-8", "replace").strip(" :\n")[:_LONGEST_LACKING]


def _welcome(transport: Transport, reply: Reply) -> HelloReply:
    if not isinstance(reply, HelloReply) or (reply.protocol, reply.version) != (
        wire.PROTOCOL,
        wire.VERSION,
    ):
        version = reply.version if isinstance(reply, HelloReply) else "unknown"
        raise ProtocolMismatch(
            f"{transport.serial}: the agent there is {one_line(version, 40)}, this is"
            f" {wire.VERSION}; remove it with `adadeep doctor --clean` and try again."
        )
    return reply
