"""Checks a device from end to end, from the link to the agent's hand-shake."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import DeviceError
from adadeep.core.transport import Transport
from adadeep.devices.adb.connection import ask
from adadeep.devices.adb.server import server_address
from adadeep.devices.agent import AgentClient
from adadeep.devices.discovery import list_attached
from adadeep.devices.parse.sections import integer
from adadeep.devices.provision import (
    OLDEST_PYTHON,
    BoardPython,
    free_bytes,
    probe_python,
)

_FEW_BYTES, _TOO_FEW_BYTES = 200_000_000, 20_000_000
_CLOCK_OFF_S = 120.0
_KNOWN_MACHINES = ("x86_64", "aarch64", "armv7l", "armv8l", "i686")
_CHECK_S = 30.0


class CheckStatus(StrEnum):
    """What came of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a device.

    Attributes:
        name: for example "shell".
        status: what came of it.
        evidence: what was seen.
        remedy: what to do; None where all is well.
    """

    name: str
    status: CheckStatus
    evidence: str
    remedy: str | None = None


def examine(transport: Transport, deadline: Deadline) -> Iterator[Check]:
    """Runs the checks in order, each as it is asked for; ends after one that others need.

    Nothing is left on the device but the agent's own package. Raises nothing: what fails is told.
    """
    steps: list[Callable[[Transport, Deadline], list[Check]]] = [
        _link, _shell, _folder, _system, _python,
    ]  # fmt: skip
    for step in steps:
        name = step.__name__.strip("_")
        try:
            checks = step(transport, deadline.sooner(_CHECK_S))
        except DeviceError as error:
            checks = [Check(name, CheckStatus.FAIL, str(error))]
        yield from checks
        if any(check.status is CheckStatus.FAIL for check in checks):
            return


def _link(transport: Transport, deadline: Deadline) -> list[Check]:
    if transport.kind != "adb":
        return [Check("link", CheckStatus.OK, "this computer; no link needed")]
    server = server_address()
    version = one_line(ask(server, "host:version", deadline), 20)  # four hex digits
    known = re.fullmatch("[0-9a-fA-F]{4}", version)
    text = f"version {int(version, 16)}" if known else f"says {version!r} of its version"
    checks = [
        Check("adb server", CheckStatus.OK if known else CheckStatus.WARN, f"{server}, {text}")
    ]
    rows = [row for row in list_attached(deadline) if row.serial == transport.serial]
    state = rows[0].state if rows else "not attached"
    ok = bool(rows) and rows[0].usable
    remedy = None if ok else (rows[0].remedy if rows else "Plug it in, or adb connect it.")
    status = CheckStatus.OK if ok else CheckStatus.FAIL
    return [*checks, Check("state", status, state, remedy)]


def _shell(transport: Transport, deadline: Deadline) -> list[Check]:
    began = time.monotonic()
    done = transport.run("echo out; echo err >&2; exit 7", deadline)
    elapsed_ms = (time.monotonic() - began) * 1000
    seen = (done.stdout.strip(), done.stderr.strip(), done.exit_code)
    if seen == (b"out", b"err", 7):
        text = f"exit codes and stderr come through; {elapsed_ms:.0f} ms a command"
        return [Check("shell", CheckStatus.OK, text)]
    return [
        Check(
            "shell",
            CheckStatus.FAIL,
            f"stdout, stderr, exit code were {seen}, not (b'out', b'err', 7)",
            "Update the device's adbd or busybox; please report this device.",
        )
    ]


def _folder(transport: Transport, deadline: Deadline) -> list[Check]:
    folder = transport.workdir
    checks = [Check("work folder", CheckStatus.OK, f"{folder} is writable and lets programs run")]
    free = free_bytes(transport, deadline)
    if free is None:
        return [*checks, Check("free space", CheckStatus.WARN, "df does not tell")]
    remedy = "Free some space on the device; `adadeep doctor --clean` removes what is ours."
    status = CheckStatus.OK
    if free < _FEW_BYTES:
        status = CheckStatus.FAIL if free < _TOO_FEW_BYTES else CheckStatus.WARN
    text = f"{free / 1e6:.0f} MB in {folder}"
    return [
        *checks,
        Check("free space", status, text, None if status is CheckStatus.OK else remedy),
    ]


def _system(transport: Transport, deadline: Deadline) -> list[Check]:
    done = transport.run(
        "uname -m; date +%s; getprop ro.product.cpu.abilist 2>/dev/null", deadline
    )
    machine, clock, abis = [*done.text.splitlines(), "", "", ""][:3]
    known = machine in _KNOWN_MACHINES
    abi = Check(
        "ABI",
        CheckStatus.OK if known else CheckStatus.WARN,
        f"{machine} ({abis})" if abis else machine or "uname says nothing",
        None if known else "TFLite runtimes are made for x86-64 and ARM; build one by hand.",
    )
    return [abi, _clock_check(clock, time.time())]


def _clock_check(text: str, now_s: float) -> Check:
    seconds = integer(text)
    if seconds is None:
        return Check("clock", CheckStatus.WARN, f"date says {one_line(text, 80)!r}")
    off_s = seconds + 0.5 - now_s  # date tells whole seconds
    if abs(off_s) <= _CLOCK_OFF_S:
        return Check("clock", CheckStatus.OK, f"{round(off_s):+d} s from this computer's")
    return Check(
        "clock",
        CheckStatus.WARN,
        f"{round(off_s):+d} s from this computer's",
        "Set the device's clock; times in its records will be wrong (latencies are not).",
    )


def _python(transport: Transport, deadline: Deadline) -> list[Check]:
    board = probe_python(transport, deadline)
    if board is None:
        return [_no_python()]
    if board.version_pair < OLDEST_PYTHON:
        oldest = ".".join(str(part) for part in OLDEST_PYTHON)
        return [Check("Python", CheckStatus.FAIL, board.version, f"Install {oldest} or newer.")]
    libc = board.libc or "another C library than glibc"
    python = Check(
        "Python", CheckStatus.OK, f"{board.version}, {board.bits}-bit, {libc}: {board.executable}"
    )
    return [python, *_packages(transport, board), *_agent(transport, board, deadline)]


def _no_python() -> Check:
    return Check(
        "Python",
        CheckStatus.FAIL,
        "this device has no Python",
        "The Android agent that it needs is still to come. `adadeep-profile` records its facts "
        "meanwhile.",
    )


def _packages(transport: Transport, board: BoardPython) -> list[Check]:
    remedy = f"`adadeep doctor -d {shlex.quote(transport.serial)} --provision` gives it one."
    where = f" in {board.python_path}" if board.python_path else ""
    runtime = f"{board.runtime} {board.runtime_version}" if board.runtime else None
    found = {"numpy": board.numpy_version, "TFLite runtime": runtime}
    return [
        Check(name, CheckStatus.FAIL, "none", remedy)
        if version is None
        else Check(name, CheckStatus.OK, f"{version}{where}")
        for name, version in found.items()
    ]


def _agent(transport: Transport, board: BoardPython, deadline: Deadline) -> list[Check]:
    if not board.complete:
        return []
    began = time.monotonic()
    agent = AgentClient.start(transport, board.executable, board.python_path, deadline)
    elapsed_ms = (time.monotonic() - began) * 1000
    hello = agent.hello
    agent.close()
    text = f"{hello.agent} answers, {hello.runtime} {hello.runtime_version}, {elapsed_ms:.0f} ms"
    return [Check("agent", CheckStatus.OK, text)]
