"""The worker process of a study: TensorFlow lives here, and a crash of it ends nothing else.

`python -m adadeep.study.worker` reads requests on stdin and answers each on stdout, one after the
other (`worker_messages`). It goes when its stdin ends, in the middle of whatever it does: its host
is gone then. What libraries print goes to stderr, which its host has led to a log.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from adadeep.core import errors
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.study.worker_messages import (
    Explain,
    Failed,
    Judge,
    Judged,
    Make,
    Opened,
    OpenTask,
    Reply,
    Request,
    Sample,
    Stage,
)

if TYPE_CHECKING:
    from adadeep.study.bare import BareMaker
    from adadeep.study.maker import KerasMaker

_HOST_GONE = 3


def _requests(source: BinaryIO) -> queue.Queue[bytes]:
    """Lines of stdin, read by a thread of its own; the process ends with them."""
    waiting: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        for line in iter(source.readline, b""):
            waiting.put(line)
        os._exit(_HOST_GONE)

    threading.Thread(target=read, daemon=True).start()
    return waiting


class Worker:
    """Carries out requests.

    Args:
        sink: where replies go.
    """

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._maker: KerasMaker | BareMaker | None = None

    def answer(self, line: bytes) -> None:
        """Carries out one request; whatever goes wrong is an answer, too."""
        try:
            self._send(self._done(msgspec.json.decode(line, type=Request)))
        except AdaDeepError as error:
            self._send(Failed(_name_of(error), str(error)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # TensorFlow raises anything
            traceback.print_exc()
            self._send(Failed("", f"{type(error).__name__}: {error}"[:1000]))

    def _done(self, request: Request) -> Reply:
        if isinstance(request, OpenTask):
            return self._open(request)
        assert self._maker is not None
        if isinstance(request, Make):
            return self._maker.make(request.plan, request.folder, request.full)
        return self._of_data(request)

    def _of_data(self, request: Judge | Sample | Explain) -> Reply:
        maker = self._maker
        if maker is None or maker.is_bare:
            raise ConfigError("there are no data; name some by --data.")
        if isinstance(request, Judge):
            return Judged(maker.judge(request.model, request.part))
        if isinstance(request, Explain):
            return maker.explain()
        return maker.sample(request)

    def _open(self, request: OpenTask) -> Opened:
        self._stage(f"loading {request.task}")
        from adadeep.study.bare import BareMaker  # TensorFlow: seconds
        from adadeep.study.maker import KerasMaker

        maker = BareMaker if request.is_bare else KerasMaker
        self._maker = maker.open(request, self._stage)
        return self._maker.opened

    def _stage(self, text: str) -> None:
        self._send(Stage(text))

    def _send(self, reply: Reply) -> None:
        self._sink.write(msgspec.json.encode(reply) + b"\n")
        self._sink.flush()


def _name_of(error: AdaDeepError) -> str:
    """Of the nearest class that the host knows, too: plug-ins may have their own."""
    return next(kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__))


def main() -> int:
    """Serves the host at stdin and stdout until it goes."""
    sink: Any = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # stray prints must not spoil the channel, nor may a user's code read from it
    source: Any = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    waiting = _requests(source)
    worker = Worker(sink)
    while True:
        try:
            worker.answer(waiting.get())
        except OSError:  # nobody reads
            return _HOST_GONE


if __name__ == "__main__":
    sys.exit(main())
