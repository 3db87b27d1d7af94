"""Waiting for an agent: tells the user what is waited for, and finds out whether it hangs.

A second shell looks at the agent's process. One that is stopped, or has used no processor time for
a while, hangs; a model that takes half a minute an inference does not, for it computes.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import DeadlinePassed, DeviceError, TransientDeviceError
from adadeep.core.stream import Stream
from adadeep.core.transport import Transport

Note = Callable[[str], None]
_LOOK_S = 10.0
_KILL_S = 10.0
_STOPPED = "Tt"


def _nobody(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    """How patient the host is with an agent that says nothing.

    Attributes:
        note: is told what is waited for, and how long already.
        first_note_s: silence before the first note, and before the first look.
        next_note_s: between notes.
        next_look_s: between looks at the process.
        hung_s: without processor time for so long, it hangs.
    """

    note: Note = _nobody
    first_note_s: float = 10.0
    next_note_s: float = 30.0
    next_look_s: float = 5.0
    hung_s: float = 20.0


@dataclass(frozen=True, slots=True)
class ProcessState:
    """An agent's process as /proc shows it.

    Attributes:
        pid: of it.
        stopped: by a signal or a debugger.
        ticks: processor time that it has used.
    """

    pid: int
    stopped: bool
    ticks: int


def matching(workdir: str) -> str:
    """Shell: a pattern of `case` that the command line of an agent of this folder matches.

    That of every kind of agent ends so, and that of the shell that looks for it does not.
    """
    return f"*{shlex.quote(f' serve {workdir} ')}"


COMMAND_LINE = """"$(tr '\\0\\n' '  ' 2>/dev/null </proc/$p/cmdline)\""""  # of process $p
ALL_PROCESSES = "$(cd /proc && echo [0-9]*)"


def process_state(transport: Transport, pid: int, deadline: Deadline) -> ProcessState | None:
    """What an agent's process is doing; None where /proc does not tell.

    Raises:
        TransientDeviceError: there is no such process any more, or the link is gone.
    """
    script = (
        f"p={pid}; [ -r /proc/self/stat ] || exit 0; "
        f"case {COMMAND_LINE} in {matching(transport.workdir)}) cat /proc/$p/stat;; "
        "*) echo gone;; esac"
    )
    text = transport.run(script, deadline).text.strip()
    if text == "gone":
        raise TransientDeviceError(f"{transport.serial}: the agent has ended (process {pid}).")
    fields = text.rpartition(")")[2].split()  # behind the name, which may hold anything
    if len(fields) < 13 or not (fields[11] + fields[12]).isascii():
        return None
    with contextlib.suppress(ValueError):
        return ProcessState(pid, fields[0] in _STOPPED, int(fields[11]) + int(fields[12]))
    return None


def lock_holder(transport: Transport, deadline: Deadline) -> int | None:
    """The process that the device's lock names; None if it names none."""
    lock = shlex.quote(f"{transport.workdir}/lock")
    text = transport.run(f"head -c 12 {lock} 2>/dev/null", deadline).text.strip()
    return int(text) if text.isascii() and text.isdecimal() else None


def kill_agents(transport: Transport, deadline: Deadline, pid: int | None = None) -> None:
    """Ends an agent of our folder on a device, or all; its command line is checked before.

    Each is waited for, a second or some: the kernel ends a process when it gets round to it.

    Raises:
        DeviceError: the device can't be reached.
    """
    candidates = str(pid) if pid else ALL_PROCESSES
    ours = matching(transport.workdir)
    until_gone = (
        f"for i in 0 1 2 3 4 5 6 7 8 9; do case {COMMAND_LINE} in"
        f" {ours}) sleep 0.1 2>/dev/null || sleep 1;; *) break;; esac; done"
    )
    transport.run(
        f"for p in {candidates}; do case {COMMAND_LINE} in"
        f" {ours}) kill -9 $p; {until_gone};; esac; done; true",
        deadline,
    )


class AgentWatcher:
    """Reads an agent's answers.

    Args:
        transport: to its device, for a second shell.
        stream: of the agent.
        watch: how patient.

    Attributes:
        pid: of the agent, once it is known.
        greeting: whether the agent may still be waiting for another to leave the device.
    """

    def __init__(self, transport: Transport, stream: Stream, watch: Watch) -> None:
        self._transport, self._stream, self._watch = transport, stream, watch
        self._seen: tuple[float, ProcessState] | None = None  # since when it has used no more
        self.pid: int | None = None
        self.greeting = True

    def read_line(self, deadline: Deadline, doing: str) -> bytes:
        """The agent's next line.

        Args:
            deadline: for it.
            doing: what is waited for, for notes: "the model's times".

        Raises:
            TransientDeviceError: the link or the agent is gone, or it hung and has been ended; or
                another agent, which keeps the device busy, is stopped.
        """
        clock, watch = deadline.clock, self._watch
        began = clock.now()
        note_at = look_at = began + watch.first_note_s
        self._seen = None
        while True:
            try:
                return self._stream.read_line(
                    deadline.sooner(max(0.0, min(note_at, look_at) - clock.now()))
                )
            except DeadlinePassed:
                if deadline.expired:
                    raise
            busy = self.look(deadline)
            look_at = clock.now() + watch.next_look_s
            if clock.now() >= note_at:
                silent_s = clock.now() - began
                what = busy or f"waiting for {doing}"
                watch.note(f"{self._transport.serial}: {what}; {silent_s:.0f} s so far")
                note_at = clock.now() + watch.next_note_s

    def look(self, deadline: Deadline) -> str | None:
        """Looks at the processes; says who keeps the device busy, None if nobody else does.

        Raises:
            TransientDeviceError: as `read_line`.
        """
        by = deadline.sooner(_LOOK_S)
        try:
            holder = lock_holder(self._transport, by) if self.greeting else None
            if holder is not None and holder != self.pid:
                return self._other(holder, by)
            if self.pid is not None:
                self._judge(process_state(self._transport, self.pid, by), by.clock.now())
        except DeadlinePassed:  # a slow device, with all its cores at work
            return None
        return None

    def end(self) -> bool:
        """Ends the agent by its process id; False if the device does not answer."""
        if self.pid is None:
            return False
        try:
            kill_agents(self._transport, Deadline.after(_KILL_S), self.pid)
        except DeviceError:
            return False
        return True

    def _other(self, holder: int, deadline: Deadline) -> str | None:
        try:
            state = process_state(self._transport, holder, deadline)
        except DeadlinePassed:
            raise
        except TransientDeviceError:
            return None  # it has ended just now
        if state and state.stopped:
            serial = self._transport.serial
            raise TransientDeviceError(
                f"{serial}: another agent keeps the device busy and is stopped (process {holder});"
                f" {ending(serial)} ends it."
            )
        return f"another agent keeps the device busy (process {holder})"

    def _judge(self, state: ProcessState | None, now: float) -> None:
        if state is None:
            return
        if self._seen is None or self._seen[1] != state:
            self._seen = (now, state)
        idle_s = now - self._seen[0]
        if not state.stopped and idle_s < self._watch.hung_s:
            return
        how = "was stopped" if state.stopped else f"used no processor time for {idle_s:.0f} s"
        with contextlib.suppress(DeviceError):
            kill_agents(self._transport, Deadline.after(_KILL_S), state.pid)
        raise TransientDeviceError(
            f"{self._transport.serial}: the agent hung (process {state.pid} {how}) and has been"
            " ended; try again."
        )


def ending(serial: str) -> str:
    """The command that ends whatever agent is at work on a device."""
    return f"`adadeep doctor -d {shlex.quote(serial)} --clean --force`"


def last_words(transport: Transport) -> str:
    """The end of the agent's log, for a message; empty if it can't be had."""
    try:
        command = f"tail -c 300 {shlex.quote(transport.workdir + '/agent.log')}"
        text = transport.run(command, Deadline.after(5)).text.strip()
    except DeviceError:
        return ""
    return f"The agent's last words: {one_line(text.splitlines()[-1])}" if text else ""
