"""Rows of `adb devices -l`, captured and made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.devices.adb.listing import STATES, connection_of, parse_devices

CAPTURES = Path(__file__).parents[4] / "shared/data/device_captures/adb-devices"


def test_reads_serial_state_connection_and_description() -> None:
    text = "0123456789abcdef   device usb:2-1 product:P model:My_Model transport_id:1\n"
    (row,) = parse_devices(text)
    assert (row.serial, row.state, row.connection) == ("0123456789abcdef", "device", "usb")
    assert row.description["model"] == "My_Model"
    assert row.usable
    assert row.problem is None
    assert row.remedy is None


@pytest.mark.parametrize("state", sorted(STATES))
def test_every_other_state_is_explained_with_a_remedy(state: str) -> None:
    (row,) = parse_devices(f"List of devices attached\nXYZ\t{state}\n")
    assert row.serial == "XYZ"
    assert not row.usable
    assert row.problem
    assert row.remedy


def test_no_permissions_comes_with_words_of_its_own() -> None:
    (row,) = parse_devices(
        "????????????           no permissions (user in plugdev group; are your udev rules"
        " wrong?); see [http://developer.android.com/tools/device.html] usb:1-1 transport_id:3"
    )
    assert (row.serial, row.state) == ("????????????", "no permissions")
    assert row.description["usb"] == "1-1"
    assert "udev" in str(row.remedy)


def test_serials_may_hold_spaces() -> None:
    (row,) = parse_devices(
        "adb-0123456789AB-CDdefg (2)._adb-tls-connect._tcp device product:blazer"
    )
    assert row.serial == "adb-0123456789AB-CDdefg (2)._adb-tls-connect._tcp"
    assert row.connection == "tcp"


def test_stray_carriage_returns_and_daemon_chatter_are_passed_over() -> None:
    rows = parse_devices(
        "* daemon not running; starting now at tcp:5037\r\n* daemon started successfully\r\n"
        "List of devices attached\r\nSERIAL123        device product:generic\r model:T\r\n\r\n"
    )
    assert [(row.serial, row.description["model"]) for row in rows] == [("SERIAL123", "T")]


def test_messages_are_no_devices() -> None:
    assert (
        parse_devices("java.io.IOException: Command failed (host:x): device unauthorized.") == []
    )
    assert parse_devices("Otherwise check for a confirmation dialog on your device.") == []
    assert parse_devices("") == []


def test_devices_that_share_a_serial_are_named_by_their_usb_path() -> None:
    rows = parse_devices("SAME device usb:1-2 model:a\nSAME device usb:1-3 model:b\nB device")
    assert [row.serial for row in rows] == ["usb:1-2", "usb:1-3", "B"]


def test_a_server_with_the_libusb_backend_names_the_bus_alone() -> None:
    rows = parse_devices(
        "R58M device 3-1 product:P model:M transport_id:1\n"
        "SAME device 1-2.4 product:P model:a\nSAME device 1-2.3 product:P model:b\n"
        "U unauthorized 3-2 transport_id:4\nBARE device 2-1\n"
    )
    assert [(row.serial, row.state) for row in rows] == [
        ("R58M", "device"), ("1-2.4", "device"), ("1-2.3", "device"), ("U", "unauthorized"),
        ("BARE", "device"),
    ]  # fmt: skip
    assert [row.description["usb"] for row in rows] == ["3-1", "1-2.4", "1-2.3", "3-2", "2-1"]
    assert rows[0].description["model"] == "M"
    assert {row.connection for row in rows} == {"usb"}


@pytest.mark.parametrize(
    ("serial", "connection"),
    [("emulator-5554", "emulator"), ("192.168.1.1:5555", "tcp"), ("[::1]:5555", "tcp"),
     ("adb-1._adb-tls-connect._tcp", "tcp"), ("R58M12ABCDE", "usb")],
)  # fmt: skip
def test_connection_by_serial(serial: str, connection: str) -> None:
    assert connection_of(serial) == connection


@given(st.text())
def test_never_fails(text: str) -> None:
    for row in parse_devices(text):
        assert row.serial


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captured device texts are not here")
def test_captured_outputs_give_their_devices() -> None:
    found = {
        path.stem: [(row.serial, row.state) for row in parse_devices(path.read_text())]
        for path in CAPTURES.glob("*.txt")
    }
    assert found["adbbuddy-tcp-offline-unauthorized"] == [
        ("HA0XYY05", "device"), ("172.16.10.20:5555", "offline"),
        ("emulator-5554", "unauthorized"),
    ]  # fmt: skip
    assert found["unauthorized-error-text"] == []
    assert found["scrcpy-test-without-header"] == [("0123456789abcdef", "device")]
    assert found["windows-stray-cr-midline"] == [("SERIAL123", "device")]
    assert len(found["flutter10293-emulators"]) == 4
