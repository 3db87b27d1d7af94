"""their-agent: the Python agent of adadeep, started by a program of their own."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adadeep.core.agent_kind import MISSING_LINE, PROCESS_LINE, Preparing
from adadeep.core.check import Check
from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.linux_python.kind import LINUX_PYTHON, LinuxAgent
from adadeep.devices.agent_kinds.linux_python.package import agent_package

NAME = "their-agent"
PROGRAM = f"""
import hashlib, sys
try:
    with open(sys.argv[1], "rb") as file:
        whole = hashlib.sha256(file.read()).hexdigest() == sys.argv.pop()
except OSError:
    whole = False
if not whole:
    print("{MISSING_LINE.decode()}")
    sys.exit(44)
del sys.argv[0]
sys.path.insert(0, sys.argv[0])
from adadeep_agent import serve
serve.AGENT_NAME = "{NAME}"
sys.exit(serve.main())
"""


@dataclass(frozen=True)
class TheirAgent:
    base: LinuxAgent

    @property
    def transport(self) -> Transport:
        return self.base.transport

    @property
    def remedies(self) -> Mapping[str, str]:
        return self.base.remedies

    def open(self, deadline: Deadline) -> Stream:
        package, workdir = agent_package(), self.transport.workdir
        file = f"{workdir}/{package.name}"
        argv = [self.base.python, "-c", PROGRAM, file, "serve", workdir, package.sha256]
        said = f"echo {shlex.quote(PROCESS_LINE.decode())}$$"
        return self.transport.open(f"{said}; exec {shlex.join(argv)} 2>/dev/null", deadline)

    def push(self, deadline: Deadline, lacking: str = "") -> None:
        self.base.push(deadline, lacking)

    def leave(self, deadline: Deadline) -> None:
        self.base.leave(deadline)


class TheirAgentKind:
    name = NAME
    title = "their agent"
    priority = -1
    remedies: Mapping[str, str] = {}

    def fits(self, facts: DeviceFacts, capabilities: Sequence[Capability]) -> str | None:
        return LINUX_PYTHON.fits(facts, capabilities)

    def prepare(
        self, transport: Transport, deadline: Deadline, preparing: Preparing
    ) -> TheirAgent:
        return TheirAgent(LINUX_PYTHON.prepare(transport, deadline, preparing))

    def examine(self, transport: Transport, deadline: Deadline) -> list[Check]:
        return LINUX_PYTHON.examine(transport, deadline)


THEIR_AGENT = TheirAgentKind()
