"""Where the adb server is, and starting one where none runs. None is ever ended: whose is it?

Environment, as adb reads it: ADB_SERVER_SOCKET (tcp:host:port), ANDROID_ADB_SERVER_ADDRESS,
ANDROID_ADB_SERVER_PORT. The program `adb` is $ADBUTILS_ADB_PATH, that of PATH, or adbutils' own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, StableDeviceError
from adadeep.devices.shell import run_process

_DEFAULT_PORT = 5037
_THIS_COMPUTER = ("127.0.0.1", "localhost", "::1")


class AdbUnavailable(StableDeviceError):
    """No adb server answers, and none could be started."""


class AdbMissing(AdbUnavailable):
    """No adb server answers, and this computer has no adb to start one with."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Of an adb server."""

    host: str = "127.0.0.1"
    port: int = _DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def server_address(environment: Mapping[str, str] = os.environ) -> ServerAddress:
    """The address that the environment names, else 127.0.0.1:5037.

    Raises:
        ConfigError: the environment names something that is no address.
    """
    whole = environment.get("ADB_SERVER_SOCKET")
    if whole:
        kind, _, place = whole.partition(":")
        if kind != "tcp":
            raise ConfigError(f"ADB_SERVER_SOCKET is {whole!r}; only tcp:HOST:PORT is supported.")
        host, _, port = place.rpartition(":")
        return ServerAddress(host.strip("[]") or "127.0.0.1", _port(port, "ADB_SERVER_SOCKET"))
    host = environment.get("ANDROID_ADB_SERVER_ADDRESS") or "127.0.0.1"
    text = environment.get("ANDROID_ADB_SERVER_PORT") or str(_DEFAULT_PORT)
    return ServerAddress(host, _port(text, "ANDROID_ADB_SERVER_PORT"))


def _port(text: str, name: str) -> int:
    if re.fullmatch("[0-9]{1,5}", text) and 0 < int(text) < 65536:
        return int(text)
    shown = one_line(text, 40)
    raise ConfigError(f"{name} holds no port number from 1 to 65535: {shown!r}.")


def adb_program() -> str:
    """Path of the adb program.

    Raises:
        AdbMissing: there is none.
    """
    chosen = os.environ.get("ADBUTILS_ADB_PATH") or shutil.which("adb")
    if chosen:
        return chosen
    import adbutils  # late: takes 0.15 s

    bundled = Path(adbutils.__file__).parent / "binaries" / "adb"
    if bundled.is_file():
        return str(bundled)
    raise AdbMissing(
        "There is no adb on this computer. Install Android's platform-tools (Debian: apt install "
        "adb), or name the program in ADBUTILS_ADB_PATH."
    )


def start_server(server: ServerAddress, deadline: Deadline) -> None:
    """Starts an adb server at this address, which must be of this computer.

    Raises:
        AdbMissing: there is no adb.
        AdbUnavailable: it is another computer's, or it does not start.
    """
    if server.host not in _THIS_COMPUTER:
        raise AdbUnavailable(
            f"No adb server answers at {server}. Start one there, or unset "
            "ANDROID_ADB_SERVER_ADDRESS and ADB_SERVER_SOCKET to use this computer's."
        )
    environment = {k: v for k, v in os.environ.items() if k != "ADB_SERVER_SOCKET"}
    environment["ANDROID_ADB_SERVER_PORT"] = str(server.port)
    program = adb_program()
    done = run_process([program, "start-server"], deadline, "adb", env=environment)
    if done.exit_code != 0:
        raise AdbUnavailable(
            f"`{program} start-server` failed on port {server.port}: {done.text[-400:]}. "
            "Run it by hand to see more."
        )
