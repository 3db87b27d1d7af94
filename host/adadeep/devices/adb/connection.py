"""One connection to the adb server: requests, and bytes with deadlines.

Talks to the socket itself: adbutils' connection can't carry a deadline, sleeps 10 ms at its close
and takes 0.15 s to import, which `adadeep devices` does not have.
"""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Self

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import (
    DeadlinePassed,
    DeviceError,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.devices.adb.server import AdbUnavailable, ServerAddress, start_server

_PIECE_BYTES = 1 << 18
_CONNECT_S = 5.0

# What the adb server's refusals mean: pattern, what to do, whether trying again may work.
_REFUSALS: tuple[tuple[str, str, bool], ...] = (
    (r"not found", "Plug it in (or connect it: adb connect HOST:PORT); `adadeep devices` shows "
     "what is attached.", False),
    (r"unauthorized", "Unlock the device and allow USB debugging for this computer.", False),
    (r"still authorizing|still connecting", "Wait a moment and try again.", True),
    (r"offline", "Unplug it and plug it in again, or adb disconnect and adb connect.", True),
    (r"insufficient permissions|no permissions", "Add a udev rule for it (Debian: apt install "
     "android-sdk-platform-tools-common) and plug it in again.", False),
    (r"more than one device", "Two devices have this serial; name one by its usb: path.", False),
)  # fmt: skip


class ServiceRefused(TransientDeviceError):
    """The server or the device closed the request without saying more."""


def refusal(who: str, doing: str, text: str) -> DeviceError:
    """The error for a refusal of the adb server, by the first line of its text."""
    text = one_line(text.strip().partition("\n")[0]).rstrip(".")
    for pattern, remedy, transient in _REFUSALS:
        if re.search(pattern, text):
            kind = TransientDeviceError if transient else StableDeviceError
            return kind(f"{who}: {doing} failed: {text}. {remedy}")
    return ServiceRefused(f"{who}: {doing} failed: {text or 'the connection was closed'}.")


class AdbSocket:
    """A connection to the adb server, made by `connect`."""

    def __init__(self, sock: socket.socket, who: str) -> None:
        self._socket = sock
        self._who = who

    @classmethod
    def connect(cls, server: ServerAddress, who: str, deadline: Deadline) -> Self:
        """Connects; starts a server first where none runs.

        Raises:
            AdbUnavailable: no server, and none can be started.
            TransientDeviceError: the deadline passed.
        """
        try:
            return cls(_dial(server, who, deadline), who)
        except ConnectionRefusedError:
            start_server(server, deadline)
        try:
            return cls(_dial(server, who, deadline), who)
        except ConnectionRefusedError as error:
            raise AdbUnavailable(
                f"An adb server was started on {server} but does not answer. See what "
                "`adb start-server` says."
            ) from error

    def request(self, service: str, deadline: Deadline) -> None:
        """Asks for a service, for example "host:version"; returns once it is granted.

        Raises:
            DeviceError: it is refused; the class says whether trying again may work.
        """
        payload = service.encode()
        if len(payload) > 0xFFFF:
            raise StableDeviceError(
                f"{self._who}: a request of {len(payload)} bytes is too long for adb (65535)."
            )
        self.send(b"%04x%s" % (len(payload), payload), deadline)
        self.expect_okay(service, deadline)

    def expect_okay(self, service: str, deadline: Deadline) -> None:
        """Reads OKAY; raises what a FAIL says."""
        doing = _doing(service)
        try:
            status = self.read_exact(4, deadline)
        except EOFError:
            raise refusal(self._who, doing, "") from None
        if status == b"OKAY":
            return
        if status != b"FAIL":
            raise TransientDeviceError(f"{self._who}: the adb server answered {status!r}.")
        raise refusal(self._who, doing, self.read_block(deadline))

    def read_block(self, deadline: Deadline) -> str:
        """Text behind a length of four hex digits."""
        try:
            size = int(self.read_exact(4, deadline), 16)
            return self.read_exact(size, deadline).decode("utf-8", "replace")
        except (EOFError, ValueError) as error:
            raise TransientDeviceError(
                f"{self._who}: the adb server's answer broke off; try again."
            ) from error

    def read_exact(self, count: int, deadline: Deadline) -> bytes:
        """This many bytes.

        Raises:
            EOFError: the connection ended before.
        """
        data = bytearray()
        while len(data) < count:
            piece = self.read_some(deadline, count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def read_some(self, deadline: Deadline, limit: int = _PIECE_BYTES) -> bytes:
        """Whatever is there, at most `limit` bytes; empty at the end of the connection."""
        self._arm(deadline)
        try:
            return self._socket.recv(min(limit, _PIECE_BYTES))
        except TimeoutError:
            raise self._late() from None
        except OSError as error:
            raise self._broken(error) from error

    def send(self, data: bytes, deadline: Deadline) -> None:
        """All of these bytes."""
        self._arm(deadline)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise self._late() from None
        except OSError as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """May be called twice."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _arm(self, deadline: Deadline) -> None:
        if deadline.expired:
            raise self._late()
        with contextlib.suppress(OSError):  # a closed socket tells at its next use
            self._socket.settimeout(deadline.remaining or 0.001)

    def _late(self) -> DeadlinePassed:
        return DeadlinePassed(
            f"{self._who}: no answer before the deadline. Is the device awake and its link good?"
        )

    def _broken(self, error: OSError) -> TransientDeviceError:
        return TransientDeviceError(
            f"{self._who}: the link broke ({error.strerror or error}). Check cable or network."
        )


def ask(server: ServerAddress, service: str, deadline: Deadline, who: str = "adb server") -> str:
    """One question to the server that is answered by one block of text.

    Raises:
        DeviceError: it is refused, or no server can be reached.
    """
    with AdbSocket.connect(server, who, deadline) as connection:
        connection.request(service, deadline)
        return connection.read_block(deadline)


def _dial(server: ServerAddress, who: str, deadline: Deadline) -> socket.socket:
    limit_s = min(_CONNECT_S, deadline.remaining)
    if not limit_s:
        raise TransientDeviceError(f"{who}: the deadline passed before the adb server answered.")
    try:
        sock = socket.create_connection((server.host, server.port), limit_s)
    except ConnectionRefusedError:
        raise
    except OSError as error:
        raise AdbUnavailable(
            f"{who}: the adb server at {server} can't be reached ({error.strerror or error})."
        ) from error
    # Requests are small and answered at once: Nagle's delay would cost 40 ms each.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _doing(service: str) -> str:
    kind = service.partition(":")[0].partition(",")[0]
    return {"host": "asking the adb server", "sync": "opening a file transfer"}.get(
        kind, "running a command" if kind in ("shell", "exec") else f"opening {kind}"
    )
