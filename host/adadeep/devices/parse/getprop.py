"""`getprop` and build.prop: Android's properties, and the identity that they give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adadeep.devices.parse.sections import clean_lines, integer

_PROPERTY = re.compile(r"\[([^\]\s]+)\]: \[(.*)$")
_ANNOTATED = re.compile(r"(.*?)\]\s*(?:(?:#|//).*)?$")

# API level -> release, for builds that print a release which their API level contradicts
_RELEASES = {
    21: "5.0", 22: "5.1", 23: "6.0", 24: "7.0", 25: "7.1", 26: "8.0", 27: "8.1", 28: "9",
    29: "10", 30: "11", 31: "12", 32: "12", 33: "13", 34: "14", 35: "15", 36: "16",
}  # fmt: skip
_PLACEHOLDERS = {"", "unknown", "android", "default", "generic", "null", "none"}


@dataclass(frozen=True, slots=True)
class AndroidIdentity:
    """What the properties say of a device; raw strings, None where they say nothing.

    Attributes:
        manufacturer: of the device.
        model: as sold or as coded, as the device says.
        device: code name.
        soc: the most telling name of the system on chip.
        abis: preferred first.
        release: Android release.
        sdk: API level.
        fingerprint: of the build.
        serial: ro.serialno.
        characteristics: ro.build.characteristics, split.
        is_emulator: ro.kernel.qemu or ro.boot.qemu is 1.
    """

    manufacturer: str | None = None
    model: str | None = None
    device: str | None = None
    soc: str | None = None
    abis: tuple[str, ...] = ()
    release: str | None = None
    sdk: int | None = None
    fingerprint: str | None = None
    serial: str | None = None
    characteristics: tuple[str, ...] = ()
    is_emulator: bool = False


def parse_getprop(text: str) -> dict[str, str]:
    """Properties by name; a value over several lines keeps its line feeds; later ones win."""
    found: dict[str, str] = {}
    open_name, open_lines = None, list[str]()
    for line in clean_lines(text):
        match = _PROPERTY.match(line.lstrip("﻿ "))
        if match:
            open_name, open_lines = match[1], []
            line = match[2]
        elif open_name is None:
            continue
        closed = _ANNOTATED.fullmatch(line)
        open_lines.append(closed[1] if closed else line)
        if match or closed:
            found[open_name] = "\n".join(open_lines)
        if closed:
            found[open_name] = "\n".join(open_lines)
            open_name = None
    return found


def parse_build_prop(text: str) -> dict[str, str]:
    """``KEY=VALUE`` lines; the first of a name wins, as on the device."""
    found: dict[str, str] = {}
    for line in clean_lines(text):
        name, equals, value = line.partition("=")
        if equals and re.fullmatch(r"\s*[A-Za-z_][\w.\-]*", name):
            found.setdefault(name.strip(), value.strip())
    return found


def _first(properties: Mapping[str, str], names: Iterable[str]) -> str | None:
    fallback = None
    for name in names:
        value = properties.get(name, "").strip()
        if value.lower() not in _PLACEHOLDERS:
            return value
        fallback = fallback or value or None
    return fallback if fallback and fallback.lower() not in {"unknown", "null", "none"} else None


def _product(properties: Mapping[str, str], what: str) -> str | None:
    partitions = ("", "vendor.", "odm.", "system.", "product.", "system_ext.")
    return _first(properties, [f"ro.product.{partition}{what}" for partition in partitions])


def _abis(properties: Mapping[str, str]) -> tuple[str, ...]:
    for name in ("ro.product.cpu.abilist", "ro.vendor.product.cpu.abilist"):
        listed = tuple(abi.strip() for abi in properties.get(name, "").split(",") if abi.strip())
        if listed:
            return listed
    pair = (properties.get("ro.product.cpu.abi", ""), properties.get("ro.product.cpu.abi2", ""))
    return tuple(abi.strip() for abi in pair if abi.strip())


def _release(properties: Mapping[str, str], sdk: int | None) -> str | None:
    """The release; what the API level means where the two contradict (fake boxes)."""
    release = properties.get("ro.build.version.release", "").strip() or None
    by_sdk = _RELEASES.get(sdk or 0)
    major = re.match(r"[0-9]+", release or "")
    if release and by_sdk and major and major[0] != by_sdk.split(".")[0]:
        return by_sdk
    return release or by_sdk


def _serial(properties: Mapping[str, str]) -> str | None:
    """The serial number; None for those that cheap devices share ("0123456789ABCDEF", zeros)."""
    serial = _first(properties, ["ro.serialno", "ro.boot.serialno"])
    shared = serial is not None and (
        serial.lower() in {"0123456789abcdef", "1234567890abcdef", "123456789abcdef", "1234567890"}
        or not serial.strip("0")
    )
    return None if shared else serial


def parse_identity(properties: Mapping[str, str]) -> AndroidIdentity:
    """The identity; every field from the first property that says something."""
    sdk = integer(properties.get("ro.build.version.sdk"))
    sdk = sdk if sdk and 1 <= sdk <= 10000 else None
    return AndroidIdentity(
        manufacturer=_product(properties, "manufacturer"),
        model=_product(properties, "model"),
        device=_product(properties, "device"),
        soc=_first(
            properties,
            ["ro.soc.model", "ro.hardware.chipname", "ro.chipname", "ro.vendor.mediatek.platform"],
        ),
        abis=_abis(properties),
        release=_release(properties, sdk),
        sdk=sdk,
        fingerprint=_first(properties, ["ro.build.fingerprint", "ro.vendor.build.fingerprint"]),
        serial=_serial(properties),
        characteristics=tuple(
            word.strip() for word in properties.get("ro.build.characteristics", "").split(",")
        ),
        is_emulator="1" in (properties.get("ro.kernel.qemu"), properties.get("ro.boot.qemu")),
    )


def platform_name(properties: Mapping[str, str]) -> str | None:
    """The platform's name: coarser than a chip's ("msm8952" is also the platform of others)."""
    return _first(properties, ["ro.mediatek.platform", "ro.board.platform", "ro.hardware"])
