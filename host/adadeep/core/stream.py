"""Stream: how the host talks with a process on a device."""

from __future__ import annotations

from typing import Protocol

from adadeep.core.clock import Deadline


class Stream(Protocol):
    """Stdin and stdout of one long-lived process on a device."""

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Sends bytes to its stdin.

        Raises:
            TransientDeviceError: the process or the link is gone, or the deadline passed.
        """
        ...

    def read_line(self, deadline: Deadline) -> bytes:
        """Returns the next line of its stdout without the line feed.

        Raises:
            DeadlinePassed: nothing whole came in time; reading may go on.
            TransientDeviceError: the process or the link is gone.
            StableDeviceError: the line has no end.
        """
        ...

    def close(self) -> None:
        """Ends the connection; the process sees the end of its stdin. May be called twice."""
        ...
