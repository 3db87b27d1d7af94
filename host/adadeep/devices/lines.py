"""Cuts bytes that come in pieces into lines."""

from __future__ import annotations


class LineBuffer:
    """Takes pieces, gives lines; looks at a byte once, so that lines of megabytes are cheap."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._searched = 0

    def feed(self, piece: bytes) -> None:
        """Adds bytes at the end."""
        self._bytes += piece

    def take_line(self) -> bytes | None:
        """Removes the first line and returns it without its line feed; None if none is whole."""
        end = self._bytes.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._bytes)
            return None
        line = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        self._searched = 0
        return line
