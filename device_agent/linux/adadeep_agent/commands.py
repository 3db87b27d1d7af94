"""The system's own commands, of a closed list: what they say of the device's state, as text.

What can't be run, fails or takes too long is None; nothing here raises.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import Any, Dict, Optional, Sequence

from adadeep_agent import wire


def run_commands(commands: Sequence[str]) -> Dict[str, Optional[str]]:
    """Command -> what it wrote to its stdout; each is run once, in this order.

    Args:
        commands: of `wire.COMMANDS`.
    """
    said: Dict[str, Optional[str]] = {}
    left, until = wire.MAX_COMMANDS_BYTES, time.monotonic() + wire.COMMANDS_S
    for command in dict.fromkeys(commands):
        most = min(wire.MAX_COMMAND_BYTES, left)
        by = min(until, time.monotonic() + wire.COMMAND_S)
        data = _run(command, most, by) if most and time.monotonic() < until else None
        said[command] = None if data is None else data.decode("utf-8", "replace")
        left -= len(data or b"")
    return said


def _run(command: str, most: int, by: float) -> Optional[bytes]:
    """The beginning of its output; of one that wrote less than `most`, if it ended well."""
    import subprocess  # takes as long to load as all else here; only where a command is asked for

    try:
        process = subprocess.Popen(
            command.split(" "),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        data = _read_by(process, most, by)
        if data is None or len(data) == most:
            return data
        return data if process.wait(max(0.0, by - time.monotonic())) == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        return None
    finally:
        _end(process)


def _read_by(process: Any, most: int, by: float) -> Optional[bytes]:
    """Its output, `most` bytes at the most; None if there is more to come at that time."""
    pipe, data = process.stdout.fileno(), b""
    while len(data) < most:
        ready, _, _ = select.select([pipe], [], [], max(0.0, by - time.monotonic()))
        if not ready:
            return None
        piece = os.read(pipe, most - len(data))
        if not piece:
            break
        data += piece
    return data


def _end(process: Any) -> None:
    """Nothing is left of it, unless the kernel can't end it; then it is not waited for."""
    process.stdout.close()
    with contextlib.suppress(Exception):
        if process.poll() is None:
            process.kill()
            process.wait(1)
