"""What `dumpsys power` says of the screen, of doze and of battery saver."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCREENS = {"awake": "on", "asleep": "off", "dreaming": "dreaming", "dozing": "dozing"}
_WAKEFULNESS = re.compile(r"^\s{0,8}mWakefulness=([A-Za-z]{1,20})", re.M)
_DOZES = (("mDeviceIdleMode", "deep"), ("mLightDeviceIdleMode", "light"))
_SAVER = re.compile(
    r"Battery Saver is currently: (ON|OFF)\b"
    r"|^\s{0,8}mLowPowerModeEnabled=(true|false)\b", re.M
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PowerState:
    """What the power service says; None is unknown.

    Attributes:
        screen: "on", "off", "dreaming" (a screen saver) or "dozing" (always-on display).
        doze: "none", "light" or "deep": how far programs are held back to save power.
        battery_saver: whether it is on; it lowers clocks.
    """

    screen: str | None = None
    doze: str | None = None
    battery_saver: bool | None = None


def parse_dumpsys_power(text: str) -> PowerState:
    """The state; what the text does not tell is None."""
    match = _WAKEFULNESS.search(text)
    saver = _SAVER.search(text)
    return PowerState(
        screen=_SCREENS.get(match[1].lower()) if match else None,
        doze=_doze(text),
        battery_saver=(saver[1] or saver[2]) in ("ON", "true") if saver else None,
    )


def _doze(text: str) -> str | None:
    found = None
    for name, doze in _DOZES:
        match = re.search(rf"^\s{{0,8}}{name}=(true|false)\b", text, re.M)
        if match and match[1] == "true":
            return doze
        found = "none" if match else found
    return found
