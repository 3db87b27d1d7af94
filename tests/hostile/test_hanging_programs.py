"""A program of a device that never answers costs its own facts and no others."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, CapabilityStatus, DeviceFacts
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport

PROPS = "[ro.build.version.sdk]: [29]\\n[ro.product.model]: [SM-G960U]\\n"
PROGRAMS = {
    "getprop": f"case $1 in '') printf '{PROPS}' ;; ro.serialno) echo R58M ;; *) echo 29 ;; esac",
    "cmd": "echo feature:android.hardware.telephony",
    "dumpsys": """case $1 in
battery) printf '  level: 71\\n  scale: 100\\n  voltage: 4000\\n' ;;
thermalservice) printf 'IsStatusOverride: false\\nThermal Status: 0\\nHAL Ready: true\\n\
Current temperatures from HAL:\\n\
\\tTemperature{mValue=30.0, mType=0, mName=CPU0, mStatus=0}\\n' ;;
*) echo "Can't find service: $1" >&2 ;;
esac""",
    "python3": "echo /usr/bin/python3 3.11.2",
    "python": "echo /usr/bin/python2 2.7.18",
}
STUBBORN = (
    "trap '' TERM HUP INT; echo $$ >>PIDS; while :; do sleep 300 & echo $! >>PIDS; wait; done"
)
ENDS = "echo $$ >>PIDS; exec sleep 300"
NEEDED = ("sh", "cat", "head", "ls", "sleep", "tr", "grep", "uname", "id")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Phone:
    """This computer with an Android's programs, some of which hang."""

    def __init__(self, folder: Path) -> None:
        self.bin, self._pids = folder / "bin", folder / "pids"
        self.bin.mkdir()
        for name, script in PROGRAMS.items():
            self.has(name, script)

    def has(self, name: str, script: str, only: str = "*") -> None:
        """Puts a program there; where its first argument matches `only`, else as it was."""
        script = f"case $1 in {only})\n{script} ;;\n*)\n{PROGRAMS[name]} ;;\nesac\n"
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + script.replace("PIDS", str(self._pids)))
        path.chmod(0o755)

    @property
    def hanging(self) -> list[int]:
        """Processes of programs that hang and were not ended."""
        found = self._pids.read_text().split() if self._pids.exists() else []
        return [int(pid) for pid in found if alive(int(pid))]


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    made = Phone(tmp_path)
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    yield made
    for pid in made.hanging:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def without_timeout(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an old phone, whose toolbox is small."""
    for name in NEEDED:
        (phone.bin / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(phone.bin))


pytestmark = pytest.mark.slow
Gathered = tuple[DeviceFacts, dict[str, Capability]]


def gather(tmp_path: Path) -> Gathered:
    facts, found = gather_facts(LocalTransport(tmp_path / "agent"), Deadline.after(60))
    return facts, {capability.name: capability for capability in found}


def check_the_rest(gathered: Gathered, *lost: str) -> None:
    facts, found = gathered
    assert facts.os == "android"
    assert facts.clusters
    assert facts.ram_bytes
    assert facts.model == (None if "getprop" in lost else "SM-G960U")
    level = facts.battery.level_percent if facts.battery else None
    assert level == 71 or "battery" in lost
    for name in ("thermal_service", "python"):
        assert (found[name].status is CapabilityStatus.READABLE) == (name not in lost)
        assert name not in lost or found[name].evidence == "no answer in time"


def test_a_phone_whose_programs_answer_is_described_whole(phone: Phone, tmp_path: Path):
    check_the_rest(gather(tmp_path))


def test_nothing_is_lost_without_timeout_either(
    phone: Phone, without_timeout: None, tmp_path: Path
):
    check_the_rest(gather(tmp_path))


@pytest.mark.parametrize(
    ("program", "only", "lost"),
    [("dumpsys", "thermalservice", "thermal_service"), ("getprop", "*", "getprop")],
)  # fmt: skip
def test_a_program_that_hangs_costs_its_own_facts(
    phone: Phone, tmp_path: Path, program: str, only: str, lost: str
):
    phone.has(program, STUBBORN, only)
    check_the_rest(gather(tmp_path), lost)


def test_what_it_said_before_it_hung_is_kept_and_it_is_ended(phone: Phone, tmp_path: Path):
    phone.has("dumpsys", f"echo '  level: 71'; {ENDS}", "battery")
    check_the_rest(gather(tmp_path))
    assert phone.hanging == []


def test_so_it_is_without_timeout(phone: Phone, without_timeout: None, tmp_path: Path):
    phone.has("dumpsys", STUBBORN, "battery")
    phone.has("getprop", ENDS, "''")
    check_the_rest(gather(tmp_path), "battery", "getprop")
    assert len(phone.hanging) == 1  # a child that was left alone


def test_programs_that_hang_all_together_leave_what_the_kernel_says(phone: Phone, tmp_path: Path):
    for program in PROGRAMS:
        phone.has(program, ENDS)
    facts, found = gather(tmp_path)
    assert facts.kind != "board"  # as if it had no battery
    assert found["battery"].evidence == "no answer in time"
    check_the_rest((facts, found), "battery", "thermal_service", "getprop", "python")
