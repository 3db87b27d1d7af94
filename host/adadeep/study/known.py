"""What is known of a plan before it is tried, and whether that rules it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import Goal, KnownCosts
from adadeep.core.units import format_bytes, format_mj

_TOLERANCE = 1e-9  # as of a reward: the initial network keeps its own limits


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a plan is not tried.

    Attributes:
        reason: for people.
        violations: by target key, how much the known costs break the limits; each more than 0.
    """

    reason: str
    violations: Mapping[str, float]


def ruled_out(
    plan: CompressionPlan,
    goals: Sequence[Goal],
    known_costs: Callable[[CompressionPlan], KnownCosts | None],
) -> Skip | None:
    """Whether known costs break a limit of every goal; None if some goal may be met."""
    known = known_costs(plan)
    if known is None:
        return None
    found = [_broken(known, goal) for goal in goals]
    if not all(found):
        return None
    return Skip(
        "; ".join(dict.fromkeys(text for broken in found for text, _ in broken)),
        {
            goal.target: sum(share for _, share in broken)
            for goal, broken in zip(goals, found, strict=True)
        },
    )


def _broken(known: KnownCosts, goal: Goal) -> list[tuple[str, float]]:
    """The limits that are broken: a text and the share by which."""
    limits = goal.limits
    pairs = [("S_p", known.storage_bytes, limits.max_storage_bytes, format_bytes)]
    if known.energy_mj is not None:
        pairs.append(("E", known.energy_mj, limits.max_energy_mj, format_mj))
    return [
        (f"{name} would be {shown(value)}, {shown(limit)} allowed", value / limit - 1)
        for name, value, limit, shown in pairs
        if value > limit * (1 + _TOLERANCE)
    ]
