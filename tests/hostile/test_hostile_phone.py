"""A phone whose programs flood, lie, hang or print what a terminal obeys, over a real adbd."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.processes import Measured, measured
from fakes.sandbox import Sandbox, assert_clear_failure, assert_harmless

pytestmark = pytest.mark.lab

MOST_MORE_BYTES = 200_000_000
SANE = "Current Battery Service state:\n  level: 80\n  scale: 100\n  voltage: 4100\n"
ESCAPES = "\x1b]0;owned\x07\x1b[2J[/][bold]\u202e"
FLOOD = "#!/bin/sh\nwhile :; do echo '  level: 80 80 80 80 80 80 80 80 80 80 80 80 80 80'; done\n"
HANGS = "#!/bin/sh\ntrap '' TERM HUP INT\nwhile :; do sleep 300; done\n"
ONE_LINE = "#!/bin/sh\nwhile :; do printf 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; done\n"
LIES = "".join(
    f"  {key}: {value}\n"
    for key, value in {
        "level": 10**30, "scale": 0, "voltage": -5, "temperature": "nan", "status": "[" * 50_000,
        "charge counter": 10**400, "max charging current": "1e999", "present": ESCAPES,
    }.items()
)  # fmt: skip
PROPS = {
    "escapes": f"ro.product.model={ESCAPES}\nro.product.manufacturer={ESCAPES}\n",
    "a model of a megabyte": "ro.product.model=" + "x" * 1_000_000 + "\n",
    "paths": "ro.product.model=../../../../x\nro.product.manufacturer=../../../../y\n",
}
BATTERIES = {
    "lies": LIES, "escapes": ESCAPES * 100, "floods": FLOOD, "floods in one line": ONE_LINE,
    "hangs": HANGS, "binary": bytes(range(256)) * 100,
    "40 MB at once": "  level: 80\n" * 3_500_000,
}  # fmt: skip


@pytest.fixture
def profiled(
    lab_phone: Callable, sandbox: Sandbox, tmp_path: Path, adb_env: dict[str, str]
) -> Callable[..., Measured]:
    """Profiles a phone that is made hostile, in a process of its own."""
    sandbox.variables["ANDROID_ADB_SERVER_PORT"] = adb_env["ANDROID_ADB_SERVER_PORT"]

    def profile(battery: str | bytes = SANE, props: str = "", getprop: str = "") -> Measured:
        overlay = tmp_path / f"overlay-{len(list(tmp_path.iterdir()))}"
        program = overlay / "lab" / "dumpsys" / "battery"
        program.parent.mkdir(parents=True)
        program.write_bytes(battery if isinstance(battery, bytes) else battery.encode())
        program.chmod(0o755 if str(battery).startswith("#!") else 0o644)
        if getprop:
            replaced = overlay / "system" / "bin" / "getprop"
            replaced.parent.mkdir(parents=True)
            replaced.write_text(getprop)
            replaced.chmod(0o755)
        options = {}
        if props:
            options["props"] = overlay / "props"
            options["props"].write_text(props)
        phone = lab_phone(overlay=overlay, **options)
        return measured(sandbox, ["profile", "-d", phone.serial, "--json"])

    return profile


def check(done: Measured, sound: Measured) -> None:
    assert sound.code == 0, sound.err
    more = done.peak_bytes - sound.peak_bytes
    assert more <= MOST_MORE_BYTES, f"{more / 1e6:.0f} MB more: {done.err[-500:]}"
    assert_harmless(done)
    if done.code:
        assert_clear_failure(done, {2, 3})
    else:
        json.loads(done.out, parse_constant=pytest.fail)


@pytest.mark.parametrize("battery", BATTERIES.values(), ids=BATTERIES)
def test_a_hostile_battery_is_harmless(
    profiled: Callable[..., Measured], sandbox: Sandbox, battery: str | bytes
):
    sound = profiled()
    before = sandbox.snapshot()
    check(profiled(battery), sound)
    assert sandbox.snapshot() == before


@pytest.mark.parametrize("props", PROPS.values(), ids=PROPS)
def test_hostile_properties_are_harmless(
    profiled: Callable[..., Measured], sandbox: Sandbox, props: str
):
    sound = profiled()
    before = sandbox.snapshot()
    check(profiled(props=props), sound)
    assert sandbox.snapshot() == before


def test_properties_that_never_come_cost_no_other_fact(
    profiled: Callable[..., Measured], sandbox: Sandbox
):
    sound = profiled()
    before = sandbox.snapshot()
    done = profiled(getprop=HANGS)
    check(done, sound)
    assert done.code == 0, done.err
    [made] = json.loads(done.out)["profiles"]
    facts = tomllib.loads(Path(made["path"]).read_text())["facts"]
    assert facts["os"] == "android"
    assert facts["battery"]["level_percent"] == 80
    assert measured(sandbox, ["devices"]).code == 0
    assert sandbox.snapshot() == before
