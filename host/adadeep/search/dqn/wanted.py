"""The demands of a batch of imagined episodes, and what plans are worth to them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.search.known_tables import Floats

DEMAND = 14  # features of a demand and its device
_LOG_SCALE = 20.0  # as of `state`: a megabyte is 1
_LOSS_SCALE = 20.0  # a loss of 5 % is 1
_BROKEN = 2.0  # what a limit that is broken by all of its margin costs
_BROKEN_AT_ALL = 1.0  # and besides, by however little: more than keeping it can cost
_TOLERANCE = 1e-9  # as of `core.reward`


def device_features(costs: Floats) -> Floats:
    """What tells devices apart: what the initial network costs there, and whether that is known.

    Args:
        costs: T, E and S_p in ms, mJ and bytes; NaN of what is not known; (..., 3).

    Returns:
        Logarithms, 0 of what is not known, and 1 or 0; (..., 6).
    """
    is_known = np.isfinite(costs) & (costs > 0)
    logs = np.log2(np.where(is_known, costs, 1.0)) / _LOG_SCALE
    return np.concatenate([np.clip(logs, -2, 2), is_known], axis=-1)


@dataclass(frozen=True)
class Wishes:
    """The demands of a batch of episodes, relative to the initial network.

    Attributes:
        weights: mu1, mu3, mu2, mu4: of accuracy, latency, energy, storage; (rows, 4).
        allowed_loss: a fraction of the metric's range; (rows,).
        loss_room: what a margin of the loss is divided by; (rows,).
        bounds: T_bgt, E_max and S_bgt over the initial network's own; (rows, 3).
        known_bounds: of each known cost in its unit; (costs, rows).
        device: that it is a demand on, as of `device_features`; (rows, 6).
    """

    weights: Floats
    allowed_loss: Floats
    loss_room: Floats
    bounds: Floats
    known_bounds: Floats
    device: Floats

    @functools.cached_property
    def features(self) -> npt.NDArray[np.float32]:
        """For states; (rows, `DEMAND`)."""
        logs = np.log2(np.clip(self.bounds, 1e-3, 4.0)) / 4
        loss = np.clip(self.allowed_loss * _LOSS_SCALE, 0, 4)[:, np.newaxis]
        return np.concatenate([self.weights, loss, logs, self.device], axis=1).astype(np.float32)

    @functools.cached_property
    def per_unit(self) -> Floats:
        """How much of a margin a unit of loss, T, E or S_p takes; (rows, 4)."""
        return 1 / np.concatenate([self.loss_room[:, np.newaxis], self.bounds], axis=1)

    def distinct(self) -> tuple[Wishes, npt.NDArray[np.int64]]:
        """Each demand once, and which of them a row has; (rows,)."""
        every = [self.weights, self.allowed_loss[:, np.newaxis], self.bounds, self.known_bounds.T]
        _, first, of = np.unique(
            np.concatenate(every, axis=1), axis=0, return_index=True, return_inverse=True
        )
        return self.some(first), of.ravel()

    def some(self, rows: npt.NDArray[np.int64]) -> Wishes:
        """Of some of the rows; (n,)."""
        return Wishes(
            self.weights[rows], self.allowed_loss[rows], self.loss_room[rows],
            self.bounds[rows], self.known_bounds[:, rows], self.device[rows],
        )  # fmt: skip

    @functools.cached_property
    def allowed(self) -> Floats:
        """Loss, and T, E and S_p over the initial network's; (rows, 4)."""
        return np.concatenate([self.allowed_loss[:, np.newaxis], self.bounds], axis=1)

    def margins(self, quantities: Floats) -> Floats:
        """Of loss, T, E and S_p over the initial network's; both (..., rows, plans, 4)."""
        left = self.allowed[:, np.newaxis] - quantities
        left *= self.per_unit[:, np.newaxis]
        return np.asarray(left)

    def judged(self, margins: Floats) -> Floats:
        """R1 and R2 less what limits are broken by; (..., rows, plans, 2) of (..., 4)."""
        parts = np.minimum(margins, 1)
        np.maximum(parts, -1, out=parts)
        parts *= self.weights[:, np.newaxis]
        is_broken = margins < -_TOLERANCE
        parts[is_broken] += _BROKEN * np.maximum(margins[is_broken], -1.5) - _BROKEN_AT_ALL
        return np.asarray(parts[..., :2] + parts[..., 2:])
