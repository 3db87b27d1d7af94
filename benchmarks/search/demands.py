"""What users want of a table: weights, and limits as shares of the initial network's costs."""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.cost import Cost
from adadeep.core.demand import UserDemand, weights_for_device

WEIGHTS = ("accuracy_weight", "energy_weight", "latency_weight", "storage_weight")


@dataclass(frozen=True)
class NamedDemand:
    """A demand, before a table is known.

    Attributes:
        name: in reports.
        weights: mu1 to mu4.
        max_accuracy_loss: a fraction.
        latency: T_bgt over the initial network's T; None: its own.
        storage: likewise S_bgt.
        energy: likewise E_max.
    """

    name: str
    weights: tuple[float, float, float, float] = (0.6, 0.4, 0.5, 0.5)
    max_accuracy_loss: float = 0.02
    latency: float | None = None
    storage: float | None = None
    energy: float | None = None

    def of(self, initial: Cost) -> UserDemand:
        """The demand on a table whose initial network costs that."""
        return UserDemand(
            **dict(zip(WEIGHTS, self.weights, strict=True)),
            max_accuracy_loss=self.max_accuracy_loss,
            max_latency_ms=_share(self.latency, initial.latency_ms.value),
            max_storage_bytes=_share(self.storage, initial.storage_bytes),
            max_energy_mj=_share(self.energy, initial.energy_mj.value),
        )


def _share(share: float | None, own: float | None) -> float | None:
    return None if share is None or own is None else share * own


# The Sony SW3 of Table 3: 420 mAh and 1 MB, by the rule of section 5.3.3.
_WATCH = tuple(weights_for_device(battery_mah=420, cache_mb=1)[name] for name in WEIGHTS)

DEMANDS = (
    NamedDemand("Redmi 3S"),  # section 5.3.1
    NamedDemand("watch", _WATCH),
    NamedDemand("tight latency", (0.5, 0.2, 0.9, 0.3), 0.03, latency=0.5),
    NamedDemand("tight storage", (0.5, 0.2, 0.3, 0.9), 0.03, storage=0.12),
    NamedDemand("accuracy first", (0.9, 0.1, 0.2, 0.2), 0.005),
    NamedDemand("energy first", (0.3, 0.9, 0.2, 0.2), 0.03, energy=0.3),
)
