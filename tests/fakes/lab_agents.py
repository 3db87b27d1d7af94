"""Agents on the lab's devices, seen from outside: their processes, and what they have measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from adadeep.core.clock import Deadline
from adadeep.core.session import MeasuredTogether
from adadeep.core.transport import Transport

PYTHON, JAVA = "[p]yz serve", "agent.[M]ain serve"  # do not match the command that has them


def agent_pids(transport: Transport, marked: str = PYTHON) -> list[str]:
    """Processes of the agent on a device, by a pattern of their command lines."""
    script = (
        "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null"
        f" | grep -q '{marked}' && echo ${{p#/proc/}}; done; true"
    )
    return transport.run(script, Deadline.after(60)).text.split()


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Waits until it holds; whether it does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def timed_s(session: MeasuredTogether) -> float:
    """How long the first model of a session was timed."""
    return sum(sum(block.times_ns) for block in session.measurements[0].blocks) / 1e9
