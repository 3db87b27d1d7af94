"""This computer as a device: the same calls as over adb, without a cable."""

from __future__ import annotations

import errno
from pathlib import Path

from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.device import LOCAL_SERIAL, LOCAL_TRANSPORT
from adadeep.core.errors import DeviceError, StableDeviceError, TransientDeviceError
from adadeep.core.files import replacing
from adadeep.core.places import cache_dir
from adadeep.core.stream import Stream
from adadeep.core.transport import MOST_FILE_BYTES, MOST_OUTPUT_BYTES, ShellResult
from adadeep.devices.shell import open_process, run_process

SERIAL = LOCAL_SERIAL


class LocalTransport:
    """A `Transport` to this computer; commands run by `sh -c` in the root folder, as over adb.

    Args:
        workdir: our folder; by default `$XDG_CACHE_HOME/adadeep/agent` (`~/.cache` if unset).
    """

    serial = SERIAL
    kind = LOCAL_TRANSPORT
    is_this_computer = True

    def __init__(self, workdir: Path | None = None) -> None:
        self._folder = workdir
        self._workdir: str | None = None

    @property
    def workdir(self) -> str:
        """The per-user folder of ours, made when first asked for, closed to other users.

        Raises:
            StableDeviceError: it can't be made.
            ConfigError: the environment names no such place.
        """
        if self._workdir is None:
            folder = self._folder or cache_dir() / "agent"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise _file_error("making the work folder", str(folder), error) from error
            self._workdir = str(folder)
        return self._workdir

    def run(
        self, command: str, deadline: Deadline, most_bytes: int = MOST_OUTPUT_BYTES
    ) -> ShellResult:
        """Runs a POSIX shell command to its end; a nonzero exit code is no error.

        Raises:
            TransientDeviceError: the deadline passed; the command has been ended.
            StableDeviceError: it printed more than `most_bytes`; it has been ended.
        """
        argv = ["sh", "-c", command]
        done = run_process(argv, deadline, SERIAL, cwd="/", most_bytes=most_bytes)
        return ShellResult(command, done.stdout, done.stderr, done.exit_code)

    def open(self, command: str, deadline: Deadline) -> Stream:
        """Starts a long-lived shell command; its stderr goes nowhere (redirect it)."""
        _require_time(deadline, "starting a command")
        return open_process(["sh", "-c", command], SERIAL, cwd="/")

    def push(
        self, source: bytes | Path, remote: str, deadline: Deadline, mode: int = 0o644
    ) -> None:
        """Writes a file, whole or not at all; makes its folder if need be.

        Raises:
            StableDeviceError: no space, no permission.
        """
        _require_time(deadline, f"writing {remote}")
        data = source if isinstance(source, bytes) else source.read_bytes()
        target = Path(remote)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target, mode) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise _file_error("writing", remote, error) from error

    def pull(self, remote: str, deadline: Deadline) -> bytes:
        """Reads a file.

        Raises:
            StableDeviceError: there is no such file, no permission, or it is far too large.
        """
        _require_time(deadline, f"reading {remote}")
        try:
            with Path(remote).open("rb") as file:
                data = file.read(MOST_FILE_BYTES + 1)
        except OSError as error:
            raise _file_error("reading", remote, error) from error
        if len(data) > MOST_FILE_BYTES:
            raise StableDeviceError(
                f"{SERIAL}: {remote} has more than {MOST_FILE_BYTES / 1e6:g} MB; that is no file "
                "of ours. Remove it, then try again."
            )
        return data

    def examine(self, deadline: Deadline) -> list[Check]:
        """There is no way that could be broken.

        Raises:
            TransientDeviceError: the deadline passed.
        """
        _require_time(deadline, "checking")
        return [Check("link", CheckStatus.OK, "this computer; no link needed")]


def _require_time(deadline: Deadline, doing: str) -> None:
    if deadline.expired:
        raise TransientDeviceError(f"{SERIAL}: {doing}: the deadline has passed.")


_REMEDIES = {
    errno.ENOSPC: "Free some space on this computer's disk and run it again.",
    errno.EDQUOT: "Your disk quota is used up; free some space and run it again.",
    errno.EACCES: "Give your user the permission, or set XDG_CACHE_HOME to a folder of yours.",
    errno.ENOENT: "Check the path; XDG_CACHE_HOME names the folder above our own.",
    errno.ENOTDIR: "Check the path; XDG_CACHE_HOME names the folder above our own.",
    errno.EROFS: "Set XDG_CACHE_HOME to a folder that can be written.",
}


def _file_error(doing: str, path: str, error: OSError) -> DeviceError:
    reason = error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0, "")
    return StableDeviceError(f"{SERIAL}: {doing} {path} failed: {reason}. {remedy}".rstrip())
