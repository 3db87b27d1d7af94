"""The Python agent as a kind: what it needs, how it is started, what its errors mean."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adadeep.core.agent_kind import MISSING_LINE, PROCESS_LINE, Preparing
from adadeep.core.check import Check, CheckStatus
from adadeep.core.clock import Deadline
from adadeep.core.device import NO_ANSWER, Capability, CapabilityStatus, DeviceFacts
from adadeep.core.errors import ConfigError, NoAgentError
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport
from adadeep.devices.agent_kinds.linux_python.package import agent_package
from adadeep.devices.agent_kinds.linux_python.provision import provision
from adadeep.devices.agent_kinds.linux_python.python import (
    NO_PYTHON,
    OLDEST_PYTHON,
    BoardPython,
    probe_python,
    suitable_python,
)
from adadeep_agent.wire import ErrorCode

_PROVIDE_S = 900.0  # tens of megabytes over a slow network

# Run by the device's Python: the agent, if the file is whole; a power cut leaves one of the right
# size that is full of zeros. The file is an argument, so that a command line shows what runs.
_BOOT = """
import hashlib, runpy, sys
try:
    with open(sys.argv[1], "rb") as file:
        whole = hashlib.sha256(file.read()).hexdigest() == "%s"
except OSError:
    whole = False
if not whole:
    print("%s")
    sys.exit(44)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

_REMEDIES = {
    ErrorCode.NO_RUNTIME: "Give the device a runtime: adadeep doctor -d {serial} --provision",
    ErrorCode.MODEL_CORRUPT: "Convert the model anew, or try a newer runtime on the device.",
    ErrorCode.UNSUPPORTED_OP: "Convert with built-in operators only, or use a newer runtime.",
}


@dataclass(frozen=True, slots=True)
class LinuxAgent:
    """The Python agent on one device: a `ReadyAgent`.

    Attributes:
        transport: to the device.
        python: its Python.
        python_path: a provisioned runtime's folder; None where Python has its own.
    """

    transport: Transport
    python: str
    python_path: str | None = None

    @property
    def remedies(self) -> Mapping[str, str]:
        """What to do, by error code."""
        return _REMEDIES

    def open(self, deadline: Deadline) -> Stream:
        """Starts it; says that it is missing where the device has no whole package."""
        return self.transport.open(self.command, deadline)

    def push(self, deadline: Deadline, lacking: str = "") -> None:  # noqa: ARG002
        """Puts the package there; it is all that can be lacking."""
        package = agent_package()
        self.transport.push(package.data, f"{self.transport.workdir}/{package.name}", deadline)

    def leave(self, deadline: Deadline) -> None:
        """Nothing was changed; the package stays for the next time."""

    @property
    def command(self) -> str:
        """The shell command that starts it."""
        package, workdir = agent_package(), self.transport.workdir
        boot = _BOOT % (package.sha256, MISSING_LINE.decode())
        path = f"PYTHONPATH={shlex.quote(self.python_path)} " if self.python_path else ""
        argv = [self.python, "-c", boot, f"{workdir}/{package.name}", "serve", workdir]
        folder = shlex.quote(workdir)
        return (
            f"echo {shlex.quote(PROCESS_LINE.decode())}$$;"
            f" cd {folder} && {path}exec {shlex.join(argv)} 2>{folder}/agent.log"
        )


class LinuxPython:
    """The kind: an `AgentKind`."""

    name = "linux-python"
    title = "the Python agent"
    priority = 0

    @property
    def remedies(self) -> Mapping[str, str]:
        """What to do, by error code."""
        return _REMEDIES

    def fits(self, facts: DeviceFacts, capabilities: Sequence[Capability]) -> str | None:
        """Whether there may be a Python; this computer has one, for it runs us.

        A slow board takes longer for its first Python than facts wait: `prepare` looks again.
        """
        readable = CapabilityStatus.READABLE
        may_have_one = any(
            one.name == "python" and (one.status is readable or one.evidence == NO_ANSWER)
            for one in capabilities
        )
        return None if may_have_one or facts.is_this_computer else NO_PYTHON

    def prepare(
        self, transport: Transport, deadline: Deadline, preparing: Preparing
    ) -> LinuxAgent:
        """Looks for a Python with numpy and a runtime; provides both where it may.

        Raises:
            NoAgentError: no Python, an old one, or no runtime; says what to do.
            ConfigError: a runtime was named, which is for another agent.
            StableDeviceError: no wheel for it, no network here, no space there.
            TransientDeviceError: the link broke or the deadline passed.
        """
        if preparing.runtime is not None:
            raise ConfigError(
                f"{transport.serial}: --runtime is for the Android agent; the Python agent takes"
                " the runtime that its Python has. Leave it out, or add --agent android-java."
            )
        board = suitable_python(transport, deadline)
        if not board.complete and preparing.may_provide(_lacking(transport, board)):
            provide_by = Deadline.after(_PROVIDE_S, deadline.clock)
            board = provision(transport, board, provide_by, preparing.tell)
        if not board.complete:
            raise NoAgentError(_lacking(transport, board))
        return LinuxAgent(transport, board.executable, board.python_path)

    def examine(self, transport: Transport, deadline: Deadline) -> list[Check]:
        """Checks its Python, and what that has."""
        board = probe_python(transport, deadline)
        if board is None:
            evidence, _, remedy = NO_PYTHON.partition("; the")
            return [Check("Python", CheckStatus.FAIL, evidence, f"The{remedy}")]
        if board.version_pair < OLDEST_PYTHON:
            oldest = ".".join(str(part) for part in OLDEST_PYTHON)
            remedy = f"Install {oldest} or newer."
            return [Check("Python", CheckStatus.FAIL, board.version, remedy)]
        libc = board.libc or "another C library than glibc"
        evidence = f"{board.version}, {board.bits}-bit, {libc}: {board.executable}"
        return [Check("Python", CheckStatus.OK, evidence), *_packages(transport, board)]


def _lacking(transport: Transport, board: BoardPython) -> str:
    missing = "no numpy" if board.numpy_version is None else "no TFLite runtime"
    return (
        f"{transport.serial}: its Python {board.version} has {missing}. "
        f"`adadeep doctor -d {shlex.quote(transport.serial)} --provision` gives it one."
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


LINUX_PYTHON = LinuxPython()
