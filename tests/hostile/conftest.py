"""A sandbox, an adb server without devices, and commands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.local import LocalTransport
from adadeep.measure.session import open_meter
from fakes.good_files import MODEL
from fakes.hostile_local import recording_open
from fakes.sandbox import AdbServer, CommandRunner, Sandbox, listing


@pytest.fixture
def no_devices() -> Iterator[AdbServer]:
    with AdbServer(listing(b"")) as server:
        yield server
        server.shutdown()


@pytest.fixture
def sandbox(tmp_path: Path, no_devices: AdbServer) -> Sandbox:
    return Sandbox(tmp_path / "root", {"ANDROID_ADB_SERVER_PORT": str(no_devices.port)})


@pytest.fixture
def command(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandRunner:
    return CommandRunner(sandbox, capfd, monkeypatch)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a sound agent says while a model is measured."""
    folder = tmp_path_factory.mktemp("recording")
    path = folder / "replies.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalTransport, "open", recording_open(path))
        transport = LocalTransport(folder / "agent")
        plan = MeasuringPlan(placements=2, placement_ms=10, block_ms=2, max_ms=200)
        with open_meter(transport, Deadline.after(60)) as meter:
            meter.measure([MODEL], plan)
    assert {"hello", "measure", "parts"} <= set(json.loads(path.read_text()))
    return path
