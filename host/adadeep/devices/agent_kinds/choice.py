"""Which kind of agent measures on a device."""

from __future__ import annotations

from collections.abc import Sequence

from adadeep.core.agent_kind import AgentKind
from adadeep.core.device import Capability, DeviceFacts
from adadeep.core.errors import NoAgentError, StableDeviceError
from adadeep.devices.agent_kinds.registry import AGENT_KINDS


def by_priority() -> list[AgentKind]:
    """Every kind that can be had, the highest priority first."""
    return sorted(AGENT_KINDS.usable().values(), key=lambda kind: -kind.priority)


def choose_kind(
    facts: DeviceFacts, capabilities: Sequence[Capability], name: str | None = None
) -> AgentKind:
    """The kind that is named, else of those that fit the one of the highest priority.

    Args:
        facts: of the device.
        capabilities: of it.
        name: of a kind; None leaves the choice.

    Raises:
        ConfigError: there is no kind of that name.
        NoAgentError: none fits.
        StableDeviceError: the one that is named does not fit.
    """
    if name is not None:
        named = AGENT_KINDS.get(name)
        reason = named.fits(facts, capabilities)
        if reason is not None:
            raise StableDeviceError(f"{facts.serial}: {named.title} can't run there: {reason}")
        return named
    reasons = {}
    for kind in by_priority():
        reason = kind.fits(facts, capabilities)
        if reason is None:
            return kind
        reasons[kind.title] = reason
    raise NoAgentError(f"{facts.serial}: {_together(reasons)}")


def _together(reasons: dict[str, str]) -> str:
    if len(reasons) == 1:
        return "".join(reasons.values())
    return " ".join(f"For {title}: {reason}" for title, reason in reasons.items())
