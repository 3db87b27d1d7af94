"""The kinds of agents by name. Adding one is a file or folder beside this one and a line here."""

from __future__ import annotations

from adadeep.core.agent_kind import AgentKind
from adadeep.core.registry import Registry

_HERE = "adadeep.devices.agent_kinds"

AGENT_KINDS: Registry[AgentKind] = Registry(
    "agent",
    {
        "android-java": f"{_HERE}.android_java.kind:ANDROID_JAVA",
        "linux-python": f"{_HERE}.linux_python.kind:LINUX_PYTHON",
    },
    group="adadeep.agent_kinds",
    protocol=AgentKind,
)
