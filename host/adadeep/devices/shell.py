"""The only place that starts processes on this computer.

What runs on a device goes through a Transport; this module knows nothing of devices but the name
(`who`) that an error must carry.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import (
    DeadlinePassed,
    ProcessEnded,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.transport import MOST_OUTPUT_BYTES
from adadeep.devices.lines import LineBuffer

_PIECE_BYTES = 1 << 18
STDERR_FILENO = 2  # not sys.stderr, which may lead elsewhere


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a process on this computer gave.

    Attributes:
        stdout: bytes as they came.
        stderr: apart from stdout.
        exit_code: negative is the number of the signal that ended it.
    """

    stdout: bytes
    stderr: bytes
    exit_code: int

    @property
    def text(self) -> str:
        """Stdout and stderr as text, for messages."""
        return (self.stdout + self.stderr).decode("utf-8", "replace").strip()


def run_process(
    argv: Sequence[str],
    deadline: Deadline,
    who: str = "local",
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    most_bytes: int = MOST_OUTPUT_BYTES,
) -> ProcessResult:
    """Runs a program to its end, its stdin empty; a nonzero exit code is no error.

    Args:
        argv: the program and its arguments.
        deadline: by then it is ended, with the processes that it started.
        who: the device or host that errors name.
        cwd: the folder it runs in; by default this process's.
        env: its whole environment; by default this process's.
        most_bytes: of stdout and stderr together.

    Raises:
        StableDeviceError: the program can't be started, or prints too much.
        TransientDeviceError: the deadline passed.
    """
    process = _start(argv, who, cwd, env, subprocess.DEVNULL, subprocess.PIPE)
    try:
        out, err = _outputs(process, deadline, most_bytes)
        process.wait(deadline.remaining)
    except (subprocess.TimeoutExpired, TimeoutError):
        raise DeadlinePassed(
            f"{who}: {_short(argv)} was not done before its deadline; it has been ended."
        ) from None
    except _TooMuch:
        raise too_much(who, " ".join(argv), most_bytes) from None
    finally:
        _end_family(process)
    return ProcessResult(out, err, process.returncode)


class _TooMuch(Exception):
    """More output than is allowed."""


def too_much(who: str, command: str, most_bytes: int) -> StableDeviceError:
    """The error of a command that prints more than is allowed."""
    return StableDeviceError(
        f"{who}: {one_line(command, 80)!r} printed more than {most_bytes / 1e6:g} MB; it has been "
        "ended. Run it by hand to see what it prints; starting the device anew may help."
    )


def _outputs(
    process: subprocess.Popen[bytes], deadline: Deadline, most_bytes: int
) -> tuple[bytes, bytes]:
    """Stdout and stderr to their ends.

    Raises:
        TimeoutError: the deadline passed.
        _TooMuch: there is more than `most_bytes`.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    found = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe, output in found.items():
            selector.register(pipe, selectors.EVENT_READ, output)
        while selector.get_map():
            if deadline.expired:
                raise TimeoutError
            for key, _ in selector.select(deadline.remaining):
                piece = os.read(key.fd, _PIECE_BYTES)
                key.data.extend(piece)
                if not piece:
                    selector.unregister(key.fileobj)
            if sum(map(len, found.values())) > most_bytes:
                raise _TooMuch
    return bytes(found[process.stdout]), bytes(found[process.stderr])


def _start(
    argv: Sequence[str],
    who: str,
    cwd: str | None,
    env: Mapping[str, str] | None,
    stdin: int,
    stderr: int,
) -> subprocess.Popen[bytes]:
    try:
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we decide.
        return subprocess.Popen(
            list(argv), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            cwd=cwd, env=env, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise StableDeviceError(
            f"{who}: {argv[0]} can't be started: {error.strerror or error}."
        ) from error


def _short(argv: Sequence[str]) -> str:
    return one_line(" ".join(argv), 80)


def _end_family(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class ProcessStream:
    """Stdin and stdout of a long-lived process on this computer: a `Stream`.

    The process is not ended by `close`, it sees the end of its stdin; so an agent may outlive us.
    """

    def __init__(self, process: subprocess.Popen[bytes], who: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._who = who
        self._stdin, self._stdout = process.stdin, process.stdout
        self._lines = LineBuffer(who)
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Sends bytes to its stdin.

        Raises:
            TransientDeviceError: the process is gone, or the deadline passed.
        """
        left = memoryview(data)
        while left:
            # Reads meanwhile: a process that answers while we write would block, and we with it.
            events = self._wait(deadline, writing=True)
            if self._stdout.fileno() in events:
                self._read()
            if self._stdin.fileno() in events:
                left = left[self._write(left) :]

    def read_line(self, deadline: Deadline) -> bytes:
        """Returns the next line of its stdout without the line feed.

        Raises:
            DeadlinePassed: no whole line came in time; reading may go on.
            TransientDeviceError: the process is gone.
            StableDeviceError: the line has no end.
        """
        while (line := self._lines.take_line()) is None:
            self._wait(deadline)
            self._read()
        return line

    def close(self) -> None:
        """Ends the connection; the process sees the end of its stdin. May be called twice."""
        if self._stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        if self._process.poll() is None:  # collect it when it ends, or it stays as a zombie
            threading.Thread(target=self._process.wait, daemon=True).start()

    def _wait(self, deadline: Deadline, writing: bool = False) -> list[int]:
        """The pipes that can be used now."""
        if self._stdin.closed:
            raise TransientDeviceError(f"{self._who}: the connection to the process is closed.")
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        if writing:
            poll.register(self._stdin, select.POLLOUT)
        ready = [] if deadline.expired else poll.poll(deadline.remaining * 1000)
        if not ready:
            raise DeadlinePassed(
                f"{self._who}: process {self.pid} did not answer before the deadline."
            )
        return [file for file, _ in ready]

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._stdin.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._gone() from error

    def _read(self) -> None:
        try:
            piece = os.read(self._stdout.fileno(), _PIECE_BYTES)
        except BlockingIOError:
            return
        if not piece:
            raise self._gone()
        self._lines.feed(piece)

    def _gone(self) -> ProcessEnded:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # its output ends a moment before it does
        code = self._process.returncode
        how = "has closed its output" if code is None else f"has ended with exit code {code}"
        return ProcessEnded(f"{self._who}: process {self.pid} {how}.", code)


def open_process(
    argv: Sequence[str],
    who: str = "local",
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    keep_stderr: bool = False,
) -> ProcessStream:
    """Starts a long-lived program.

    Args:
        argv: the program and its arguments.
        who: what errors name.
        cwd: the folder it runs in; by default this process's.
        env: its whole environment; by default this process's.
        keep_stderr: its stderr is ours; else it goes nowhere.

    Raises:
        StableDeviceError: it can't be started.
    """
    stderr = STDERR_FILENO if keep_stderr else subprocess.DEVNULL
    return ProcessStream(_start(argv, who, cwd, env, subprocess.PIPE, stderr), who)
