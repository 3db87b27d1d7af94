"""Commands on a device by shell protocol 2, and by the plain services where that is missing."""

from __future__ import annotations

import contextlib
import re
import secrets
import shlex

from adadeep.core.clock import Deadline
from adadeep.core.errors import ProcessEnded, TransientDeviceError
from adadeep.core.transport import MOST_OUTPUT_BYTES, ShellResult
from adadeep.devices.adb.connection import AdbSocket
from adadeep.devices.adb.packets import (
    PacketKind,
    PacketReader,
    encode_close_stdin,
    encode_stdin,
)
from adadeep.devices.lines import LineBuffer
from adadeep.devices.shell import too_much

_GOODBYE_S = 1.0


def run_v2(
    socket: AdbSocket,
    command: str,
    who: str,
    deadline: Deadline,
    most_bytes: int = MOST_OUTPUT_BYTES,
) -> ShellResult:
    """Runs a command over a connection on which `shell,v2,raw:` was granted.

    Raises:
        TransientDeviceError: the link broke before the exit code came, or the deadline passed.
        StableDeviceError: it printed more than `most_bytes`.
    """
    socket.send(encode_close_stdin(), deadline)
    reader, out, err = PacketReader(who), bytearray(), bytearray()
    while piece := socket.read_some(deadline):
        for kind, data in reader.feed(piece):
            if kind == PacketKind.STDOUT:
                out += data
            elif kind == PacketKind.STDERR:
                err += data
            elif kind == PacketKind.EXIT:
                return ShellResult(command, bytes(out), bytes(err), _exit_code(data))
        if len(out) + len(err) > most_bytes:
            raise too_much(who, command, most_bytes)  # closing the connection ends it
    raise link_broke(who)


def _exit_code(data: bytes) -> int:
    return data[0] if data else 255


def link_broke(who: str) -> TransientDeviceError:
    """The error of an output that ended without its end."""
    return TransientDeviceError(
        f"{who}: the link broke while a command ran. Check cable or network, then try again."
    )


class PlainCommand:
    """A command wrapped so that a service without exit codes and stderr still gives both.

    The device prints stdout, a random token with the exit code, stderr from a file, the token
    again. An output without both tokens comes from a broken link.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._token = secrets.token_hex(16)

    @property
    def script(self) -> str:
        """What to run on the device."""
        token, command = self._token, shlex.quote(self._command)
        return (
            'for d in "$TMPDIR" /data/local/tmp /tmp "$HOME"; do [ -w "$d" ] && break; done; '
            f'e="$d/.adadeep-{token}"; sh -c {command} 2>"$e" </dev/null; '
            f'echo "{token}:$?"; cat "$e"; rm -f "$e"; echo "{token}."'
        )

    def parse(self, output: bytes, who: str) -> ShellResult:
        """Takes the output apart.

        Raises:
            TransientDeviceError: a token is missing.
        """
        token = self._token.encode()
        pattern = rb"(?s)(.*?)" + token + rb":(\d+)\r?\n(.*)" + token + rb"\.\r?\n\Z"
        match = re.fullmatch(pattern, output)
        if match is None:
            raise link_broke(who)
        return ShellResult(self._command, match[1], match[3], int(match[2]))


def read_to_end(socket: AdbSocket, most_bytes: int, deadline: Deadline) -> bytes | None:
    """Everything until the connection ends; None if that is more than `most_bytes`."""
    data = bytearray()
    while piece := socket.read_some(deadline):
        data += piece
        if len(data) > most_bytes:
            return None
    return bytes(data)


class AdbStream:
    """Stdin and stdout of a long-lived command: a `Stream`.

    Args:
        socket: on which the service was granted; is closed with the stream.
        who: the device that errors name.
        packets: whether the service speaks shell protocol 2; else it is `exec:`, plain bytes.
    """

    def __init__(self, socket: AdbSocket, who: str, packets: bool) -> None:
        self._socket = socket
        self._who = who
        self._reader = PacketReader(who) if packets else None
        self._lines = LineBuffer(who)
        self._exit_code: int | None = None
        self._closed = False

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Sends bytes to its stdin.

        Raises:
            TransientDeviceError: the process or the link is gone, or the deadline passed.
        """
        self._socket.send(encode_stdin(data) if self._reader else data, deadline)

    def read_line(self, deadline: Deadline) -> bytes:
        """Returns the next line of its stdout without the line feed.

        Raises:
            DeadlinePassed: no whole line came in time; reading may go on.
            TransientDeviceError: the process or the link is gone.
            StableDeviceError: the line has no end.
        """
        while (line := self._lines.take_line()) is None:
            if self._exit_code is not None:
                raise self._gone(f"has ended with exit code {self._exit_code}")
            piece = self._socket.read_some(deadline)
            if not piece:
                raise self._gone("or the link to it is gone")
            self._take(piece)
        return line

    def close(self) -> None:
        """Ends the connection; the process sees the end of its stdin. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._reader:
            with contextlib.suppress(TransientDeviceError):
                self._socket.send(encode_close_stdin(), Deadline.after(_GOODBYE_S))
        self._socket.close()

    def _take(self, piece: bytes) -> None:
        if self._reader is None:
            self._lines.feed(piece)
            return
        for kind, data in self._reader.feed(piece):
            if kind == PacketKind.STDOUT:
                self._lines.feed(data)
            elif kind == PacketKind.EXIT:
                self._exit_code = _exit_code(data)

    def _gone(self, how: str) -> ProcessEnded:
        return ProcessEnded(
            f"{self._who}: the process on the device {how}. Try again.", self._exit_code
        )
