"""A sandbox, an adb server without devices, and commands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
