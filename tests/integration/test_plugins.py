"""Plug-ins that can't be used: a warning each, and nothing else is any different."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adadeep.search.registry import SAMPLERS
from fakes.packages import install

BROKEN = {
    "adadeep.techniques": {"W3": "bad_toy:W3", "W9": "no_such_module:W9", "half": "bad_toy:HALF"},
    "adadeep.samplers": {"crash": "bad_crash:CRASH"},
    "adadeep.agent_kinds": {"spy": "no_such_module:SPY"},
}
MODULES = {
    "bad_toy": "print('hello')\nclass Half:\n    name = 'half'\nHALF = Half()\n",
    "bad_crash": "raise SystemExit('\\x1b[2J')\n",
}
EVERY = ["W3", "W9", "half", "crash", "spy"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    install(tmp_path / "packages", "bad-toys", BROKEN, MODULES)
    return tmp_path / "packages"


def adadeep(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    folders = [str(path or ""), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in folders if part)}
    return subprocess.run(
        [sys.executable, "-m", "adadeep", *words],
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip


def warned_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Names of the plug-ins in the warnings, one for each line."""
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert all(" of bad-toys 1.2 is left out (" in line for line in lines)
    return [line.split("'")[1] for line in lines]


def test_help_lists_what_can_be_used_and_warns_once_of_what_can_not(broken: Path) -> None:
    done = adadeep("search", "--help", path=broken)
    assert done.returncode == 0
    assert done.stdout == adadeep("search", "--help").stdout
    assert sorted(warned_of(done)) == ["crash", "spy"]


@pytest.mark.parametrize("words", [["--help"], ["profiles", "list"]])
def test_who_looks_at_no_registry_is_warned_of_nothing(broken: Path, words: list[str]) -> None:
    done, clean = adadeep(*words, path=broken), adadeep(*words)
    assert (done.returncode, done.stdout, done.stderr) == (0, clean.stdout, clean.stderr)


def kind_of_sampler(presets: str) -> str:
    return (
        f"class Kind:\n    name, title, make = 'odd', 'odd', print\n    presets = {presets}\n"
        "ODD = Kind()\n"
    )


def test_help_ends_well_whatever_an_entry_holds(tmp_path: Path) -> None:
    odd = {"adadeep.samplers": {"odd": "odd_sampler:ODD"}}
    install(tmp_path, "odd-toys", odd, {"odd_sampler": kind_of_sampler("None")})
    done = adadeep("search", "--help", path=tmp_path)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert f"There are: {', '.join(SAMPLERS)}, odd." in text
    assert "What there is can't be listed (" in text
    raising = kind_of_sampler("property(lambda self: 1 / 0)")
    install(tmp_path / "other", "odd-toys", odd, {"odd_sampler": raising})
    done = adadeep("search", "--help", path=tmp_path / "other")
    assert done.returncode == 0
    assert "'odd' of odd-toys 1.2 is left out (ZeroDivisionError" in done.stderr


def test_an_error_in_the_code_of_a_plugin_is_said_to_be_its_own(tmp_path: Path) -> None:
    odd = {"adadeep.samplers": {"odd": "odd_sampler:ODD"}}
    second_time = "property(lambda self: [1 / next(LEFT)])"
    text = "LEFT = iter([1, 0])\n" + kind_of_sampler(second_time)
    install(tmp_path, "odd-toys", odd, {"odd_sampler": text})
    done = adadeep("search", "digits", "--sampler", "odd", "--preset", "1", path=tmp_path)
    assert done.returncode == 1
    assert "internal error: ZeroDivisionError" in done.stderr
    assert "This is a fault of sampler odd of odd-toys 1.2." in done.stderr


def test_what_is_chosen_and_can_not_be_used_is_an_error_and_no_second_warning(
    broken: Path,
) -> None:
    done = adadeep("search", "digits", "--sampler", "crash", path=broken)
    assert done.returncode == 2
    assert "error: sampler 'crash' of bad-toys 1.2 is left out (SystemExit" in done.stderr
    assert "crash" not in warned_of(done)


def test_doctor_lists_them_and_its_exit_code_is_that_of_the_devices(broken: Path) -> None:
    done = adadeep("doctor", "-d", "no-such-device", path=broken)
    assert done.returncode == adadeep("doctor", "-d", "no-such-device").returncode == 3
    for name in EVERY:
        assert f"{name} of bad-toys 1.2" in done.stdout
        assert f"'{name}' of bad-toys 1.2 is left out (" in done.stdout
    assert warned_of(done) == []  # it has said so
    done = adadeep("doctor", "-d", "no-such-device", "--json", path=broken)
    listed = json.loads(done.stdout)["plugins"]
    assert sorted(one["name"] for one in listed) == sorted(EVERY)
    assert {(one["package"], one["version"]) for one in listed} == {("bad-toys", "1.2")}
    assert sorted(warned_of(done)) == sorted(EVERY)


def test_where_nothing_is_installed_doctor_lists_nothing() -> None:
    done = adadeep("doctor", "-d", "no-such-device")
    assert "plug-ins" not in done.stdout
    assert json.loads(adadeep("doctor", "-d", "no-such-device", "--json").stdout)["plugins"] == []
