"""UserDemand: the weights mu1..mu4 of Eq. 8 and the limits A_min, E_max, T_bgt, S_bgt of Eq. 1."""

from __future__ import annotations

import math
from dataclasses import dataclass

from adadeep.core.cost import MEDIAN, STATISTICS
from adadeep.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class UserDemand:
    """What the user wants; a limit of None is derived from the initial network.

    Attributes:
        accuracy_weight: mu1.
        energy_weight: mu2.
        latency_weight: mu3.
        storage_weight: mu4.
        max_accuracy_loss: A_min = accuracy of the initial network less this (a fraction).
        max_energy_mj: E_max.
        max_latency_ms: T_bgt.
        max_storage_bytes: S_bgt, a limit of S_p.
        latency_statistic: which T is meant: the median of an inference, "p95", "p99", or "cold",
            the median of inferences with the caches full of other things.
    """

    accuracy_weight: float = 0.6
    energy_weight: float = 0.4
    latency_weight: float = 0.5
    storage_weight: float = 0.5
    max_accuracy_loss: float = 0.02
    max_energy_mj: float | None = None
    max_latency_ms: float | None = None
    max_storage_bytes: float | None = None
    latency_statistic: str = MEDIAN

    def __post_init__(self) -> None:
        limits = (self.max_energy_mj, self.max_latency_ms, self.max_storage_bytes)
        if any(limit is not None and not 0 < limit < math.inf for limit in limits):
            raise ConfigError("a limit must be a number greater than 0.")
        weights = (
            self.accuracy_weight,
            self.energy_weight,
            self.latency_weight,
            self.storage_weight,
        )
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise ConfigError("the weights mu1 to mu4 must be numbers from 0 on, and not all 0.")
        if self.latency_statistic not in STATISTICS:
            raise ConfigError(f"a latency is one of {', '.join(STATISTICS)}; name one of these.")
        if not 0 <= self.max_accuracy_loss <= 1:
            raise ConfigError("the accuracy loss must be between 0 and 100 %.")


def weights_for_device(battery_mah: float | None, cache_mb: float | None) -> dict[str, float]:
    """mu1..mu4 by the rule of section 5.3.3 (Table 7).

    mu2 = max((4000 - battery)/4000, 0.6), mu1 = 1 - mu2,
    mu4 = max((8 - L2)/8, 0.6), mu3 = 1 - mu4.

    Args:
        battery_mah: capacity; None on a device without a battery (then mu2 = 0.6).
        cache_mb: level-2 cache; None where unknown (then mu4 = 0.6).
    """
    energy = max((4000 - battery_mah) / 4000, 0.6) if battery_mah is not None else 0.6
    storage = max((8 - cache_mb) / 8, 0.6) if cache_mb is not None else 0.6
    return {
        "accuracy_weight": 1 - energy,
        "energy_weight": energy,
        "latency_weight": 1 - storage,
        "storage_weight": storage,
    }
