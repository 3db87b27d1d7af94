"""`pm list features`, and the kind of a device."""

from __future__ import annotations

from collections.abc import Collection

from adadeep.devices.parse.sections import clean_lines

_TV = {
    "android.software.leanback", "android.software.leanback_only",
    "android.hardware.type.television", "android.software.live_tv",
}  # fmt: skip
_HANDHELD = {"phone", "tablet", "nosdcard", "default", "emulator", "sdcard"}


def parse_features(text: str) -> frozenset[str]:
    """Names of the lines ``feature:NAME`` (or ``feature:NAME=VERSION``)."""
    return frozenset(
        line.strip().removeprefix("feature:").split("=")[0]
        for line in clean_lines(text)
        if line.strip().startswith("feature:")
    )


def android_kind(
    characteristics: Collection[str], features: Collection[str], has_battery: bool | None
) -> str | None:
    """ "watch", "tv", "car", "phone", "board" or None.

    Tablets count as phones. A car's head unit may have a telephone's radio and is none. Android
    without a battery that is none of these is a board.

    Args:
        characteristics: words of ro.build.characteristics.
        features: of the package manager; may be empty.
        has_battery: None if nothing tells.
    """
    words, names = set(characteristics), set(features)
    if "automotive" in words or "android.hardware.type.automotive" in names:
        return "car"
    if "watch" in words or "android.hardware.type.watch" in names:
        return "watch"
    if "tv" in words or names & _TV:
        return "tv"
    if "android.hardware.telephony" in names or words & {"phone", "emulator"}:
        return "phone"
    if has_battery is False:
        return "board"
    return "phone" if words & _HANDHELD or has_battery else None


def linux_kind(
    device_tree_model: str | None, product_name: str | None, machine: str
) -> str | None:
    """ "board", "computer" or None; a device tree names boards, DMI computers."""
    if device_tree_model:
        return "board"
    if product_name or machine in {"x86_64", "i686", "i586", "amd64"}:
        return "computer"
    return None
