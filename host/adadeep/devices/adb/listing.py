"""What `adb devices -l` says, as values: pure text in, rows out."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from adadeep.core.device import AttachedDevice

_UDEV = (
    "Add a udev rule for it (Debian: apt install android-sdk-platform-tools-common; be in the "
    "group plugdev), then unplug it and plug it in again."
)
_ALLOW = (
    "Unlock it and answer `Allow USB debugging` with yes. If nothing asks: revoke USB debugging "
    "authorizations in its developer options, then plug it in again."
)
_REBOOT = "Start its normal system: adb reboot, or `Reboot system now` in its menu."

# state -> what is wrong, what to do
STATES: dict[str, tuple[str, str]] = {
    "unauthorized": ("It does not trust this computer yet.", _ALLOW),
    "authorizing": ("It is deciding whether to trust this computer.",
                    "Wait some seconds; if it stays so, unlock it and look for a question."),
    "connecting": ("The connection is being made.", "Wait some seconds and look again."),
    "offline": ("It is known but does not answer.",
                "Unplug it and plug it in again; over the network: adadeep devices --connect "
                "HOST:PORT. Is it awake? A watch that sleeps switches its Wi-Fi off."),
    "no permissions": ("This user may not open its USB port.", _UDEV),
    "no device": ("The adb server has lost it.", "Unplug it and plug it in again."),
    "recovery": ("It is in recovery mode.", _REBOOT),
    "rescue": ("It is in rescue mode.", _REBOOT),
    "sideload": ("It waits for an update by adb sideload.", _REBOOT),
    "bootloader": ("It is in the boot loader.", "Start its normal system: fastboot reboot."),
    "host": ("It is an adb host, not a device.", "Swap the roles of the USB cable's ends."),
    "detached": ("Another program has taken it from the adb server.",
                 "adb attach it, or end the other program."),
    "unknown": ("The adb server does not know its state.", "Unplug it and plug it in again."),
}  # fmt: skip
STATES["nopermissions"] = STATES["no permissions"]

_LONGEST_LINE = 1000
_ONE_WORD = "|".join(state for state in STATES if " " not in state)
_LINE = re.compile(
    r"(?P<serial>\S(?:.*?\S)??)\s+"
    rf"(?P<state>device|no permissions.*?|no device|{_ONE_WORD})"
    r"(?:\s+(?P<rest>(?:\w+:\S|[0-9]+-[0-9.]+(?!\S)).*))?"
)  # fmt: skip
# Where it hangs; servers with the libusb backend (adb 35 and later) leave out "usb:".
_PATH = re.compile(r"(?:usb:)?([0-9]+-[0-9.]+)")


def parse_devices(text: str) -> list[AttachedDevice]:
    """Rows of `adb devices`, with or without `-l`; lines that are no rows are passed over."""
    rows, paths = [], []
    for line in text.replace("\r", "").splitlines():
        match = _LINE.fullmatch(line.strip()[:_LONGEST_LINE])
        if match and not line.startswith("*"):
            words = (match["rest"] or "").split()
            rows.append(_row(match["serial"], match["state"], words))
            paths.append(next((word for word in words if _PATH.fullmatch(word)), None))
    return _tell_twins_apart(rows, paths)


def _row(serial: str, state: str, words: list[str]) -> AttachedDevice:
    pairs = (word.partition(":") for word in words)
    description = {key: value for key, colon, value in pairs if colon}
    for path in filter(None, map(_PATH.fullmatch, words)):
        description["usb"] = path[1]
    if state.startswith("no permissions"):
        state = "no permissions"
    problem, remedy = STATES.get(state, (None, None))
    return AttachedDevice(
        serial, state, connection_of(serial), description, problem=problem, remedy=remedy
    )


def connection_of(serial: str) -> str:
    """ "emulator", "tcp" or "usb", by the form of the serial."""
    if serial.startswith("emulator-"):
        return "emulator"
    if re.fullmatch(r".+:\d+|.*\._adb(-tls-connect)?\._tcp\.?", serial):
        return "tcp"
    return "usb"


def _tell_twins_apart(rows: list[AttachedDevice], paths: list[str | None]) -> list[AttachedDevice]:
    """Cheap devices share a serial; adb then takes the USB path, as it prints it, in its place."""
    count = Counter(row.serial for row in rows)
    return [
        replace(row, serial=path) if path and count[row.serial] > 1 else row
        for row, path in zip(rows, paths, strict=True)
    ]
