"""Devices of the lab behind an adb server of their own: box, Android, the aarch64 machine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LAB = Path(__file__).resolve().parents[1] / "tests" / "lab"
FIRST_PORT = 6790


def free_port() -> int:
    """A port that nobody listens on, clear of those that adb servers search for emulators."""
    cache = Path(os.environ.get("LAB_CACHE") or Path.home() / ".cache" / "adadeep-lab")
    for port in range(FIRST_PORT, FIRST_PORT + 200):
        if list((cache / "running").glob(f"*-{port}")):  # of a run that was killed, or begins
            continue
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
    lab = _lab()
    serial = lab.phone_start(port=0, serial="LABBENCH", python=True)
    with _stopped(lab, "phone", serial), _connected(serial):
        yield serial


ANDROID = """ro.build.version.sdk=34
ro.product.manufacturer=Lab
ro.product.model=Android phone
ro.product.cpu.abilist=x86_64
"""


@contextlib.contextmanager
def lab_android() -> Iterator[str]:
    """The same with a phone that runs Java: a JVM stands in for ART."""
    lab = _lab()
    with tempfile.TemporaryDirectory() as folder:
        props = Path(folder, "props")
        props.write_text(ANDROID)
        serial = lab.phone_start(port=0, serial="LABBENCH", android=True, props=props)
    with _stopped(lab, "phone", serial), _connected(serial):
        yield serial


@contextlib.contextmanager
def lab_board() -> Iterator[str]:
    """The same with the aarch64 machine, whose clock counts instructions."""
    lab = _lab()
    serial = lab.board_start(free_port())
    with _stopped(lab, "board", serial), _connected(serial):
        yield serial


def _lab() -> Any:
    if os.geteuid() != 0:
        raise SystemExit("the device lab needs root; see tests/lab/README.md")
    sys.path.insert(0, str(LAB))
    import lab  # builds into the cache of the real HOME

    return lab


@contextlib.contextmanager
def _stopped(lab: Any, kind: str, serial: str) -> Iterator[None]:
    try:
        yield
    finally:
        lab.stop(kind, serial.rpartition(":")[2])


@contextlib.contextmanager
def _connected(serial: str) -> Iterator[None]:
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
                yield
            finally:
                adb("kill-server")  # the one started above
    finally:
        os.environ.clear()
        os.environ |= kept
