"""Cuts bytes that come in pieces into lines."""

from __future__ import annotations

from adadeep.core.errors import StableDeviceError

# The longest answers: the raw samples of one job, or the outputs of some tens of samples.
MOST_WAITING_BYTES = 4_000_000


class LineBuffer:
    """Takes pieces, gives lines; looks at a byte once, so that lines of megabytes are cheap.

    Args:
        who: the device that errors name.
        most_bytes: that may wait here, so also the longest line.
    """

    def __init__(self, who: str, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._who = who
        self._most_bytes = most_bytes
        self._bytes = bytearray()
        self._searched = 0

    def feed(self, piece: bytes) -> None:
        """Adds bytes at the end.

        Raises:
            StableDeviceError: more wait than any sane program says.
        """
        if len(self._bytes) + len(piece) > self._most_bytes:
            raise StableDeviceError(
                f"{self._who}: the process there says more than {self._most_bytes / 1e6:g} MB "
                "in one go; the connection was closed. Start the device anew, then try again."
            )
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
