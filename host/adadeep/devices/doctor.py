"""Checks a device from end to end, from the link to the agent's hand-shake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from adadeep.core.agent_kind import Preparing, ReadyAgent
from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import DeviceError, NoAgentError
from adadeep.core.transport import Transport
from adadeep.devices.agent import AgentClient
from adadeep.devices.agent_kinds.choice import by_priority, choose_kind
from adadeep.devices.facts import gather_facts
from adadeep.devices.parse.sections import integer
from adadeep.devices.work_folder import free_bytes

_FEW_BYTES, _TOO_FEW_BYTES = 200_000_000, 20_000_000
_CLOCK_OFF_S = 120.0
_KNOWN_MACHINES = ("x86_64", "aarch64", "armv7l", "armv8l", "i686")
_CHECK_S = 30.0

Step = Callable[[Deadline], list[Check]]


def examine(
    transport: Transport,
    deadline: Deadline,
    agent: str | None = None,
    runtime: Path | None = None,
) -> Iterator[Check]:
    """Runs the checks in order, each as it is asked for; ends after one that others need.

    Nothing is left on the device but the agent's own files. What fails is told, not raised.

    Args:
        transport: to the device.
        deadline: for all of it.
        agent: the kind of agent that is to measure there; None leaves the choice.
        runtime: an archive whose runtime it is to take; None for its own.

    Raises:
        ConfigError: there is no kind of that name, or the archive will not do.
    """
    steps: dict[str, Step] = {
        "link": transport.examine,
        "shell": lambda by: _shell(transport, by),
        "folder": lambda by: _folder(transport, by),
        "system": lambda by: _system(transport, by),
        "agent": lambda by: _agents(transport, by, agent, runtime),
    }
    for name, step in steps.items():
        try:
            checks = step(deadline.sooner(_CHECK_S))
        except DeviceError as error:
            checks = [Check(name, CheckStatus.FAIL, str(error))]
        yield from checks
        if _have_failed(checks):
            return


def _have_failed(checks: list[Check]) -> bool:
    return any(check.status is CheckStatus.FAIL for check in checks)


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


def _agents(
    transport: Transport, deadline: Deadline, name: str | None, runtime: Path | None
) -> list[Check]:
    """The kind that would measure, from what it needs to its hand-shake; if none fits, all."""
    facts, capabilities = gather_facts(transport, deadline)
    try:
        kind = choose_kind(facts, capabilities, name)
    except NoAgentError as error:
        found = [check for one in by_priority() for check in one.examine(transport, deadline)]
        unfit = Check("agent", CheckStatus.FAIL, str(error))
        return found if _have_failed(found) else [*found, unfit]
    checks = kind.examine(transport, deadline)
    if _have_failed(checks):
        return checks
    ready = kind.prepare(transport, deadline, Preparing(runtime=runtime))
    return [*checks, _started(ready, deadline)]


def _started(ready: ReadyAgent, deadline: Deadline) -> Check:
    began = time.monotonic()
    agent = AgentClient.start(ready, deadline)
    elapsed_ms = (time.monotonic() - began) * 1000
    hello = agent.hello
    agent.close()
    ready.leave(deadline)
    text = f"{hello.agent} answers, {hello.runtime} {hello.runtime_version}, {elapsed_ms:.0f} ms"
    return Check("agent", CheckStatus.OK, text)
