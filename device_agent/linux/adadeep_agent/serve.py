"""The loop of the agent: requests in, one at a time served, sessions spooled and out.

The agent outlives its host: it ignores the hang-up, finishes the session in hand, spools it
and goes when nobody is there to read it. A lock sees to it that two agents never measure at once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import queue
import signal
import sys
import threading
import time
from typing import BinaryIO, Callable, Dict, Iterator, Optional, TextIO

from adadeep_agent import wire
from adadeep_agent.blocks import Clocks
from adadeep_agent.process import memory_available, own_abi
from adadeep_agent.readings import reading
from adadeep_agent.runner import Cancelled, Runtime
from adadeep_agent.session import Hooks, measure
from adadeep_agent.spool import Spool, Spooling
from adadeep_agent.wire import ErrorCode, Message, WireError

AGENT_NAME = "linux-python"
FEATURES = ("cold", "commands", "group", "read_block")
_HELD = (errno.EACCES, errno.EAGAIN)
_IDLE_S = 1800.0  # a link that broke without a word must not keep the device busy for ever


class HostGone(Exception):
    """Nobody reads the answers any more."""


class Channel:
    """Requests from stdin, read by a thread of its own so that a job can be cancelled; replies."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink
        self._requests: queue.Queue[Optional[bytes]] = queue.Queue()
        self.cancelled = threading.Event()
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in iter(self._source.readline, b""):
            if b'"cancel"' in line and _is_cancel(line):
                self.cancelled.set()
            self._requests.put(line)
        self.ended.set()
        self._requests.put(None)

    def next_request(self) -> Optional[bytes]:
        """The next line; None when the host has closed its end, or was silent for too long."""
        try:
            return self._requests.get(timeout=_IDLE_S)
        except queue.Empty:
            return None

    def send(self, message: Message) -> None:
        """Writes a reply.

        Raises:
            HostGone: nobody is there.
        """
        self.send_line(wire.encode(message))

    def send_line(self, line: bytes) -> None:
        """Writes what is encoded already.

        Raises:
            HostGone: nobody is there.
        """
        try:
            self._sink.write(line)
            self._sink.flush()
        except OSError as error:
            raise HostGone(str(error)) from error


def _is_cancel(line: bytes) -> bool:
    """A model may be called so, too."""
    try:
        return bool(wire.decode_request(line)["type"] == "cancel")
    except WireError:
        return False


@contextlib.contextmanager
def device_lock(path: str, wait_ms: float, host_gone: Callable[[], bool]) -> Iterator[None]:
    """Holds the device for one agent; its process id stands in the file meanwhile.

    Raises:
        WireError: `busy`, another agent held it until the end of the wait.
        HostGone: nobody waits for it any more.
    """
    deadline = time.monotonic() + wait_ms / 1000
    with open(path, "a+") as file:
        while True:
            if _locked(file):
                break
            if host_gone():
                raise HostGone("gone while the device was busy")
            if time.monotonic() >= deadline:
                raise WireError(_busy(file), ErrorCode.BUSY)
            time.sleep(0.02)
        file.truncate(0)
        file.write(str(os.getpid()))  # at the end of the file, which is its beginning now
        file.flush()
        yield


def _locked(file: TextIO) -> bool:
    """Takes both kinds of lock, if neither is held.

    Java has record locks only; where a device's shell has no flock to take for it, they are what
    keeps it and this agent apart. Some file systems lack them: then flock has to do.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            raise
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)  # the other one may want both, too
        return False
    return True


def _busy(lock: TextIO) -> str:
    lock.seek(0)
    holder = lock.read(20).strip() or "unknown"
    return f"another agent is measuring on this device (process {holder})"


class Server:
    """Serves one host.

    Args:
        workdir: the agent's folder; `spool/`, `models/` and the lock are in it.
        channel: to the host.
    """

    def __init__(self, workdir: str, channel: Channel) -> None:
        self._workdir = workdir
        self._channel = channel
        self._spool = Spool(os.path.join(workdir, "spool"))
        self._models = os.path.join(workdir, "models")
        self._runtime: Optional[Runtime] = None
        self._warm = False  # whether something was measured already
        # By the type of the request; `wire.REQUESTS` has the shape of each.
        self._handlers: Dict[str, Callable[[Message], Message]] = {
            "measure": self._measure,
            "read": self._read,
            "spool": self._list_spool,
            "fetch": self._fetch,
            "ack": self._forget,
            "cancel": self._cancel,
        }

    def serve(self) -> int:
        """Serves until the host says bye or is gone; returns the exit status."""
        try:
            hello = self._greeting()
            lock, host_gone = os.path.join(self._workdir, "lock"), self._channel.ended.is_set
            with device_lock(lock, hello.get("wait_ms", 0), host_gone):
                self._tidy()
                self._runtime = Runtime.find()
                try:
                    self._channel.send(self._welcome())
                    self._loop()
                finally:
                    self._remove_models()  # only who holds the lock may: they are its own
        except WireError as error:
            with contextlib.suppress(HostGone):
                self._channel.send(_error(None, error.code, str(error)))
            return 3
        except HostGone:
            pass
        return 0

    def _greeting(self) -> Message:
        line = self._channel.next_request()
        if line is None:
            raise HostGone("no greeting")
        hello = wire.decode_request(line)
        if hello["type"] != "hello":
            raise WireError("the first message must be hello")
        if (hello["protocol"], hello["version"]) != (wire.PROTOCOL, wire.VERSION):
            text = f"agent {wire.VERSION} (protocol {wire.PROTOCOL})"
            raise WireError(text, ErrorCode.VERSION)
        return hello

    def _welcome(self) -> Message:
        assert self._runtime is not None
        resolution_ns, cost_ns = Clocks().quality()
        return {
            "type": "hello",
            "protocol": wire.PROTOCOL,
            "version": wire.VERSION,
            "agent": AGENT_NAME,
            "runtime": self._runtime.name,
            "runtime_version": self._runtime.version,
            "pid": os.getpid(),
            "spooled": len(self._spool.jobs()),
            "clock": {"resolution_ns": resolution_ns, "cost_ns": cost_ns},
            "memory_available_bytes": memory_available(),
            "abi": own_abi(),
            "features": list(FEATURES),
        }

    def _loop(self) -> None:
        while True:
            line = self._channel.next_request()
            if line is None:
                return
            try:
                request = wire.decode_request(line)
            except WireError as error:
                self._channel.send(_error(None, error.code, str(error)))
                continue
            if request["type"] == "bye":
                return
            self._channel.send(self._answer(request))

    def _answer(self, request: Message) -> Message:
        kind, number = request["type"], request.get("id")
        if kind not in self._handlers:
            return _error(number, ErrorCode.BAD_MESSAGE, f"{kind} is out of place")
        try:
            return {"id": number, **self._handlers[kind](request)}
        except Cancelled:
            return _error(number, ErrorCode.CANCELLED, "cancelled by the host")
        except HostGone:
            raise
        except WireError as error:
            return _error(number, error.code, str(error), error.model)
        except MemoryError:
            return _error(number, ErrorCode.OUT_OF_MEMORY, "not enough memory on the device")
        except Exception as error:  # a fault here must reach the host, not end the session
            return _error(number, ErrorCode.INTERNAL, f"{type(error).__name__}: {error}")

    def _read(self, request: Message) -> Message:
        return {"type": "reading", **reading(request["read"], request.get("commands", []))}

    def _list_spool(self, _: Message) -> Message:
        return {"type": "spool", "jobs": self._spool.jobs()}

    def _fetch(self, request: Message) -> Message:
        found = self._spool.get(request["job"])
        result = found.pop() if found else None
        for part in found:
            message = {"type": "spooled_part", "id": request["id"], "part": part}
            self._channel.send(message)
        return {"type": "spooled", "result": result}

    def _forget(self, request: Message) -> Message:
        self._spool.remove(str(job) for job in request["jobs"])
        return {"type": "done"}

    def _cancel(self, _: Message) -> Message:
        self._channel.cancelled.clear()
        return {"type": "done"}

    def _measure(self, request: Message) -> Message:
        spooling = self._spool.begun(request["job"]) if request.get("spool", True) else None
        try:
            result = self._session(request, spooling)
            if spooling:
                # Outputs are only for the host that asked.
                kept = [{**model, "outputs": []} for model in result["models"]]
                spooling.write(wire.encode({**result, "models": kept}))
                spooling.finish()
        finally:
            if spooling:
                spooling.drop()
            for model in request["models"]:
                if not model.get("keep"):
                    with contextlib.suppress(OSError):
                        os.remove(model["path"])
        return {"type": "result", **result}

    def _session(self, request: Message, spooling: Optional[Spooling]) -> Message:
        assert self._runtime is not None
        number = request["id"]

        def part(fields: Message) -> None:
            line = wire.encode({"type": "part", "id": number, **fields})
            if spooling:
                spooling.write(line)
            self._told(line, spooling)

        def progress(fields: Message) -> None:
            self._told(wire.encode({"type": "progress", "id": number, **fields}), spooling)

        hooks = Hooks(self._check, progress, part)
        result = measure(self._runtime, request, hooks, warm=self._warm)
        self._warm = True
        result = {"job": request["job"], "agent": self._identity(), **result}
        has_outputs = any(model["outputs"] for model in result["models"])
        if has_outputs and len(wire.encode(result)) > wire.MAX_LINE - 100:
            text = "the outputs of so many samples are more than a message holds"
            raise WireError(text, ErrorCode.BAD_INPUT)
        return result

    def _told(self, line: bytes, spooling: Optional[Spooling]) -> None:
        """Sends a line; where the host has gone, goes on for the spool."""
        try:
            self._channel.send_line(line)
        except HostGone:
            if spooling is None:
                raise

    def _identity(self) -> Dict[str, str]:
        assert self._runtime is not None
        return {
            "name": AGENT_NAME,
            "version": wire.VERSION,
            "runtime": self._runtime.name,
            "runtime_version": self._runtime.version,
        }

    def _check(self) -> None:
        if self._channel.cancelled.is_set():
            raise Cancelled

    def _tidy(self) -> None:
        """Removes what a killed agent, or a killed host of one, left half done."""
        self._spool.tidy()
        self._remove_models()
        deployed = os.path.join(self._workdir, "deployed")
        _remove_files(deployed, lambda name: name.endswith(".new") or name.startswith("."))

    def _remove_models(self) -> None:
        _remove_files(self._models, lambda _: True)


def _remove_files(folder: str, is_meant: Callable[[str], bool]) -> None:
    with contextlib.suppress(OSError):
        for name in filter(is_meant, os.listdir(folder)):
            with contextlib.suppress(OSError):
                os.remove(os.path.join(folder, name))


def _error(number: Optional[int], code: str, text: str, model: Optional[str] = None) -> Message:
    return {"type": "error", "id": number, "code": code, "message": text, "model": model}


def main(arguments: Optional[list[str]] = None) -> int:
    """`python3 agent.pyz serve WORKDIR`: speaks the protocol on stdin and stdout."""
    words = sys.argv[1:] if arguments is None else arguments
    if len(words) != 2 or words[0] != "serve":
        sys.stderr.write("usage: agent serve WORKDIR\n")
        return 2
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # adbd hangs up when the link breaks
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's; it says cancel
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stray prints of a runtime must not spoil the channel
    os.makedirs(os.path.join(words[1], "models"), exist_ok=True)
    return Server(words[1], Channel(sys.stdin.buffer, sink)).serve()
