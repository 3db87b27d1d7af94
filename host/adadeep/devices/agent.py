"""The host's end of the agent: push it, start it, speak the wire protocol with it."""

from __future__ import annotations

import contextlib
import hashlib
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from adadeep.core.clock import Deadline
from adadeep.core.errors import (
    AgentError,
    ProtocolMismatch,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.measurement import MeasureSettings
from adadeep.core.protocols import Stream, Transport
from adadeep.devices.agent_package import agent_package
from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode, Message

_MISSING = b"adadeep: the agent is not here"
_BUSY_WAIT_S = 60.0
_REMEDIES = {
    ErrorCode.MODEL_CORRUPT: "Convert the model anew, or try a newer runtime on the device.",
    ErrorCode.RUN_FAILED: "If an input holds indices, its values may be out of range: give"
    " those that it takes by --input-range LOW..HIGH, or real ones by --inputs FILE.npz.",
    ErrorCode.OPEN_SHAPE: "Name its shape, for example --input-shape 1,224,224,3 (with several"
    " inputs NAME=1,224,224,3).",
    ErrorCode.BAD_INPUT: "--input-range, --input-shape and --inputs say what a model is fed.",
    ErrorCode.UNSUPPORTED_OP: "Convert with built-in operators only, or use a newer runtime.",
    ErrorCode.OUT_OF_MEMORY: "Close other programs on the device, or take a smaller model.",
    ErrorCode.BAD_CORE_MASK: "See `adadeep profiles show` for the cores that there are.",
    ErrorCode.INTERNAL: "This is a fault of the agent; please report it.",
}


@dataclass(frozen=True, slots=True)
class AgentHello:
    """What an agent says of itself.

    Attributes:
        agent: "linux-python".
        runtime: the TFLite runtime it found.
        runtime_version: of it.
        spooled: results that wait on the device.
    """

    agent: str
    runtime: str
    runtime_version: str
    spooled: int


class AgentClient:
    """A running agent. Not for two threads.

    Use `start`; then `push_model` and `measure` as often as needed; then `close`.
    """

    def __init__(self, transport: Transport, stream: Stream, hello: AgentHello) -> None:
        self._transport = transport
        self._stream = stream
        self.hello = hello
        self._number = 0

    @classmethod
    def start(
        cls, transport: Transport, python: str, python_path: str | None, deadline: Deadline
    ) -> AgentClient:
        """Starts the agent on a device, pushing it first if the device lacks this version.

        Args:
            transport: to the device.
            python: its Python.
            python_path: a provisioned runtime's folder; None where Python has its own.
            deadline: for all of it.

        Raises:
            TransientDeviceError: the link broke, or another agent keeps the device busy.
            StableDeviceError: no runtime, no Python.
            ProtocolMismatch: the agent is of another version.
        """
        package = agent_package()
        for _ in range(2):
            stream = transport.open(_command(transport.workdir, python, python_path), deadline)
            try:
                hello = _greet(transport, stream, deadline)
            except BaseException:
                stream.close()
                raise
            if hello is not None:
                return cls(transport, stream, hello)
            stream.close()
            transport.push(package.data, f"{transport.workdir}/{package.name}", deadline)
        raise StableDeviceError(
            f"{transport.serial}: the agent was pushed to {transport.workdir} but is not there."
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
        remote: str,
        job: str,
        settings: MeasureSettings,
        deadline: Deadline,
        options: Message | None = None,
    ) -> Message:
        """Has a model measured.

        Args:
            remote: from `push_model`; the agent deletes it afterwards unless told to keep it.
            job: names the result in the spool.
            settings: how.
            deadline: for the answer.
            options: more fields of the request: "inputs" (a list of samples, each a list of
                tensors), "keep", "spool".

        Returns:
            The fields of a `result`.

        Raises:
            AgentError: the model or the request can't be served.
            TransientDeviceError: the link broke or the agent ended.
        """
        request = {"type": "measure", "job": job, "model": remote, "settings": asdict(settings)}
        return self._ask({**request, **(options or {})}, deadline)

    def conditions(self, deadline: Deadline) -> Message:
        """The state of the device now."""
        conditions: Message = self._ask({"type": "conditions"}, deadline)["conditions"]
        return conditions

    def spooled(self, deadline: Deadline) -> list[Message]:
        """The results that wait on the device."""
        results: list[Message] = self._ask({"type": "spool"}, deadline)["results"]
        return results

    def acknowledge(self, jobs: list[str], deadline: Deadline) -> None:
        """Tells the device that these results are safe here."""
        self._ask({"type": "ack", "jobs": jobs}, deadline)

    def close(self, cancel: bool = False) -> None:
        """Says goodbye; the agent removes the models and ends. Never raises.

        Args:
            cancel: stop the job in hand first.
        """
        deadline = Deadline.after(2)
        try:
            if cancel:
                self._stream.write(wire.encode({"type": "cancel", "id": 0}), deadline)
            self._stream.write(wire.encode({"type": "bye"}), deadline)
        except TransientDeviceError:
            pass  # gone already: it tidies up by itself
        self._stream.close()

    def _ask(self, request: Message, deadline: Deadline) -> Message:
        self._number += 1
        self._stream.write(wire.encode({**request, "id": self._number}), deadline)
        while True:
            reply = _decoded(self._transport, self._stream.read_line(deadline))
            if reply["type"] == "error" and reply["id"] in (self._number, None):
                raise _error(self._transport, reply)
            if reply.get("id") == self._number:
                return reply


def _command(workdir: str, python: str, python_path: str | None) -> str:
    package = shlex.quote(f"{workdir}/{agent_package().name}")
    path = f"PYTHONPATH={shlex.quote(python_path)} " if python_path else ""
    folder = shlex.quote(workdir)
    return (
        f"if [ ! -s {package} ]; then echo {shlex.quote(_MISSING.decode())}; exit 44; fi;"
        f" cd {folder} && {path}exec {shlex.quote(python)} {package} serve {folder}"
        f" 2>{folder}/agent.log"
    )


def _greet(transport: Transport, stream: Stream, deadline: Deadline) -> AgentHello | None:
    """Exchanges hello; None if the device lacks the agent."""
    hello: Message = {"type": "hello", "protocol": wire.PROTOCOL, "version": wire.VERSION}
    hello["wait_ms"] = int(1000 * min(_BUSY_WAIT_S, deadline.remaining / 2))
    with contextlib.suppress(TransientDeviceError):  # it may have said something before it ended
        stream.write(wire.encode(hello), deadline)
    try:
        line = stream.read_line(deadline)
    except TransientDeviceError as error:
        raise TransientDeviceError(f"{error} {_last_words(transport)}".rstrip()) from error
    if line.strip() == _MISSING:
        return None
    reply = _decoded(transport, line)
    if reply["type"] == "error":
        raise _refusal(transport, reply)
    if (reply["protocol"], reply["version"]) != (wire.PROTOCOL, wire.VERSION):
        raise ProtocolMismatch(
            f"{transport.serial}: the agent there is {reply['version']}, this is {wire.VERSION};"
            " remove it with `adadeep doctor --clean` and try again."
        )
    return AgentHello(reply["agent"], reply["runtime"], reply["runtime_version"], reply["spooled"])


def _error(transport: Transport, reply: Message) -> AgentError:
    remedy = _REMEDIES.get(reply["code"], "")
    text = f"{transport.serial}: {reply['message'].rstrip('.')}. {remedy}".rstrip()
    return AgentError(text, reply["code"])


def _refusal(transport: Transport, reply: Message) -> Exception:
    serial, text = transport.serial, reply["message"]
    if reply["code"] == ErrorCode.NO_RUNTIME:
        return StableDeviceError(
            f"{serial}: {text}. Give the device a runtime: adadeep doctor -d {serial} --provision"
        )
    if reply["code"] == ErrorCode.BUSY:
        return TransientDeviceError(f"{serial}: {text}; try again when that is done.")
    if reply["code"] == ErrorCode.VERSION:
        return ProtocolMismatch(f"{serial}: {text}; this host is {wire.VERSION}.")
    return _error(transport, reply)


def _decoded(transport: Transport, line: bytes) -> dict[str, Any]:
    try:
        return wire.decode_reply(line)
    except wire.WireError as error:
        shown = line[:120].decode("utf-8", "replace")
        raise TransientDeviceError(
            f"{transport.serial}: the agent said what is no message ({error}): {shown!r}"
        ) from error


def _last_words(transport: Transport) -> str:
    """The end of the agent's log, for a message; empty if it can't be had."""
    try:
        command = f"tail -c 300 {shlex.quote(transport.workdir + '/agent.log')}"
        text = transport.run(command, Deadline.after(5)).text.strip()
    except (TransientDeviceError, StableDeviceError):
        return ""
    return f"The agent's last words: {text.splitlines()[-1]}" if text else ""
