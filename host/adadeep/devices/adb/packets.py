"""Packets of adb's shell protocol version 2: a byte of kind, four of length, the data."""

from __future__ import annotations

import struct
from enum import IntEnum

from adadeep.core.errors import StableDeviceError

_HEAD = struct.Struct("<BI")
_MOST_BYTES = 1 << 15  # per packet; old devices have small buffers
_MOST_TO_US = 4 << 20  # adbd sends at most 1 MiB at once; a longer packet is no packet


class PacketKind(IntEnum):
    """What a packet carries."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    CLOSE_STDIN = 4


def encode_stdin(data: bytes) -> bytes:
    """These bytes as packets of stdin."""
    pieces = (data[at : at + _MOST_BYTES] for at in range(0, len(data), _MOST_BYTES))
    return b"".join(_HEAD.pack(PacketKind.STDIN, len(piece)) + piece for piece in pieces)


def encode_close_stdin() -> bytes:
    """The end of stdin."""
    return _HEAD.pack(PacketKind.CLOSE_STDIN, 0)


class PacketReader:
    """Takes bytes as they come, gives whole packets.

    Args:
        who: the device that errors name.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> list[tuple[int, bytes]]:
        """Adds bytes; returns the packets (kind, data) that they complete.

        Raises:
            StableDeviceError: a packet is longer than any that adbd makes.
        """
        self._bytes += piece
        packets = []
        at = 0
        while len(self._bytes) - at >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._bytes, at)
            if size > _MOST_TO_US:
                raise StableDeviceError(
                    f"{self._who}: it speaks no shell protocol (a packet of {size} bytes). Start "
                    "it anew, or update its system; `adadeep doctor` checks it."
                )
            end = at + _HEAD.size + size
            if len(self._bytes) < end:
                break
            packets.append((kind, bytes(self._bytes[at + _HEAD.size : end])))
            at = end
        del self._bytes[:at]
        return packets
