"""Our folder on a device: how much room there is, and removing it with all that is in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from adadeep.core.clock import Deadline
from adadeep.core.display import one_line
from adadeep.core.errors import StableDeviceError
from adadeep.core.transport import Transport
from adadeep.devices.agent_watch import (
    ALL_PROCESSES,
    COMMAND_LINE,
    ending,
    kill_agents,
    matching,
)
from adadeep.devices.parse.sections import integer

_ENDING_S = 3.0


def free_bytes(transport: Transport, deadline: Deadline) -> int | None:
    """Space left where the work folder is; None if `df` does not tell."""
    done = transport.run(f"df -Pk {shlex.quote(transport.workdir)} | tail -n 1", deadline)
    words = done.text.split()
    blocks = integer(words[3]) if len(words) >= 6 else None
    return None if blocks is None else blocks * 1024


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was removed from a device.

    Attributes:
        folder: that was ours.
        results: measurements in it that no host had fetched.
        deployed: models in it that were deployed.
    """

    folder: str
    results: int
    deployed: int


def clean(transport: Transport, deadline: Deadline, force: bool = False) -> Cleaned:
    """Removes everything of ours from a device.

    Args:
        transport: to it.
        deadline: for all of it.
        force: end an agent that is at work there, whoever started it.

    Raises:
        StableDeviceError: an agent is at work there, or something can't be removed.
    """
    folder = transport.workdir
    quoted = shlex.quote(folder)
    if force:
        kill_agents(transport, deadline)
    script = (
        f"for p in {ALL_PROCESSES}; do case {COMMAND_LINE} in {matching(folder)})"
        " echo process $p; exit 9;; esac; done;"
        f" cd / && ls {quoted}/spool {quoted}/deployed 2>/dev/null; rm -rf {quoted}"
    )
    patience = deadline.sooner(_ENDING_S)
    done = transport.run(script, deadline)
    while done.exit_code and not patience.expired:  # an agent may be just about to end
        deadline.clock.sleep(0.3)
        done = transport.run(script, deadline)
    words = done.text.split()
    if done.exit_code == 9:
        raise StableDeviceError(
            f"{transport.serial}: an agent is at work there ({one_line(done.text, 40)});"
            f" wait until it is done, or end it: {ending(transport.serial)}."
        )
    if done.exit_code != 0:
        text = one_line(done.stderr.decode("utf-8", "replace")).rstrip(".")
        raise StableDeviceError(f"{transport.serial}: {folder} can't be removed: {text}.")
    results = sum(word.endswith(".json") for word in words)
    return Cleaned(folder, results, sum(word.endswith(".tflite") for word in words))
