"""Where the environment says the adb server is."""

from __future__ import annotations

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import ConfigError
from adadeep.devices.adb.server import AdbUnavailable, ServerAddress, server_address, start_server


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "127.0.0.1:5037"),
        ({"ANDROID_ADB_SERVER_PORT": "6790"}, "127.0.0.1:6790"),
        ({"ANDROID_ADB_SERVER_ADDRESS": "10.0.0.2"}, "10.0.0.2:5037"),
        ({"ADB_SERVER_SOCKET": "tcp:6000", "ANDROID_ADB_SERVER_PORT": "1"}, "127.0.0.1:6000"),
        ({"ADB_SERVER_SOCKET": "tcp:far:6000"}, "far:6000"),
        ({"ADB_SERVER_SOCKET": "tcp:[::1]:6000"}, "::1:6000"),
    ],
)
def test_environment_is_read_as_adb_reads_it(environment: dict[str, str], address: str) -> None:
    assert str(server_address(environment)) == address


@pytest.mark.parametrize(
    "environment",
    [
        {"ANDROID_ADB_SERVER_PORT": "x"},
        {"ANDROID_ADB_SERVER_PORT": "70000"},
        {"ANDROID_ADB_SERVER_PORT": "²"},
        {"ADB_SERVER_SOCKET": "localabstract:adb"},
    ],
)
def test_what_is_no_address_is_told_with_its_variable(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(environment))):
        server_address(environment)


def test_a_server_elsewhere_is_never_started() -> None:
    with pytest.raises(AdbUnavailable, match=r"10\.0\.0\.2:5037"):
        start_server(ServerAddress("10.0.0.2"), Deadline.after(1))
