"""`adadeep doctor` against the lab: healthy, without Python, provisioned, full, cleaned."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from adadeep.core.agent_kind import Preparing
from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.agent_kinds.linux_python.kind import LINUX_PYTHON, LinuxAgent
from adadeep.devices.agent_kinds.linux_python.python import probe_python

pytestmark = pytest.mark.lab
Start = Callable[..., Any]


def soon(seconds: float = 60) -> Deadline:
    return Deadline.after(seconds)


def doctor(*arguments: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "adadeep", "doctor", *arguments, "--json"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    document = json.loads(done.stdout) if done.stdout else {}
    return done.returncode, document, done.stderr


def prepare(
    box: Any, seconds: float = 60, tell: Callable[[str], object] | None = None
) -> LinuxAgent:
    """Gets a device ready; what is missing may be provided where somebody is told."""
    transport = AdbTransport(box.serial)
    preparing = Preparing(lambda _: True, tell) if tell else Preparing()  # type: ignore[arg-type]
    return LINUX_PYTHON.prepare(transport, soon(seconds), preparing)


def checks(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in document["devices"][0]["checks"]}


def until(holds: Callable[[], bool]) -> bool:
    deadline = soon(120)
    while not holds() and not deadline.expired:
        time.sleep(0.1)
    return holds()


def package_index_reachable() -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", os.devnull,
         "--disable-pip-version-check", "--retries", "0", "--timeout", "5", "no-such-package-0"],
        capture_output=True, text=True,
    )  # fmt: skip
    return "from versions: none" in done.stderr and "Errno" not in done.stderr


def test_a_box_with_everything_is_healthy(lab_box: Any) -> None:
    status, document, _ = doctor("-d", lab_box.serial)
    assert status == 0
    assert document["ok"]
    found = checks(document)
    assert {check["status"] for check in found.values()} <= {"ok", "warn"}
    assert list(found) == [
        "adb server", "state", "shell", "work folder", "free space", "ABI", "clock", "Python",
        "numpy", "TFLite runtime", "agent",
    ]  # fmt: skip
    assert "ai_edge_litert" in found["agent"]["evidence"]


@pytest.mark.slow
@pytest.mark.board
def test_the_aarch64_board_is_healthy(lab_board: Any) -> None:
    status, document, _ = doctor("-d", lab_board.serial)
    assert status == 0
    found = checks(document)
    assert "aarch64" in found["ABI"]["evidence"]
    assert "ai_edge_litert" in found["agent"]["evidence"]


def test_this_computer_is_healthy() -> None:
    status, document, _ = doctor("-d", "local")
    assert status == 0
    assert checks(document)["agent"]["status"] == "ok"


def test_a_phone_without_python_and_java_fails_and_says_so(lab_phone: Start) -> None:
    phone = lab_phone()
    status, document, _ = doctor("-d", phone.serial)
    assert status == 3
    python = checks(document)["Python"]
    assert python["status"] == "fail"
    assert "needs 3.8 or newer" in python["remedy"]
    assert probe_python(AdbTransport(phone.serial), soon()) is None
    with pytest.raises(StableDeviceError, match=r"no Python.*3\.8 or newer"):
        prepare(phone)


def test_a_bare_python_is_told_how_to_get_a_runtime(lab_phone: Start) -> None:
    box = lab_phone(python="bare")
    status, document, _ = doctor("-d", box.serial)
    assert status == 3
    found = checks(document)
    assert found["Python"]["status"] == "ok"
    assert found["numpy"]["status"] == "fail"
    assert "--provision" in found["TFLite runtime"]["remedy"]
    assert "agent" not in found


@pytest.mark.slow
@pytest.mark.skipif(not package_index_reachable(), reason="no package index can be reached")
class TestProvision:
    def test_a_bare_python_becomes_one_that_measures_and_is_cleaned(
        self, lab_phone: Start
    ) -> None:
        box = lab_phone(python="bare", data_mb=600)
        status, document, errors = doctor("-d", box.serial, "--provision")
        assert status == 0, errors
        assert "ai_edge_litert" in checks(document)["agent"]["evidence"]
        agent = prepare(box)
        assert agent.python_path
        left = AdbTransport(box.serial).run(f"ls {agent.python_path}/..", soon()).text
        assert ".whl" not in left
        assert ".new" not in left
        steps: list[str] = []
        assert prepare(box, tell=steps.append).python_path == agent.python_path
        assert steps == []  # found by the probe: nothing is downloaded again

        status, document, _ = doctor("-d", box.serial, "--clean")
        assert status == 0, document
        folder = document["devices"][0]["removed"]
        left = AdbTransport(box.serial).run(f"ls {folder}/.. ", soon())
        assert b"adadeep" not in left.stdout

    def test_killed_while_it_provisions_it_leaves_nothing_on_the_device(
        self, lab_phone: Start
    ) -> None:
        box = lab_phone(python="bare", data_mb=600)
        transport = AdbTransport(box.serial)
        passing = f"ls {transport.workdir}/tmp/*"
        process = subprocess.Popen(
            [sys.executable, "-m", "adadeep", "doctor", "-d", box.serial, "--provision"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert until(lambda: b"new" in transport.run(passing, soon()).stdout)  # unpacking
        process.kill()
        process.wait()
        listing = f"ls -A {transport.workdir}"
        assert until(lambda: transport.run(listing, soon()).stdout.strip() == b"")

    def test_too_little_space_is_told_before_anything_is_pushed(self, lab_phone: Start) -> None:
        box = lab_phone(python="bare", data_mb=40)
        transport = AdbTransport(box.serial)
        with pytest.raises(StableDeviceError, match=r"MB free.*Free some space"):
            prepare(box, 300, str)
        assert transport.run(f"ls {transport.workdir}", soon()).stdout == b""


def test_no_network_is_told(lab_phone: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    box = lab_phone(python="bare")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        with pytest.raises(StableDeviceError, match=r"package index can't be reached"):
            prepare(box, 120, str)
