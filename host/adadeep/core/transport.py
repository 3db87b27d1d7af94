"""Transport: a way to one device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adadeep.core.check import Check
from adadeep.core.clock import Deadline
from adadeep.core.stream import Stream

# Nothing that we ask a device is answered by more; what says more is broken or means harm.
MOST_OUTPUT_BYTES = 8_000_000
MOST_FILE_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class ShellResult:
    """What a command on a device gave.

    Attributes:
        command: as it was asked for.
        stdout: bytes as they came.
        stderr: apart from stdout wherever the device can keep them apart.
        exit_code: of the command itself.
    """

    command: str
    stdout: bytes
    stderr: bytes
    exit_code: int

    @property
    def text(self) -> str:
        """Stdout as text; bytes that are no UTF-8 are replaced."""
        return self.stdout.decode("utf-8", "replace")


class Transport(Protocol):
    """A way to one device. Every call has a deadline and names the serial in its errors.

    Raises:
        TransientDeviceError: link broken or deadline passed.
        StableDeviceError: no space, no such device, unauthorized, an answer without end, ...
    """

    @property
    def serial(self) -> str:
        """What `-d` takes."""
        ...

    @property
    def kind(self) -> str:
        """What facts call it: "adb" or "local"."""
        ...

    @property
    def is_this_computer(self) -> bool:
        """Whether commands run on the computer that the host runs on."""
        ...

    @property
    def workdir(self) -> str:
        """Folder on the device that is ours; it exists, is writable and lets programs run."""
        ...

    def run(
        self, command: str, deadline: Deadline, most_bytes: int = MOST_OUTPUT_BYTES
    ) -> ShellResult:
        """Runs a POSIX shell command to its end; a nonzero exit code is no error.

        One that prints more than `most_bytes` is ended: a StableDeviceError.
        """
        ...

    def open(self, command: str, deadline: Deadline) -> Stream:
        """Starts a long-lived shell command; its stderr goes nowhere (redirect it)."""
        ...

    def push(
        self, source: bytes | Path, remote: str, deadline: Deadline, mode: int = 0o644
    ) -> None:
        """Writes a file on the device, whole or not at all; makes its folder if need be."""
        ...

    def pull(self, remote: str, deadline: Deadline) -> bytes:
        """Reads a file of the device, of at most `MOST_FILE_BYTES`."""
        ...

    def examine(self, deadline: Deadline) -> list[Check]:
        """Checks the way itself, short of a command on the device, for `adadeep doctor`."""
        ...
