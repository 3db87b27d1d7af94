"""What is attached, and which of it a command shall use."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence

from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice, DeviceFacts, hashed
from adadeep.core.display import one_line
from adadeep.core.errors import (
    ConfigError,
    DeviceError,
    StableDeviceError,
    TransientDeviceError,
)
from adadeep.core.transport import Transport
from adadeep.devices import local
from adadeep.devices.adb.connection import ask
from adadeep.devices.adb.listing import parse_devices
from adadeep.devices.adb.server import AdbMissing, server_address
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.adb.wireless import PORTS, announced
from adadeep.devices.local import LocalTransport

Resolver = Callable[[str], DeviceFacts | None]
_PASSING = ("offline", "connecting", "authorizing")  # states that may end by themselves
_COMING_UP_S = 2.0
_WHO_S = 5.0
HOW_TO_ATTACH = (
    "Plug one in with USB debugging on (Settings, About, tap the build number 7 times; then "
    "Developer options), or adb connect HOST:PORT; -d local is this computer."
)
HOW_WITHOUT_USB = (
    "A watch or a TV box without USB data: switch on Wireless debugging in its developer options, "
    "then adadeep devices --pair HOST:PORT (once) and adadeep devices --connect HOST:PORT; its "
    "screen shows both addresses and the code."
)


def list_attached(deadline: Deadline) -> list[AttachedDevice]:
    """Every device that the adb server knows, then `local`. Starts a server if none runs.

    Raises:
        TransientDeviceError: the server does not answer in time.
        AdbUnavailable: there is no server and none can be started (a StableDeviceError).
    """
    text = ask(server_address(), "host:devices-l", deadline)
    return [*parse_devices(text), local_device()]


def local_device() -> AttachedDevice:
    """This computer as a row."""
    return AttachedDevice(
        local.SERIAL,
        "device",
        "local",
        {"model": platform.node() or "this computer", "machine": platform.machine()},
    )


def select(
    selectors: Sequence[str], deadline: Deadline, resolver: Resolver | None = None
) -> list[Transport]:
    """The devices that a user means, each once, in the order named.

    Args:
        selectors: serials or their hashes (as runs hold them), "local", "all" (every usable
            attached device), or names for `resolver`. Empty: $ANDROID_SERIAL if set, else the only
            usable attached device, else `local` where nothing is attached at all.
        deadline: for all of it.
        resolver: gives the facts of the profile of that name, None if it knows no such name.

    Raises:
        ConfigError: two or more are attached and none is named.
        StableDeviceError: one that is named is missing or can't be used.
        TransientDeviceError: one is offline, or still connecting.
    """
    if not selectors:
        serials = [_default_serial(deadline)]
    else:
        serials = _named_serials(selectors, deadline, resolver)
    return [make_transport(serial) for serial in dict.fromkeys(serials)]


def make_transport(serial: str) -> Transport:
    """The way to a device by its serial; nothing is asked of it yet."""
    return LocalTransport() if serial == local.SERIAL else AdbTransport(serial)


def _default_serial(deadline: Deadline) -> str:
    chosen = os.environ.get("ANDROID_SERIAL")
    if chosen:
        return _named_serials([chosen], deadline, None)[0]
    try:
        attached = _attached(deadline)
    except AdbMissing:
        attached = []  # without adb nothing can be attached
    usable = [row for row in attached if row.usable]
    if not attached:
        return local.SERIAL
    if len(usable) == 1:
        return usable[0].serial
    if usable:
        names = ", ".join(_short(row) for row in usable)
        raise ConfigError(
            f"{len(usable)} devices are attached: {names}. Name one with -d SERIAL, or -d all."
        )
    return _find(attached[0].serial, attached, deadline, None)


def _named_serials(
    selectors: Sequence[str], deadline: Deadline, resolver: Resolver | None
) -> list[str]:
    serials: list[str] = []
    rows: list[AttachedDevice] | None = None
    for name in selectors:
        if name == local.SERIAL:
            serials.append(name)
            continue
        rows = _attached(deadline) if rows is None else rows
        serials += _all(rows) if name == "all" else [_find(name, rows, deadline, resolver)]
    return serials


def _attached(deadline: Deadline) -> list[AttachedDevice]:
    return list_attached(deadline)[:-1]


def _all(rows: list[AttachedDevice]) -> list[str]:
    usable = [row.serial for row in rows if row.usable]
    if usable:
        return usable
    if rows:
        raise _unusable(rows[0])
    raise StableDeviceError(f"-d all: no device is attached. {HOW_TO_ATTACH}")


def _find(
    name: str, rows: list[AttachedDevice], deadline: Deadline, resolver: Resolver | None
) -> str:
    row = _row(name, rows) or next((row for row in rows if hashed(row.serial) == name), None)
    facts = resolver(name) if row is None and resolver is not None else None
    if facts is not None:
        if facts.serial == local.SERIAL:
            return local.SERIAL
        row = _row_of_profile(name, facts, rows, deadline)
        name = row.serial
    gone = row is None or (row.state == "offline" and row.connection == "tcp")
    if gone and re.fullmatch(r"[^\s:]+:\d+|\[.+\]:\d+", name):
        row = connect(name, deadline)
    if row is None:
        known = ", ".join(_short(row) for row in rows) or "none"
        raise StableDeviceError(
            f"{name}: no such device is attached (attached: {known}). "
            "`adadeep devices` shows what is there."
        )
    row = _wait_until_up(row, deadline)
    if not row.usable:
        raise _unusable(row)
    return row.serial


def _row_of_profile(
    name: str, facts: DeviceFacts, rows: list[AttachedDevice], deadline: Deadline
) -> AttachedDevice:
    """The row of the device that a profile is of; it holds hashes, so all rows are tried.

    By what the transport calls it, else (plugged in another way) by what it calls itself.
    """
    row = next((row for row in rows if hashed(row.serial) == facts.serial), None)
    if row is None and facts.hardware_serial:
        usable = (row for row in rows if row.usable)
        row = next((r for r in usable if facts.hardware_serial in _own_serials(r, deadline)), None)
    if row is not None:
        return row
    if facts.transport == "none":
        raise StableDeviceError(
            f"-d {name}: that profile was written from a table and is of no device that can be "
            "attached. Name one of `adadeep devices`, or local."
        )
    known = ", ".join(_short(row) for row in rows) or "none"
    raise StableDeviceError(
        f"-d {name}: the device of that profile ({facts.title}) is not attached (attached: "
        f"{known}). Plug it in, or name it by HOST:PORT."
    )


def _own_serials(row: AttachedDevice, deadline: Deadline) -> set[str]:
    """Hashes of what a device calls itself; empty where it does not answer."""
    command = "getprop ro.serialno; getprop ro.boot.serialno; cat /etc/machine-id"
    try:
        done = make_transport(row.serial).run(command, deadline.sooner(_WHO_S))
    except DeviceError:
        return set()
    return {hashed(word) for word in done.text.split()}


def _wait_until_up(row: AttachedDevice, deadline: Deadline) -> AttachedDevice:
    """Gives one that has just been plugged in, or whose server has just started, its time."""
    until = deadline.sooner(_COMING_UP_S)
    while row.state in _PASSING and not until.expired:
        until.clock.sleep(0.1)
        row = _row(row.serial, _attached(deadline)) or row
    return row


def connect(address: str, deadline: Deadline) -> AttachedDevice | None:
    """Connects to a device over the network; returns its row, None if the server lists none.

    Raises:
        StableDeviceError: the connection failed; the server's words say why.
    """
    server = server_address()
    if _row(address, _attached(deadline)) is not None:  # offline: the server would keep it so
        ask(server, f"host:disconnect:{address}", deadline)
    text = ask(server, f"host:connect:{address}", deadline)
    row = _row(address, _attached(deadline))
    # The status is OKAY even when it failed; only the text tells.
    if row is None or not re.match(r"(already )?connected to", text):
        if row is not None and not row.usable and row.state != "offline":
            return row
        raise StableDeviceError(
            f"{address}: {one_line(text)}. Is the device awake, in this network, and does its "
            f"adbd listen on this port (adb tcpip 5555)? {PORTS} {_now_at(address, deadline)}"
        )
    return row


def _now_at(address: str, deadline: Deadline) -> str:
    """Where the device at that host says that it listens; else how to get there the first time."""
    host = address.rpartition(":")[0]
    ports = [one.address for one in announced(deadline) if not one.pairs]
    moved = [other for other in ports if other.rpartition(":")[0] == host and other != address]
    if moved:
        return f"It announces itself at {moved[0]} now."
    return "If it was never paired with this computer: adadeep devices --pair HOST:PORT."


def _row(serial: str, rows: list[AttachedDevice]) -> AttachedDevice | None:
    return next((row for row in rows if row.serial == serial), None)


def _short(row: AttachedDevice) -> str:
    note = row.description.get("model", "") if row.usable else row.state
    return f"{row.serial} ({note})" if note else row.serial


def _unusable(row: AttachedDevice) -> DeviceError:
    kind = TransientDeviceError if row.state in _PASSING else StableDeviceError
    return kind(f"{row.serial} is {row.state}. {row.problem} {row.remedy}")
