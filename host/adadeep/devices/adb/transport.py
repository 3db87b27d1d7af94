"""`AdbTransport`: a device behind an adb server."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

from adadeep.core.check import Check
from adadeep.core.clock import Deadline
from adadeep.core.errors import DeviceError, StableDeviceError, TransientDeviceError
from adadeep.core.stream import Stream
from adadeep.core.transport import MOST_OUTPUT_BYTES, ShellResult
from adadeep.devices.adb.connection import AdbSocket, ServiceRefused, ask
from adadeep.devices.adb.link import link_checks
from adadeep.devices.adb.server import ServerAddress, server_address
from adadeep.devices.adb.shell_protocol import AdbStream, PlainCommand, read_to_end, run_v2
from adadeep.devices.adb.sync import file_bytes, receive_file, send_file
from adadeep.devices.shell import too_much

_WORKDIR_S = 15.0
_CLEAN_UP_S = 2.0

# Takes the first folder that can be made, is ours alone (no link: whoever made that may turn it
# elsewhere), and lets a program run; says what failed with the others. A folder is made only where
# its parent is: a Linux board has no /data.
_WORKDIR_SCRIPT = r"""
s=/bin/sh; [ -x $s ] || s=/system/bin/sh  # Android before 10 has no /bin
try() {
  [ -d "${1%/*}" ] || { echo "no $1: there is no ${1%/*}"; return; }
  [ -d "$1" ] || mkdir -m 700 "$1" 2>/dev/null || { echo "no $1: can't be made"; return; }
  [ ! -L "$1" ] || { echo "no $1: is a link"; return; }
  [ -O "$1" ] || { echo "no $1: belongs to another user"; return; }
  case $(ls -ld "$1") in drwx------*) ;; *) echo "no $1: is open to others (chmod 700 it)"; return;; esac
  p="$1/.probe$$"
  printf '#!%s\nexit 0\n' $s 2>/dev/null >"$p" \
    || { rm -f "$p"; echo "no $1: can't be written"; return; }
  chmod 700 "$p" && "$p" 2>/dev/null || { rm -f "$p"; echo "no $1: does not let programs run"; return; }
  rm -f "$p"; echo "ok $1"; exit 0
}
try /data/local/tmp/adadeep
try "${TMPDIR:-/tmp}/adadeep-$(id -u)"
[ -z "$HOME" ] || try "${HOME%/}/.adadeep"
"""  # noqa: E501


class AdbTransport:
    """A `Transport` to the device that the adb server knows by this serial.

    Args:
        serial: USB serial, "host:port" or "emulator-5554".
        server: by default what the environment names.
        features: of the device's adbd; by default asked for when first needed. Without
            "shell_v2" commands go through the plain services.
    """

    kind = "adb"
    is_this_computer = False

    def __init__(
        self,
        serial: str,
        server: ServerAddress | None = None,
        features: frozenset[str] | None = None,
    ) -> None:
        self._serial = serial
        self._server = server or server_address()
        self._features = features
        self._workdir: str | None = None
        self._plain_service = "exec"

    @property
    def serial(self) -> str:
        """What `-d` takes."""
        return self._serial

    @property
    def workdir(self) -> str:
        """Our folder on the device; looked for once, in one round trip.

        Raises:
            StableDeviceError: no folder is writable and lets programs run.
            TransientDeviceError: the link broke.
        """
        if self._workdir is None:
            self._workdir = self._find_workdir(Deadline.after(_WORKDIR_S))
        return self._workdir

    def features(self, deadline: Deadline) -> frozenset[str]:
        """What the device's adbd can do, for example "shell_v2"; asked once."""
        if self._features is None:
            service = f"host-serial:{self._serial}:features"
            answer = ask(self._server, service, deadline, self._serial)
            self._features = frozenset(answer.strip().split(","))
        return self._features

    def run(
        self, command: str, deadline: Deadline, most_bytes: int = MOST_OUTPUT_BYTES
    ) -> ShellResult:
        """Runs a POSIX shell command to its end; a nonzero exit code is no error.

        Raises:
            TransientDeviceError: the link broke or the deadline passed.
            StableDeviceError: no such device, unauthorized, more output than `most_bytes`, ...
        """
        if "shell_v2" not in self.features(deadline):
            return self._run_plain(command, deadline, most_bytes)
        with self._service(f"shell,v2,raw:{command}", deadline) as socket:
            return run_v2(socket, command, self._serial, deadline, most_bytes)

    def open(self, command: str, deadline: Deadline) -> Stream:
        """Starts a long-lived shell command; its stderr goes nowhere (redirect it).

        Raises:
            TransientDeviceError: the link broke or the deadline passed.
            StableDeviceError: no such device, unauthorized, ...
        """
        packets = "shell_v2" in self.features(deadline)
        # adbd sends a hang-up when the connection ends; the end of stdin shall be what ends it.
        command = f"trap '' HUP; {command}"
        # Without packets stderr would mix into stdout.
        plain = f"exec:sh -c {shlex.quote(command)} 2>/dev/null"
        service = f"shell,v2,raw:{command}" if packets else plain
        return AdbStream(self._service(service, deadline), self._serial, packets)

    def push(
        self, source: bytes | Path, remote: str, deadline: Deadline, mode: int = 0o644
    ) -> None:
        """Writes a file; the device makes its folder. What failed is removed again.

        Raises:
            StableDeviceError: no space, no permission.
            TransientDeviceError: the link broke or the deadline passed.
        """
        data = file_bytes(source)
        with self._service("sync:", deadline) as socket:
            try:
                send_file(socket, data, remote, mode, self._serial, deadline)
            except DeviceError:
                with contextlib.suppress(DeviceError):
                    self.run(f"rm -f {shlex.quote(remote)}", Deadline.after(_CLEAN_UP_S))
                raise

    def pull(self, remote: str, deadline: Deadline) -> bytes:
        """Reads a file.

        Raises:
            StableDeviceError: no such file, no permission.
            TransientDeviceError: the link broke or the deadline passed.
        """
        with self._service("sync:", deadline) as socket:
            return receive_file(socket, remote, self._serial, deadline)

    def examine(self, deadline: Deadline) -> list[Check]:
        """Checks the adb server, and in which state it has the device.

        Raises:
            DeviceError: the server does not answer.
        """
        return link_checks(self._server, self._serial, deadline)

    def _service(self, service: str, deadline: Deadline) -> AdbSocket:
        socket = AdbSocket.connect(self._server, self._serial, deadline)
        try:
            socket.request(f"host:transport:{self._serial}", deadline)
            socket.request(service, deadline)
        except BaseException:
            socket.close()
            raise
        return socket

    def _run_plain(self, command: str, deadline: Deadline, most_bytes: int) -> ShellResult:
        plain = PlainCommand(command)
        try:
            with self._service(f"{self._plain_service}:{plain.script}", deadline) as socket:
                output = read_to_end(socket, most_bytes, deadline)
        except ServiceRefused:  # adbd before Android 5 has no exec:, only shell: with a terminal
            if self._plain_service == "shell":
                raise
            self._plain_service = "shell"
            return self._run_plain(command, deadline, most_bytes)
        if output is None:
            raise too_much(self._serial, command, most_bytes)
        if self._plain_service == "shell":
            output = output.replace(b"\r\n", b"\n")
        return plain.parse(output, self._serial)

    def _find_workdir(self, deadline: Deadline) -> str:
        lines = self.run(_WORKDIR_SCRIPT, deadline).text.splitlines()
        for line in lines:
            if line.startswith("ok "):
                return line[3:]
        if not lines:
            raise TransientDeviceError(
                f"{self._serial}: the search for a folder to work in said nothing; try again."
            )
        tried = "; ".join(line.removeprefix("no ") for line in lines)
        raise StableDeviceError(
            f"{self._serial}: there is no folder that can be written and lets programs run "
            f"({tried}). Make one of these writable, or free space on the device."
        )
