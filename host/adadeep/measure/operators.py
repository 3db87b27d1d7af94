"""What a runtime is known not to run is not sent to it: the user hears why, before a push."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from adadeep.core.errors import AgentError
from adadeep.core.measurement import Agent
from adadeep.devices.runtimes.limits import limits_of
from adadeep_agent.wire import ErrorCode


def require_operators(serial: str, agent: Agent, models: Iterable[tuple[str, bytes]]) -> None:
    """For names and contents of models that are to be measured.

    Args:
        serial: of the device.
        agent: that is to run them, there.
        models: name -> .tflite.

    Raises:
        AgentError: the runtime there lacks what one of them is made of; it names the model.
    """
    limits = limits_of(agent.runtime, agent.runtime_version)
    if limits is None:
        return
    for name, model in models:
        lacking = limits.lacking(model)
        if lacking:
            raise AgentError(
                f"{serial}: this model needs a newer runtime than {limits.runtime}"
                f" {limits.version}: {lacking}. Convert it for that runtime, or give the device a"
                f" newer one: on Android --runtime FILE.aar, else"
                f" adadeep doctor -d {shlex.quote(serial)} --provision",
                ErrorCode.UNSUPPORTED_OP,
                name,
            )
