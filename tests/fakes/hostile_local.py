"""Puts the lying agent in the place of this computer's; as a script, runs a command so."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adadeep.core.clock import Deadline
from adadeep.core.stream import Stream
from adadeep.devices.local import SERIAL, LocalTransport
from adadeep.devices.shell import open_process
from fakes import hostile_agent

Open = Callable[[LocalTransport, str, Deadline], Stream]
REAL_OPEN: Open = LocalTransport.open


class Recorder:
    """A stream that writes down which reply a request got."""

    def __init__(self, stream: Any, recording: Path) -> None:
        self._stream, self._recording = stream, recording
        self._asked = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, data: bytes, deadline: Deadline) -> None:
        self._asked = data
        self._stream.write(data, deadline)

    def read_line(self, *arguments: Any, **options: Any) -> bytes:
        line: bytes = self._stream.read_line(*arguments, **options)
        if line.startswith(b"{"):
            hostile_agent.record(self._recording, self._asked, line)
        return line


def recording_open(recording: Path) -> Open:
    """Starts the real agent and keeps what it says."""

    def opened(transport: LocalTransport, command: str, deadline: Deadline) -> Stream:
        stream = REAL_OPEN(transport, command, deadline)
        return Recorder(stream, recording) if " serve " in command else stream  # type: ignore[return-value]

    return opened


def hostile_open(scenario: str, recording: Path) -> Open:
    """Starts the lying agent wherever the real one would be."""

    def opened(transport: LocalTransport, command: str, deadline: Deadline) -> Stream:
        if " serve " not in command:
            return REAL_OPEN(transport, command, deadline)
        script = str(Path(hostile_agent.__file__))
        argv = [sys.executable, "-S", "-E", script, scenario, str(recording)]
        return open_process(argv, SERIAL, cwd="/")

    return opened


if __name__ == "__main__":
    from adadeep.cli.main import cli, run

    scenario_, recording_, words = json.loads(sys.argv[1])
    if scenario_:
        LocalTransport.open = hostile_open(scenario_, Path(recording_))  # type: ignore[method-assign]
    sys.exit(run(cli, words))
