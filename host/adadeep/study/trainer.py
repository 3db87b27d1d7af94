"""The host's end of the worker process: hands it requests, survives its death."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from adadeep.core import errors, interrupts
from adadeep.core.clock import Deadline
from adadeep.core.errors import AdaDeepError, ConversionError, DeadlinePassed, TransientDeviceError
from adadeep.core.reader import read_json
from adadeep.core.scores import SampleScores
from adadeep.devices.shell import ProcessStream, open_process
from adadeep.study.worker_messages import (
    Failed,
    Judge,
    Judged,
    Opened,
    OpenTask,
    Reply,
    Request,
    Sample,
    Sampled,
    Stage,
)

_SEND_S = 30.0
_WAIT_S = 1.0
_WHO = "the worker process"
WORKER = "adadeep.study.worker"


class WorkerDied(ConversionError):
    """The process that trains ended in the middle of a network, twice: the network's fault."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    Attributes:
        request: as it was sent.
        reply: None if it failed.
        error: why; None if it did not.
    """

    request: Request
    reply: Reply | None
    error: AdaDeepError | None


class Trainer:
    """A worker process, begun anew when it dies.

    Args:
        opening: what networks are made of.
        stage: is told what it does.
    """

    def __init__(self, opening: OpenTask, stage: Callable[[str], None] = lambda _: None) -> None:
        self._opening = opening
        self._stage = stage
        self._stream: ProcessStream | None = None
        self._waiting: deque[Request] = deque()
        self._deaths = 0  # while the request in hand was
        self.opened = self._open()

    def start(self, request: Request) -> None:
        """Hands it a request, behind those that it has."""
        self._waiting.append(request)
        self._write(request)

    def finished(self, wait_s: float) -> Answer | None:
        """What came of the oldest request; None if nothing did within so many seconds.

        A worker that dies is replaced and the request tried again; of a second death the request
        counts as the cause.
        """
        if not self._waiting:
            return None
        try:
            reply = self._reply(Deadline.after(wait_s))
        except TransientDeviceError as error:
            interrupts.raise_pending()  # who ended us may have ended it, too
            return self._mourn(error)
        if reply is None:
            return None
        self._deaths = 0
        return _answer(self._waiting.popleft(), reply)

    def ask(self, request: Request) -> Reply:
        """Sends a request and waits for its answer; no other may be waiting.

        Raises:
            AdaDeepError: it failed.
        """
        self.start(request)
        while (answer := self.finished(_WAIT_S)) is None:
            pass
        if answer.reply is None:
            raise answer.error or AdaDeepError("the worker process gave no answer")
        return answer.reply

    def judge(self, model: Path, part: str) -> SampleScores:
        """The scores of a .tflite on a part of the data ("held", "test")."""
        reply = self.ask(Judge(str(model), part))
        assert isinstance(reply, Judged)
        return reply.scores

    def sample(self, models: dict[str, Path], count: int, folder: Path) -> bytes:
        """The .npz of some test samples and what models give for them."""
        paths = {name: str(path) for name, path in models.items()}
        reply = self.ask(Sample(paths, count, str(folder)))
        assert isinstance(reply, Sampled)
        path = Path(reply.path)
        data = path.read_bytes()
        path.unlink()
        return data

    def close(self) -> None:
        """Ends the process; may be called twice."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> Opened:
        self.close()
        path = os.pathsep.join(part for part in sys.path if part)
        environment = {**os.environ, "PYTHONPATH": path}
        argv = [sys.executable, "-m", WORKER]
        self._stream = open_process(argv, _WHO, env=environment, keep_stderr=True)
        self._write(self._opening)
        try:
            while (reply := self._reply(Deadline.after(_WAIT_S))) is None:
                pass
        except TransientDeviceError as error:
            interrupts.raise_pending()
            if self._opening.others:  # a file of another run may have ended it
                self._opening = msgspec.structs.replace(self._opening, others=())
                return self._open()
            raise AdaDeepError(
                f"the process that trains ended while it got ready ({error}). If memory ran out,"
                " free some; ADADEEP_DEBUG=1 shows what it said."
            ) from error
        if not isinstance(reply, Opened):
            raise _error_of(reply)
        # Another one, after a death, takes up what this one has saved.
        self._opening = msgspec.structs.replace(self._opening, goes_on=True, others=())
        return reply

    def _write(self, request: Request) -> None:
        assert self._stream is not None
        try:
            self._stream.write(msgspec.json.encode(request) + b"\n", Deadline.after(_SEND_S))
        except TransientDeviceError:
            interrupts.raise_pending()  # else its death is heard of by who waits for it

    def _reply(self, deadline: Deadline) -> Reply | None:
        """Its next answer; stages are told meanwhile. None if none came in time."""
        assert self._stream is not None
        while True:
            interrupts.raise_pending()
            try:
                line = self._stream.read_line(deadline)
            except DeadlinePassed:
                return None
            reply: Reply = read_json(line, Reply, _WHO)  # type: ignore[arg-type]
            if not isinstance(reply, Stage):
                return reply
            self._stage(reply.text)

    def _mourn(self, error: TransientDeviceError) -> Answer | None:
        """Begins anew after a death; answers that the request in hand failed, or nothing yet."""
        self._deaths += 1
        failed = None
        if self._deaths > 1:
            self._deaths = 0
            died = WorkerDied(f"TensorFlow ended in the middle of it, twice ({error}).")
            failed = Answer(self._waiting.popleft(), None, died)
        self._open()
        for request in self._waiting:
            self._write(request)
        return failed


def _answer(request: Request, reply: Reply) -> Answer:
    if isinstance(reply, Failed):
        return Answer(request, None, _error_of(reply))
    return Answer(request, reply, None)


def _error_of(reply: Reply) -> AdaDeepError:
    """A failure as the error that it was in the worker."""
    if not isinstance(reply, Failed):
        return AdaDeepError("the worker process answered what was not asked")
    kind = getattr(errors, reply.error, None)
    if isinstance(kind, type) and issubclass(kind, AdaDeepError):
        return kind(reply.message)
    return ConversionError(f"the network could not be made: {reply.message}")
