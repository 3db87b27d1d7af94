"""Files to and from a device by adb's sync service, with the device's own words on failure."""

from __future__ import annotations

import stat
import struct
import time
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import DeviceError, StableDeviceError, TransientDeviceError
from adadeep.core.transport import MOST_FILE_BYTES
from adadeep.devices.adb.connection import AdbSocket

_CHUNK_BYTES = 64 * 1024  # SYNC_DATA_MAX: a longer one is refused
_MOST_AT_ONCE = 1 << 20  # what no adbd sends in one piece
_REMEDIES = (
    ("No space left", "Free space on the device (`adadeep doctor --clean` removes what is ours)."),
    ("Quota exceeded", "Free space on the device."),
    ("Permission denied", "The user that adb runs as can't go there; see `adadeep doctor`."),
    ("Read-only file system", "See `adadeep doctor` for folders that can be written."),
    ("No such file", "Check the path."),
)


def send_file(
    socket: AdbSocket, data: bytes, remote: str, mode: int, who: str, deadline: Deadline
) -> None:
    """Writes a file over a connection on which `sync:` was granted.

    Raises:
        StableDeviceError: the device said why not, for example no space.
        TransientDeviceError: the link broke, or the deadline passed.
    """
    target = f"{remote},{stat.S_IFREG | mode}".encode()
    pieces = [_packet(b"SEND", target)]
    for at in range(0, len(data), _CHUNK_BYTES):
        pieces.append(_packet(b"DATA", data[at : at + _CHUNK_BYTES]))
    pieces.append(b"DONE" + struct.pack("<I", int(time.time())))
    broken: TransientDeviceError | None = None
    try:
        socket.send(b"".join(pieces), deadline)
    except TransientDeviceError as error:  # the device may have said why before it hung up
        broken = error
    _check_sent(socket, remote, who, broken, deadline)


def _check_sent(
    socket: AdbSocket,
    remote: str,
    who: str,
    broken: TransientDeviceError | None,
    deadline: Deadline,
) -> None:
    doing = f"writing {remote}"
    try:
        status, size = _read_head(socket, deadline)
        reason = _read_body(socket, size, deadline) if status == b"FAIL" else b""
    except (EOFError, TransientDeviceError) as error:
        raise broken or _cut(who, doing) from error
    if status == b"FAIL":
        raise _failure(who, doing, reason)
    if status != b"OKAY":
        raise _cut(who, doing)


def receive_file(
    socket: AdbSocket,
    remote: str,
    who: str,
    deadline: Deadline,
    most_bytes: int = MOST_FILE_BYTES,
) -> bytes:
    """Reads a file over a connection on which `sync:` was granted.

    Raises:
        StableDeviceError: the device said why not, for example no such file; or the file is
            longer than `most_bytes`.
        TransientDeviceError: the link broke, or the deadline passed.
    """
    doing = f"reading {remote}"
    socket.send(_packet(b"RECV", remote.encode()), deadline)
    data = bytearray()
    try:
        while True:
            status, size = _read_head(socket, deadline)
            if status == b"DONE":
                return bytes(data)
            piece = _read_body(socket, size, deadline)
            if status == b"FAIL":
                raise _failure(who, doing, piece)
            if status != b"DATA":
                raise _cut(who, doing)
            data += piece
            if len(data) > most_bytes:
                text = f"it has more than {most_bytes / 1e6:g} MB; it is none of ours"
                raise _failure(who, doing, text.encode())
    except EOFError:
        raise _cut(who, doing) from None


def _packet(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def _read_head(socket: AdbSocket, deadline: Deadline) -> tuple[bytes, int]:
    head = socket.read_exact(8, deadline)
    return head[:4], int.from_bytes(head[4:], "little")


def _read_body(socket: AdbSocket, size: int, deadline: Deadline) -> bytes:
    """The piece behind a head; one that adbd would not send is taken for a broken link."""
    if size > _MOST_AT_ONCE:
        raise EOFError
    return socket.read_exact(size, deadline)


def _failure(who: str, doing: str, reason: bytes) -> DeviceError:
    text = one_line(reason.decode("utf-8", "replace"))
    remedy = next((remedy for words, remedy in _REMEDIES if words in text), "")
    return StableDeviceError(f"{who}: {doing} failed: {text}. {remedy}".rstrip())


def _cut(who: str, doing: str) -> TransientDeviceError:
    return TransientDeviceError(
        f"{who}: the link broke while {doing}. Check cable or network, then try again."
    )


def file_bytes(source: bytes | Path) -> bytes:
    """The bytes themselves, or those of the file."""
    return source if isinstance(source, bytes) else source.read_bytes()
