"""A device on a real USB transport: its serial, its state, the cable pulled and put back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import DeviceError, StableDeviceError, TransientDeviceError
from adadeep.devices.discovery import list_attached, select

pytestmark = [pytest.mark.board, pytest.mark.slow]  # a machine of qemu, as the board is


def soon(seconds: float = 30) -> Deadline:
    return Deadline.after(seconds)


def wait_until_attached() -> None:
    until = time.monotonic() + 30
    while [row.usable for row in list_attached(soon())] != [True, True]:  # it and local
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_pulled_cable_is_transient_then_stable_and_the_device_comes_back(lab_usb: Any) -> None:
    wait_until_attached()
    row = list_attached(soon())[0]
    assert (row.serial, row.connection) == ("LABUSB0001", "usb")
    (transport,) = select([], soon())
    data = bytes(range(256)) * 4000
    transport.push(data, f"{transport.workdir}/file", soon())
    assert transport.pull(f"{transport.workdir}/file", soon()) == data
    stream = transport.open("cat", soon())
    stream.write(b"x\n", soon())
    assert stream.read_line(soon()) == b"x"

    lab_usb.command("unplug")
    with pytest.raises(TransientDeviceError, match="LABUSB0001"):
        stream.read_line(soon())
    stream.close()
    with pytest.raises(DeviceError, match="LABUSB0001"):
        transport.run("true", soon())
    with pytest.raises(StableDeviceError, match="LABUSB0001: no such device is attached"):
        select(["LABUSB0001"], soon())

    lab_usb.command("replug")
    wait_until_attached()
    assert transport.run("echo back", soon()).stdout == b"back\n"
