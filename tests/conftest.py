"""Shared by all tests: a home and an adb server of their own, and the device lab.

Nothing here or in a test touches the user's adb server, library or cache. The lab (a real adbd,
`tests/lab`) needs root on Debian 12, x86-64; where that is missing its tests are skipped.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from adadeep.core.errors import AdaDeepError
from adadeep.devices.adb.server import adb_program
from adadeep.devices.agent_kinds.android_java.built import built

hypothesis.settings.register_profile(  # which may be a busy one
    "any computer", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any computer")
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    # In the background of a shell, or under nohup, they are ignored, and children inherit that.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

LAB = Path(__file__).parent / "lab" / "lab.py"
START_S = 600  # the first start of a kind builds it


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", help="serial of an attached device for the tests marked `device`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        markers = {marker.name for marker in item.iter_markers()}
        if markers & {"lab", "board"} and (reason := lab_reason()):
            item.add_marker(pytest.mark.skip(reason=f"no device lab: {reason}"))
        if "soak" in markers and "soak" not in str(config.getoption("markexpr")):
            item.add_marker(pytest.mark.skip(reason="takes the whole machine: make soak"))
        if "device" in markers and not config.getoption("--device"):
            item.add_marker(pytest.mark.skip(reason="needs a device: pytest --device SERIAL"))
    # Files with slow tests first, so that no process works on one alone at the end.
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@functools.cache
def lab_reason() -> str | None:
    """Why the device lab can't run here; None if it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "it needs root"
    if platform.machine() != "x86_64":
        return f"it needs x86-64, this is {platform.machine()}"
    release = Path("/etc/os-release")
    words = release.read_text() if release.exists() else ""
    if "ID=debian" not in words or 'VERSION_ID="12"' not in words:
        return "it needs Debian 12"
    for program in ("unshare", "apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            return f"it needs {program}"
    spaces = ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "true"]
    done = subprocess.run(spaces, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no namespaces ({done.stderr.strip()})"


# ---- a home and an adb server of our own


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """HOME, library and adb port are the tests' own; whatever adb server they start is ended."""
    home = tmp_path_factory.mktemp("home")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_CACHE", os.environ.get("LAB_CACHE") or str(cache / "adadeep-lab"))
        patch.setenv("PIP_CACHE_DIR", os.environ.get("PIP_CACHE_DIR") or str(cache / "pip"))
        patch.setenv("HOME", str(home))
        patch.setenv("ADADEEP_LIBRARY", str(home / "library"))
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "ANDROID_SERIAL",
                     "ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_ADDRESS"):  # fmt: skip
            patch.delenv(name, raising=False)
        yield home
        stop_adb_server(port)


def free_port(first: int = 6800, last: int = 7600) -> int:
    """A port that nothing listens on; not one of those where adb looks for emulators."""
    running = Path(os.environ.get("LAB_CACHE", "")) / "running"
    for port in random.sample(range(first, last), 100):
        if list(running.glob(f"*-{port}")):  # left by a run that was killed
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no free port from {first} to {last}")


def adb(*arguments: str) -> str:
    """Runs adb against the server that the environment names; its output, whatever its status."""
    done = subprocess.run(
        ["adb", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout + done.stderr


def stop_adb_server(port: int) -> None:
    """Ends the server on a port that we chose while it was free, so the server is ours."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return
    environment = {**os.environ, "ANDROID_ADB_SERVER_PORT": str(port)}
    program = adb_program()  # where adb is not installed, adbutils' own started the server
    subprocess.run([program, "kill-server"], env=environment, capture_output=True, check=False)


@pytest.fixture(scope="session")
def adb_env(own_home: Path) -> dict[str, str]:
    """The environment in which our adb server runs; it is that of this process too."""
    lab("phone", "build")  # brings adb, too
    adb("start-server")
    return dict(os.environ)


@pytest.fixture
def fresh_adb(adb_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An adb server for one test alone, which knows no device yet; its port."""
    port = free_port()
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    adb("start-server")
    yield port
    stop_adb_server(port)


# ---- devices


@dataclass
class LabDevice:
    """A device of the lab.

    Attributes:
        serial: as the adb server knows it.
        port: of its adbd on 127.0.0.1.
        kind: "phone", "board" or "usb".
        root: its files as the host sees them (a phone's /data is not among them).
    """

    serial: str
    port: int
    kind: str = "phone"
    root: Path = field(default_factory=Path)

    def stop(self) -> None:
        """Kills it, as a pulled plug would. May be called twice."""
        self.command("stop")

    def command(self, *words: str) -> None:
        """One of lab.py for this device, for example "unplug"."""
        lab(self.kind, *words, "--port", str(self.port))

    def disconnect(self) -> None:
        """Makes the adb server forget it."""
        adb("disconnect", self.serial)


def lab(*arguments: str) -> str:
    """Runs lab.py; fails with what it printed."""
    done = subprocess.run(
        [sys.executable, str(LAB), *arguments],
        capture_output=True, text=True, timeout=START_S, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"lab.py {' '.join(arguments)}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout.strip()


def start_phone(connect: bool = True, python: bool | str = False, **options: Any) -> LabDevice:
    """Starts a phone of the lab.

    Args:
        connect: have the adb server connect to it.
        python: True for a box with Python and LiteRT, "bare" for one with Python alone.
        options: of `lab.py phone start`: serial, props, overlay, data_mb, secure, host_sys,
            android.
    """
    if "overlay" in options:
        options["root_overlay"] = options.pop("overlay")
    arguments = []
    if python:
        arguments.append("--python-bare" if python == "bare" else "--python")
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        arguments += [flag] if value is True else [flag, str(value)] if value else []
    address = lab("phone", "start", "--port", str(free_port()), *arguments)
    port = int(address.rpartition(":")[2])
    root = Path(os.environ["LAB_CACHE"]) / "running" / f"phone-{port}" / "root"
    device = LabDevice(address, port, root=root)
    if connect:
        adb("connect", address)
    return device


@pytest.fixture
def lab_phone(adb_env: dict[str, str]) -> Iterator[Callable[..., LabDevice]]:
    """Starts phones for one test: `lab_phone(props=..., data_mb=...)`, see `start_phone`."""
    devices: list[LabDevice] = []

    def start(**options: Any) -> LabDevice:
        devices.append(start_phone(**options))
        return devices[-1]

    yield start
    for device in devices:
        device.disconnect()
        device.stop()


@pytest.fixture(scope="session")
def lab_box(adb_env: dict[str, str]) -> Iterator[LabDevice]:
    """A Linux box with Python and LiteRT behind a real adbd, connected. Do not stop it."""
    device = start_phone(python=True, serial="LABBOX")
    yield device
    device.disconnect()
    device.stop()


ANDROID_PROPS = """ro.build.version.sdk=34
ro.build.version.release=14
ro.build.fingerprint=lab/android/x86_64:14/LAB/1:user/release-keys
ro.product.manufacturer=Lab
ro.product.model=Android phone
ro.product.device=lab
ro.product.cpu.abilist=arm64-v8a,x86_64
ro.product.cpu.abi=arm64-v8a
ro.serialno=LABANDROID
"""


@pytest.fixture(scope="session")
def android_props(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Properties of an Android of today, for `lab_phone`. The ABI that it runs stands second."""
    file = tmp_path_factory.mktemp("android") / "props"
    file.write_text(ANDROID_PROPS)
    return file


@pytest.fixture(scope="session")
def lab_android(adb_env: dict[str, str], android_props: Path) -> Iterator[LabDevice]:
    """A phone that runs Java and Android's own TensorFlow Lite, connected. Do not stop it."""
    require_android()
    device = start_phone(android=True, props=android_props, serial="LABANDROID")
    yield device
    device.disconnect()
    device.stop()


def require_android() -> None:
    """Skips a test where the Android agent is not built."""
    try:
        built()
    except AdaDeepError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lab_board(adb_env: dict[str, str]) -> Iterator[LabDevice]:
    """The aarch64 machine, connected; for tests with the marker `board`. Do not stop it."""
    port = free_port()
    address = lab("board", "start", "--port", str(port))
    adb("connect", address)
    device = LabDevice(address, port, kind="board")
    yield device
    device.disconnect()
    device.stop()


@pytest.fixture
def lab_usb(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabDevice]:
    """A phone on a USB cable, with the adb server at the cable's other end; marker `board`."""
    port = free_port()
    lab("usb", "start", "--port", str(port))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    device = LabDevice("LABUSB0001", port, kind="usb")
    yield device
    device.stop()


_ADB_OF_THE_USER = {name: os.environ.get(name) for name in (
    "ANDROID_ADB_SERVER_PORT", "ANDROID_ADB_SERVER_ADDRESS", "ADB_SERVER_SOCKET")}  # fmt: skip


@pytest.fixture
def device_serial(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The device that the user named with --device, at the user's own adb server."""
    for name, value in _ADB_OF_THE_USER.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    return str(request.config.getoption("--device"))
