"""Devices without a cable: what announces itself in the network, and pairing with it.

Wireless debugging listens on a port that is another one each time it is switched on; a device
that has it on says so by multicast DNS, and adb servers from 30 on hear that. They also pair: the
code on the device's screen makes it trust this computer, once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError, DeviceError, StableDeviceError
from adadeep.devices.adb.connection import ServiceRefused, ask
from adadeep.devices.adb.server import server_address

_LISTEN_S = 3.0
_MOST = 50
_CONNECT, _PAIR = ("_adb-tls-connect._tcp", "_adb._tcp"), "_adb-tls-pairing._tcp"
_ADDRESS = r"(?:[0-9A-Za-z_.-]{1,253}|\[[0-9A-Fa-f:.%a-z]{2,60}\]):[0-9]{1,5}"
_SERVICE = re.compile(
    rf"(?P<name>\S.{{0,120}}?)\s+(?P<kind>_adb[a-z-]*\._tcp)\.?\s+(?P<address>{_ADDRESS})\s*"
)
_CODE = re.compile("[0-9A-Za-z]{4,64}")
PORTS = "Wireless debugging has another port each time it is switched on; its screen shows it."


@dataclass(frozen=True, slots=True)
class Announced:
    """What a device says of itself in the network.

    Attributes:
        name: of the service: "adb-SERIAL-RANDOM".
        address: HOST:PORT.
        pairs: whether it waits there to be paired; else it may be connected to.
    """

    name: str
    address: str
    pairs: bool


def parse_services(text: str) -> list[Announced]:
    """Rows of `adb mdns services`, each address once; lines that are no rows are passed over."""
    found: dict[str, Announced] = {}
    for line in text.splitlines():
        match = _SERVICE.fullmatch(line.strip()[:500])
        if match and match["kind"] in (*_CONNECT, _PAIR) and len(found) < _MOST:
            address = match["address"]
            found.setdefault(address, Announced(match["name"], address, match["kind"] == _PAIR))
    return list(found.values())


def announced(deadline: Deadline) -> list[Announced]:
    """What announces itself now; empty where the adb server does not listen for that."""
    try:
        text = ask(server_address(), "host:mdns:services", deadline.sooner(_LISTEN_S))
    except DeviceError:
        return []
    return parse_services(text)


def not_connected(
    found: Sequence[Announced], rows: Sequence[AttachedDevice]
) -> list[AttachedDevice]:
    """Rows of what announces itself and is not attached, with the step to take.

    Args:
        found: what announces itself.
        rows: what is attached.
    """
    serials = [row.serial for row in rows]
    more = []
    for one in found:
        # A server connects by itself to what it is paired with, and calls it by its service.
        if one.address in serials or any(serial.startswith(one.name) for serial in serials):
            continue
        if one.pairs:
            state, problem = "not paired", "It waits to be paired."
            remedy = f"adadeep devices --pair {one.address}, with the code on its screen."
        else:
            state, problem = "not connected", "It announces itself in this network."
            remedy = f"adadeep devices --connect {one.address} (if it refuses, pair it before)."
        more.append(
            AttachedDevice(
                one.address, state, "tcp", {"service": one.name}, problem=problem, remedy=remedy
            )
        )
    return more


def require_address(option: str, text: str, default_port: int | None = None) -> str:
    """HOST:PORT as the user gave it.

    Args:
        option: that it was given by, for the message.
        text: what was given.
        default_port: where it names none; None: it must.

    Raises:
        ConfigError: it is no address.
    """
    whole = text if default_port is None or re.search(r":\d+$", text) else f"{text}:{default_port}"
    port = whole.rpartition(":")[2]
    if re.fullmatch(_ADDRESS, whole) and 0 < int(port) < 65536:
        return whole
    raise ConfigError(
        f"{option} {one_line(text, 60)}: no address; write HOST:PORT, as the device shows it in"
        " its developer options under Wireless debugging."
    )


def pair(address: str, code: str, deadline: Deadline) -> str:
    """Pairs with a device, which then trusts this computer; returns what the server says.

    Args:
        address: HOST:PORT that the device shows beside the code: not the one to connect to.
        code: on its screen.
        deadline: for all of it.

    Raises:
        ConfigError: that is no code.
        StableDeviceError: it did not work, or the adb server can't.
    """
    if not _CODE.fullmatch(code):
        raise ConfigError("--code: no pairing code; write the six digits on the device's screen.")
    try:
        text = ask(server_address(), f"host:pair:{code}:{address}", deadline)
    except ServiceRefused as error:
        if "unknown" not in str(error):
            raise
        raise StableDeviceError(
            f"{address}: the adb server that runs can't pair; one from version 30 on can. End it"
            f" (adb kill-server) and start a newer one: ADBUTILS_ADB_PATH={_newer_adb()}"
            " adadeep devices"
        ) from error
    if not text.startswith("Successfully paired"):
        raise StableDeviceError(
            f"{address}: {one_line(text).rstrip('.')}. See whether it still shows the code"
            " (Wireless debugging, Pair device with pairing code), whether this is the port"
            " beside it, and whether both are in one network; code and port are others each time."
        )
    return one_line(text)


def _newer_adb() -> str:
    """The adb that adbutils brings; a placeholder where it brings none."""
    import adbutils  # late: takes 0.15 s

    bundled = Path(adbutils.__file__).parent / "binaries" / "adb"
    return one_line(str(bundled)) if bundled.is_file() else "/path/to/adb"
