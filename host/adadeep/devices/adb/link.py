"""Checks of the way over an adb server, for `adadeep doctor`."""

from __future__ import annotations

import re

from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.devices.adb.connection import ask
from adadeep.devices.adb.listing import parse_devices
from adadeep.devices.adb.server import ServerAddress


def link_checks(server: ServerAddress, serial: str, deadline: Deadline) -> list[Check]:
    """Whether the server is one, and in which state it has the device.

    Raises:
        DeviceError: the server does not answer.
    """
    version = one_line(ask(server, "host:version", deadline), 20)  # four hex digits
    known = re.fullmatch("[0-9a-fA-F]{4}", version)
    text = f"version {int(version, 16)}" if known else f"says {version!r} of its version"
    status = CheckStatus.OK if known else CheckStatus.WARN
    return [Check("adb server", status, f"{server}, {text}"), _state(server, serial, deadline)]


def _state(server: ServerAddress, serial: str, deadline: Deadline) -> Check:
    rows = parse_devices(ask(server, "host:devices-l", deadline))
    row = next((row for row in rows if row.serial == serial), None)
    if row is None:
        remedy = "Plug it in, or adb connect it."
        return Check("state", CheckStatus.FAIL, "not attached", remedy)
    status = CheckStatus.OK if row.usable else CheckStatus.FAIL
    return Check("state", status, row.state, row.remedy)
