"""The lab itself, where a fault of it would look like one of ours."""

import time

import pytest

from conftest import adb

pytestmark = pytest.mark.lab
STATES = "cat /proc/[0-9]*/stat 2>/dev/null"


def zombies(serial):
    lines = adb("-s", serial, "shell", STATES).splitlines()
    assert lines
    return [line for line in lines if line.rpartition(")")[2].split()[:1] == ["Z"]]


def test_a_phone_reaps_what_nobody_waits_for_and_interrupts_reach_its_programs(lab_phone):
    serial = lab_phone().serial
    for _ in range(5):
        adb("-s", serial, "shell", "(sleep 0.1 &) ; (sleep 0.1 &)")
    deadline = time.monotonic() + 20
    while zombies(serial) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert zombies(serial) == []
    status = adb("-s", serial, "shell", "cat /proc/self/status")
    [ignored] = [int(line.split()[1], 16) for line in status.splitlines() if "SigIgn" in line]
    assert not ignored & 0b10  # SIGINT
