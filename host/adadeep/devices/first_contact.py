"""What may be in the way on a device that answers: asleep, locked, starting, a work profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from adadeep.core.clock import Deadline
from adadeep.core.device import LOCAL_TRANSPORT, AttachedDevice
from adadeep.core.errors import DeviceError
from adadeep.devices.discovery import make_transport
from adadeep.devices.parse.power_service import parse_dumpsys_power

_LOOK_S = 4.0
_AT_ONCE = 8
_MARK = "@adadeep@"
# All of them are Android's own; a board has none of them and says nothing.
_SCRIPT = (
    f"dumpsys power; echo; echo {_MARK}; dumpsys window policy; echo; echo {_MARK};"
    f" cmd user list || pm list users; echo; echo {_MARK};"
    " for p in init.svc.bootanim sys.user.0.ce_available; do getprop $p; done"
)
_KEYGUARD = re.compile(
    r"^\s*(?:mKeyguardShowing|mShowingLockscreen|mIsShowing|showing)=true\b", re.M
)
_USER = re.compile(r"UserInfo\{[0-9]{1,6}:[^{}]*:([0-9a-f]{1,8})\}")
_MANAGED = 0x20  # of a user's flags: a work profile

STARTING = "It is still starting: wait until its home screen is there."
CLOSED = "It was not unlocked since it started: unlock it once, its storage is closed until then."
ASLEEP = (
    "Its screen is off, and an Android that sleeps slows down or stops: wake it, and let it stay"
    " awake while it charges (Developer options, Stay awake)."
)
LOCKED = "It is locked: unlock it, for a locked one soon sleeps."
WORK = (
    "It has a work profile: adadeep runs beside it and sees nothing of it. Where its administrator"
    " forbids USB debugging, take another device."
)


def looked_at(rows: Sequence[AttachedDevice], deadline: Deadline) -> list[AttachedDevice]:
    """The rows; those that can be used with notes of what may be in the way.

    One that does not answer in a few seconds has none.
    """
    asked = [row for row in rows if row.usable and row.connection != LOCAL_TRANSPORT]
    if not asked:
        return list(rows)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        notes = dict(
            zip(
                [row.serial for row in asked],
                pool.map(lambda row: _notes(row.serial, deadline), asked),
                strict=True,
            )
        )
    return [replace(row, notes=notes.get(row.serial, ())) for row in rows]


def _notes(serial: str, deadline: Deadline) -> tuple[str, ...]:
    try:
        done = make_transport(serial).run(_SCRIPT, deadline.sooner(_LOOK_S))
    except DeviceError:
        return ()
    return notes_of(done.text)


def notes_of(text: str) -> tuple[str, ...]:
    """What the answers say, each with the step to take.

    Args:
        text: what the script printed.
    """
    parts = [*text.replace("\r", "").split(_MARK), "", "", "", ""]
    return tuple(_said(*parts[:4]))


def _said(power: str, window: str, users: str, properties: str) -> Iterator[str]:
    boot, opened = [*properties.strip("\n").split("\n"), "", ""][:2]
    if boot.strip() == "running":
        yield STARTING
    screen = parse_dumpsys_power(power).screen
    if opened.strip() == "false":
        yield CLOSED
    elif screen in ("off", "dozing"):
        yield ASLEEP
    elif _KEYGUARD.search(window):
        yield LOCKED
    if any(int(flags, 16) & _MANAGED for flags in _USER.findall(users)):
        yield WORK
