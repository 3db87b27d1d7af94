"""Identity of a Linux system: os-release, device tree, DMI."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from adadeep.devices.parse.sections import Reads, clean_lines

_PLACEHOLDERS = {
    "", "system manufacturer", "system product name", "to be filled by o.e.m.", "default string",
    "not specified", "none", "unknown", "o.e.m.", "not applicable",
}  # fmt: skip
_ABIS = {
    "aarch64": "arm64-v8a", "arm64": "arm64-v8a", "armv8l": "armeabi-v7a",
    "armv7l": "armeabi-v7a", "armv6l": "armeabi", "x86_64": "x86_64", "amd64": "x86_64",
    "i686": "x86", "i586": "x86", "riscv64": "riscv64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LinuxIdentity:
    """What a Linux system says of itself; None where it says nothing.

    Attributes:
        manufacturer: of the board (device tree) or the computer (DMI).
        model: of the board or the computer.
        device_tree_model: of a board; None on a computer.
        product_name: of DMI.
        soc: "rockchip,rk3399", or what soc0 says.
        machine_id: SHA-256 of /etc/machine-id, 16 digits; the id itself is not for publication.
    """

    manufacturer: str | None = None
    model: str | None = None
    device_tree_model: str | None = None
    product_name: str | None = None
    soc: str | None = None
    machine_id: str | None = None


def parse_os_release(text: str) -> str | None:
    """PRETTY_NAME, else NAME and VERSION_ID; None if neither is there."""
    found: dict[str, str] = {}
    for line in clean_lines(text):
        name, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z_]+", name):
            found[name] = _unquote(value)
    pretty = found.get("PRETTY_NAME") or f"{found.get('NAME', '')} {found.get('VERSION_ID', '')}"
    return pretty.strip() or None


def _unquote(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError:  # an unmatched quotation mark
        return value.strip("\"' ")
    return " ".join(words)


def abi_of_machine(machine: str | None) -> tuple[str, ...]:
    """Android's name of the ABI of a `uname -m`; empty if there is none."""
    abi = _ABIS.get((machine or "").strip())
    return (abi,) if abi else ()


def _read(reads: Reads, *paths: str) -> str | None:
    for path in paths:
        value = reads.values.get(path, "").strip()
        if value.lower() not in _PLACEHOLDERS:
            return value
    return None


def parse_linux_identity(reads: Reads) -> LinuxIdentity:
    """The identity out of the files that could be read."""
    base = "/sys/firmware/devicetree/base"
    tree_model = _read(reads, f"{base}/model", "/proc/device-tree/model")
    compatible = (_read(reads, f"{base}/compatible") or "").split()
    product = _read(reads, "/sys/class/dmi/id/product_name")
    vendor = _read(reads, "/sys/class/dmi/id/sys_vendor")
    machine_id = _read(reads, "/etc/machine-id", "/var/lib/dbus/machine-id")
    return LinuxIdentity(
        manufacturer=vendor or (compatible[0].partition(",")[0] if compatible else None),
        model=tree_model or product,
        device_tree_model=tree_model,
        product_name=product,
        soc=compatible[-1] if compatible else _read(reads, "/sys/devices/soc0/soc_id"),
        machine_id=machine_id,
    )
