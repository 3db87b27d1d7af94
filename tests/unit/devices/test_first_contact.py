"""What may be in the way on a device that answers, from what its services say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.clock import Deadline
from adadeep.core.device import AttachedDevice
from adadeep.core.errors import TransientDeviceError
from adadeep.devices import first_contact
from adadeep.devices.first_contact import (
    ASLEEP,
    CLOSED,
    LOCKED,
    STARTING,
    WORK,
    looked_at,
    notes_of,
)

AWAKE, OFF = "  mWakefulness=Awake\n", "  mWakefulness=Asleep\n"
KEYGUARD = "  KeyguardServiceDelegate\n    showing=true\n    showingAndNotOccluded=true\n"
OWNER = "Users:\n\tUserInfo{0:Owner:c13} running\n"
PROFILE = OWNER + "\tUserInfo{10:Work profile:1030} running\n"


def said(power=AWAKE, window="", users=OWNER, properties="stopped\n\n"):
    mark = first_contact._MARK
    return f"{power}\n{mark}\n{window}\n{mark}\n{users}\n{mark}\n{properties}"


@pytest.mark.parametrize(
    ("answers", "notes"),
    [
        ({}, ()),
        ({"power": OFF}, (ASLEEP,)),
        ({"power": "  mWakefulness=Dozing\n"}, (ASLEEP,)),
        ({"window": KEYGUARD}, (LOCKED,)),
        ({"window": "    mShowingLockscreen=true mShowingDream=false\n"}, (LOCKED,)),
        ({"window": KEYGUARD.replace("true", "false")}, ()),
        ({"power": OFF, "window": KEYGUARD}, (ASLEEP,)),  # one step does for both
        ({"users": PROFILE}, (WORK,)),
        ({"users": OWNER + "\tUserInfo{11:Guest:14}\n"}, ()),
        ({"properties": "running\n\n"}, (STARTING,)),
        ({"power": OFF, "properties": "stopped\nfalse\n"}, (CLOSED,)),
        ({"properties": "stopped\ntrue\n"}, ()),
        ({"power": OFF, "users": PROFILE, "properties": "running\nfalse\n"},
         (STARTING, CLOSED, WORK)),
    ],
)  # fmt: skip
def test_each_thing_in_the_way_comes_with_the_step_to_take(answers, notes):
    assert notes_of(said(**answers)) == notes
    assert notes_of(said(**answers).replace("\n", "\r\n")) == notes


def test_what_is_no_android_says_nothing():
    assert notes_of("") == ()
    assert notes_of("sh: dumpsys: not found\n" * 4) == ()


@given(st.text())
def test_any_answer_is_survived(text):
    assert set(notes_of(text)) <= {STARTING, CLOSED, ASLEEP, LOCKED, WORK}


def test_only_what_can_be_used_is_asked_and_silence_is_no_error(monkeypatch):
    asked = []

    def run(serial):
        def answer(script, deadline):
            asked.append(serial)
            if serial == "silent":
                raise TransientDeviceError("no answer")
            return SimpleNamespace(text=said(power=OFF))

        return SimpleNamespace(run=answer)

    monkeypatch.setattr(first_contact, "make_transport", run)
    rows = [
        AttachedDevice("sleeps", "device", "usb"),
        AttachedDevice("silent", "device", "tcp"),
        AttachedDevice("locked out", "unauthorized", "usb"),
        AttachedDevice("local", "device", "local"),
    ]
    found = looked_at(rows, Deadline.after(5))
    assert sorted(asked) == ["silent", "sleeps"]
    assert [row.serial for row in found] == [row.serial for row in rows]
    assert [row.notes for row in found] == [(ASLEEP,), (), (), ()]
