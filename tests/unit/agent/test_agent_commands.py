"""What the agent has the system's commands say."""

import os
import time
from pathlib import Path

import pytest

from adadeep_agent import wire
from adadeep_agent.commands import run_commands
from adadeep_agent.readings import reading


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs in front of the device's own."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def written(**scripts):
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)

    return written


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = children()
    yield
    assert children() == before


def test_a_command_gets_its_words_and_says_what_it_says(programs):
    programs(dumpsys='printf "%s|" "$@"; echo caf\\303\\251 \\377; echo not this >&2')
    said = run_commands(["dumpsys battery", "dumpsys power"])
    assert said["dumpsys battery"].startswith("battery|")
    assert list(said) == ["dumpsys battery", "dumpsys power"]
    assert "not this" not in said["dumpsys power"]


def test_bytes_that_are_no_text_are_replaced(programs):
    programs(getprop="printf 'caf\\303\\251 \\377'")
    assert run_commands(["getprop"]) == {"getprop": "caf\u00e9 \ufffd"}


def test_what_is_not_there_or_fails_is_none(programs, monkeypatch, tmp_path):
    programs(getprop="echo half; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert run_commands(["getprop", "dumpsys power"]) == {"getprop": None, "dumpsys power": None}


def test_what_reads_its_stdin_finds_nothing_there(programs):
    programs(getprop="cat; echo read")
    assert run_commands(["getprop"]) == {"getprop": "read\n"}


def test_one_that_says_too_much_is_cut_off_and_ended(programs, monkeypatch):
    monkeypatch.setattr(wire, "MAX_COMMAND_BYTES", 1000)
    programs(getprop="while :; do echo xxxxxxxxx; done")
    assert len(run_commands(["getprop"])["getprop"]) == 1000


def test_all_together_say_no_more_than_they_may(programs, monkeypatch):
    monkeypatch.setattr(wire, "MAX_COMMANDS_BYTES", 12)
    programs(dumpsys="printf 12345678")
    said = run_commands(["dumpsys battery", "dumpsys power", "dumpsys deviceidle"])
    assert list(said.values()) == ["12345678", "1234", None]


def test_one_that_takes_too_long_is_ended_and_the_next_runs(programs, monkeypatch):
    monkeypatch.setattr(wire, "COMMAND_S", 0.2)
    programs(dumpsys="echo begun; exec sleep 60", getprop="echo well")
    began = time.monotonic()
    assert run_commands(["dumpsys power", "getprop"]) == {
        "dumpsys power": None,
        "getprop": "well\n",
    }
    assert time.monotonic() - began < 30  # not the minute that it would sleep


def test_one_that_closes_its_output_and_goes_on_is_ended(programs, monkeypatch):
    monkeypatch.setattr(wire, "COMMAND_S", 0.2)
    programs(getprop="echo said; exec >&-; exec sleep 60")
    assert run_commands(["getprop"]) == {"getprop": None}


def test_when_their_time_is_over_none_is_begun(programs, monkeypatch, tmp_path):
    monkeypatch.setattr(wire, "COMMANDS_S", 0.0)
    programs(getprop=f"touch {tmp_path}/ran")
    assert run_commands(["getprop"]) == {"getprop": None}
    assert not (tmp_path / "ran").exists()


def test_a_command_that_is_asked_for_twice_runs_once(programs, tmp_path):
    programs(getprop=f"echo x >> {tmp_path}/ran; echo well")
    assert run_commands(["getprop"] * 3) == {"getprop": "well\n"}
    assert (tmp_path / "ran").read_text() == "x\n"


def test_a_reading_has_them_beside_the_files(programs):
    programs(getprop="echo well")
    assert reading([])["commands"] == {}
    assert reading(["/proc/loadavg"], ["getprop"])["commands"] == {"getprop": "well\n"}
