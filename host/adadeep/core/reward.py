"""The reward of Eq. 8 and the limits it is measured against. Pure.

    R1 = mu1 N(A - A_min) + mu2 N(E_max - E)        performance gain
    R2 = mu3 N(T_bgt - T) + mu4 N(S_bgt - S_p)      constraint satisfaction

N divides a margin by the largest one possible, A_min .. 1 for the accuracy and 0 .. limit for the
costs, and clips to -1 .. 1. The range is thus given and not seen: a reward does not depend on the
trials before it, so one seed and the same costs give the same plans. It is positive exactly where
the limit is kept with room to spare, 0 at the limit, negative where it is broken. (Eq. 8 prints a
minus before mu2, against Eq. 1 and 6.)

A is the quality by the task's metric, in its unit; where lower is better, all differences of A are
taken the other way round, and 1 and 0 stand for the best and the worst there can be.
"""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.cost import Cost, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.metric import ACCURACY_SCALE, Scale

_TOLERANCE = 1e-9  # a limit that is the network's own cost must be kept by that network
_LEAST_RANGE = 1e-3  # of the metric's, where A_min is (nearly) the best
_LEAST_LIMIT = 1e-12  # where the initial network costs nothing, as one without weights


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of Eq. 1, all of them known.

    Attributes:
        min_accuracy: A_min, the worst quality that is allowed.
        max_energy_mj: E_max.
        max_latency_ms: T_bgt.
        max_storage_bytes: S_bgt.
    """

    min_accuracy: float
    max_energy_mj: float
    max_latency_ms: float
    max_storage_bytes: float


@dataclass(frozen=True, slots=True)
class Margins:
    """How far each limit is kept, over the largest margin possible; negative if it is broken.

    Attributes:
        accuracy: (A - A_min) / (1 - A_min).
        energy: (E_max - E) / E_max.
        latency: (T_bgt - T) / T_bgt.
        storage: (S_bgt - S_p) / S_bgt.
    """

    accuracy: float
    energy: float
    latency: float
    storage: float

    @property
    def violation(self) -> float:
        """Sum of the broken limits' margins, positive; 0 if all are kept."""
        margins = (self.accuracy, self.energy, self.latency, self.storage)
        return sum(-margin for margin in margins if margin < -_TOLERANCE)


@dataclass(frozen=True, slots=True)
class Reward:
    """What a plan earned.

    Attributes:
        gain: R1.
        satisfaction: R2.
        violation: how much the limits are broken, 0 if they are kept; None for a failed trial.
    """

    gain: float
    satisfaction: float
    violation: float | None

    @property
    def total(self) -> float:
        """R1 + R2."""
        return self.gain + self.satisfaction

    @property
    def is_feasible(self) -> bool:
        """Whether every limit is kept."""
        return self.violation == 0


def resolve_limits(
    demand: UserDemand, accuracy: float, cost: Cost, scale: Scale = ACCURACY_SCALE
) -> Limits:
    """The user's limits, and the initial network's own costs where the user gave none.

    Args:
        demand: what the user wants.
        accuracy: of the initial network.
        cost: of the initial network.
        scale: what accuracies mean.

    Raises:
        ValueError: a limit is neither given nor known, see `lacking_limits`.
    """
    return Limits(
        min_accuracy=scale.worsened(accuracy, demand.max_accuracy_loss),
        max_energy_mj=_given(demand.max_energy_mj, cost.energy_mj.value),
        max_latency_ms=_given(demand.max_latency_ms, cost.latency_ms.value),
        max_storage_bytes=_given(demand.max_storage_bytes, cost.storage_bytes),
    )


def lacking_limits(demand: UserDemand, cost: Cost) -> list[str]:
    """Options that must be given where the initial network's own cost is not known."""
    limits = (
        ("--max-latency", demand.max_latency_ms, cost.latency_ms),
        ("--max-energy", demand.max_energy_mj, cost.energy_mj),
    )
    return [name for name, limit, own in limits if limit is None and own.value is None]


def margins(limits: Limits, accuracy: float, cost: Cost, scale: Scale = ACCURACY_SCALE) -> Margins:
    """How far a network keeps the limits; not clipped.

    Raises:
        ValueError: its energy or latency is not known.
    """
    lowest = limits.min_accuracy
    room = max(scale.advantage(scale.best, lowest), _LEAST_RANGE * scale.span)
    return Margins(
        accuracy=scale.advantage(accuracy, lowest) / room,
        energy=_relative(limits.max_energy_mj, _known(cost.energy_mj)),
        latency=_relative(limits.max_latency_ms, _known(cost.latency_ms)),
        storage=_relative(limits.max_storage_bytes, cost.storage_bytes),
    )


def reward(
    demand: UserDemand,
    limits: Limits,
    accuracy: float,
    cost: Cost,
    scale: Scale = ACCURACY_SCALE,
) -> Reward:
    """R1 and R2 of Eq. 8 of a network.

    Raises:
        ValueError: its energy or latency is not known.
    """
    kept = margins(limits, accuracy, cost, scale)
    return Reward(
        gain=demand.accuracy_weight * _clip(kept.accuracy)
        + demand.energy_weight * _clip(kept.energy),
        satisfaction=demand.latency_weight * _clip(kept.latency)
        + demand.storage_weight * _clip(kept.storage),
        violation=kept.violation,
    )


def floor_reward(demand: UserDemand) -> Reward:
    """The reward of a failed trial: the lowest that Eq. 8 can give."""
    return Reward(
        gain=-(demand.accuracy_weight + demand.energy_weight),
        satisfaction=-(demand.latency_weight + demand.storage_weight),
        violation=None,
    )


def _known(quantity: Quantity) -> float:
    if quantity.value is None:
        raise ValueError("a reward needs a known energy and latency")
    return quantity.value


def _given(limit: float | None, own: float | None) -> float:
    known = own if limit is None else limit
    if known is None:
        raise ValueError("a limit is not given, and the initial network's own cost not known")
    return known


def _relative(limit: float, value: float) -> float:
    return (limit - value) / max(limit, _LEAST_LIMIT)


def _clip(margin: float) -> float:
    return max(-1.0, min(1.0, margin))
