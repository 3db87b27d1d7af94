"""The device lab's box (a real adbd, Python, LiteRT) behind an adb server of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LAB = Path(__file__).resolve().parents[1] / "tests" / "lab"
FIRST_PORT = 6790


def free_port() -> int:
    """A port that nobody listens on, clear of those that adb servers search for emulators."""
    for port in range(FIRST_PORT, FIRST_PORT + 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SystemExit("no free port")


def adb(*arguments: str) -> str:
    """Runs the adb command against the server that `lab_box` started."""
    done = subprocess.run(["adb", *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"adb {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def lab_box() -> Iterator[str]:
    """Starts the box and an adb server; yields the serial. Ends both, and nothing else."""
    if os.geteuid() != 0:
        raise SystemExit("the device lab needs root; see tests/lab/README.md")
    sys.path.insert(0, str(LAB))
    import lab  # builds into the cache of the real HOME

    serial = lab.phone_start(port=0, serial="LABBENCH", python=True)
    kept = dict(os.environ)
    try:
        with tempfile.TemporaryDirectory() as home:
            os.environ |= {"HOME": home, "ANDROID_ADB_SERVER_PORT": str(free_port())}
            for name in ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
                os.environ.pop(name, None)
            adb("start-server")
            try:
                answer = adb("connect", serial)
                if "connected to" not in answer:
                    raise SystemExit(answer)
                adb("-s", serial, "wait-for-device")
                yield serial
            finally:
                adb("kill-server")  # the one started above
    finally:
        os.environ.clear()
        os.environ |= kept
        lab.stop("phone", serial.rpartition(":")[2])
