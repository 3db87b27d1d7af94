"""What is wanted, as numbers: the reward of many plans at once, as `core.reward` has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adadeep.search.known_tables import Floats

_LEAST_COST = 1e-12
_TOLERANCE = 1e-9  # as of `core.reward`
_BROKEN = 10.0  # a plan that breaks a limit is worth less than any that keeps all


def worth(violation: Floats, reward: Floats) -> Floats:
    """To rank by: the reward where limits are kept, else less by how far they are broken."""
    return np.asarray(np.where(violation > _TOLERANCE, -_BROKEN - violation, reward))


@dataclass(frozen=True, slots=True)
class Wish:
    """A demand with its limits, as numbers; each may also be an array, of a wish for each plan.

    Attributes:
        allowed_loss: a fraction of the metric's range.
        loss_room: what is divided by: from A_min to the best quality.
        bounds: T_bgt, E_max, S_bgt.
        weights: mu1, mu3, mu2, mu4: of accuracy, latency, energy, storage.
    """

    allowed_loss: Any
    loss_room: Any
    bounds: tuple[Any, Any, Any]
    weights: tuple[Any, Any, Any, Any]

    def margins(
        self, loss: Floats, costs: Sequence[Floats]
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Of accuracy, latency, energy and storage, as in `core.reward`, not clipped."""
        kept = (self.allowed_loss - loss) / self.loss_room
        left = [
            (bound - cost) / np.maximum(bound, _LEAST_COST)
            for bound, cost in zip(self.bounds, costs, strict=True)
        ]
        return kept, left[0], left[1], left[2]

    def scored(self, loss: Floats, costs: Sequence[Floats]) -> tuple[Floats, Floats]:
        """Violation and reward of plans that lose and cost that."""
        margins = self.margins(loss, costs)
        broken = sum(np.where(m < -_TOLERANCE, -m, 0.0) for m in margins)
        reward = sum(
            w * np.minimum(np.maximum(m, -1), 1)
            for w, m in zip(self.weights, margins, strict=True)
        )
        return np.asarray(broken), np.asarray(reward)
