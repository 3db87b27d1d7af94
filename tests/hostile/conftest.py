"""A sandbox, an adb server without devices, and commands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.measure_settings import MeasureSettings
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
        settings = MeasureSettings(launches=1, min_runs=5, max_runs=60, min_ms=1, max_ms=20)
        with open_meter(transport, Deadline.after(60), settings) as meter:
            meter.measure([MODEL])
    assert {"hello", "measure", "anchor"} <= set(json.loads(path.read_text()))
    return path
