"""What the decisions to come are likely to add, for a demand and what is left of its loss.

For each decision that choice is wanted which is best with all that follow, at the prices of a
demand, while the loss stays within what is left of its limit: a knapsack, solved from the last
decision on for a row of amounts that may be left (dynamic programming; Bellman 1957). Losses add
up where they are bent; each is rounded up to a whole number of parts of the limit, so that what is
planned keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import SearchSpace
from adadeep.search.known_tables import Decisions, Floats

_PARTS = 16  # of what is left of a limit; with 64 walks were no better
_ROUNDING = 1e-9
_LEAST_LIMIT = 1e-9
_QUANTITIES = 4

Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Layers:
    """What can be decided on layers.

    Attributes:
        options: of each layer, by its place.
        is_ending: whether an action replaces the layers that follow; (actions,).
    """

    options: dict[int, Decisions]
    is_ending: Masks

    @classmethod
    def of(cls, space: SearchSpace) -> Layers:
        """Of a space."""
        options = {
            place: np.array(point.options, np.int64)
            for place, point in enumerate(space.points)
            if point.layer is not None
        }
        is_ending = np.zeros(len(space.actions), np.bool_)
        is_ending[list(space.ending)] = True
        return cls(options, is_ending)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What decisions from a place on are likely to add.

    Attributes:
        limits: of the bent loss; (rows,).
        rest: loss, T, E and S_p, by how many parts of the limit are left, after what is added
            where none is: then the loss is as small as it can be.
            (points + 1, precisions, rows, parts + 2, 4).
    """

    limits: Floats
    rest: Floats

    def after(self, place: int, losses: Floats, of: Decisions) -> Floats:
        """What follows before a place is decided on.

        Args:
            place: that is next.
            losses: bent, of what was decided; (precisions, n, ...).
            of: row of each of the n; (n,).

        Returns:
            (precisions, n, ..., 4).
        """
        shape = (-1, *(1,) * (losses.ndim - 2))
        limits, rows = self.limits[of].reshape(shape), of.reshape(shape)
        left = np.floor((limits - losses) * (_PARTS / limits) + _ROUNDING)
        at = np.minimum(np.maximum(left, -1), _PARTS).astype(np.int64) + 1
        precisions = np.arange(len(losses)).reshape(-1, *(1,) * (losses.ndim - 1))
        return np.asarray(self.rest[place][precisions, rows, at])

    def put(self, rows: Decisions, other: Ahead, of: Masks) -> None:
        """Takes what another has of some of its rows, `of`, for `rows`, in place."""
        self.rest[:, :, rows] = other.rest[:, :, of]
        self.limits[rows] = other.limits[of]


def likely(layers: Layers, added: Floats, prices: Floats, limits: Floats) -> Ahead:
    """The best of what is left, by prices.

    Args:
        layers: that are decided on.
        added: by one decision; (precisions, points, actions, 4).
        prices: of a unit of bent loss, T, E and S_p; (rows, 4).
        limits: of the bent loss; (rows,).
    """
    limits = np.maximum(limits, _LEAST_LIMIT)
    (precisions, points, _, _), rows = added.shape, len(prices)
    takes = np.ceil(added[..., :1] * (_PARTS / limits) - _ROUNDING).astype(np.int64)
    gains = added @ -prices.T  # both (precisions, points, actions, rows)
    rest = np.zeros((points + 1, precisions, rows, _PARTS + 2, _QUANTITIES))
    saved = np.zeros((precisions, rows, _PARTS + 2))
    saved[..., 0] = -np.inf  # where nothing is left
    by_precision, by_row, _ = np.ogrid[:precisions, :rows, :1]
    starts = np.arange(precisions * rows).reshape(precisions, 1, rows, 1) * (_PARTS + 2)
    for place in sorted(layers.options, reverse=True):
        options = layers.options[place]
        ends = layers.is_ending[options]
        at = _left(takes[:, place, options][..., np.newaxis])  # (precisions, options, rows, parts)
        worth = np.take(saved, at + starts)
        if ends.any():
            worth[:, ends] = np.where(at[:, ends] > 0, 0.0, -np.inf)
        worth += gains[:, place, options][..., np.newaxis]
        best = worth.argmax(axis=1)  # (precisions, rows, parts)
        saved[..., 1:] = worth.max(axis=1)
        left = _left(takes[by_precision, place, options[best], by_row])
        _follow(rest, place, added[:, place, options], ends, (best, left))
    return Ahead(limits, rest)


def _left(takes: Decisions) -> Decisions:
    """Places in `Ahead.rest` after choices that take so many parts of 0, 1, 2, .. that are left.

    Args:
        takes: (..., 1), or (..., parts).
    """
    left = np.arange(1, _PARTS + 2) - takes
    np.minimum(left, _PARTS + 1, out=left)
    return np.asarray(np.maximum(left, 0, out=left))


def _follow(
    rest: Floats, place: int, own: Floats, ends: Masks, chosen: tuple[Decisions, Decisions]
) -> None:
    """Fills in what follows from a place on.

    Args:
        rest: as of `Ahead`; known from the next place on.
        place: of the decision.
        own: what each option adds; (precisions, options, 4).
        ends: whether it replaces the layers that follow; (options,).
        chosen: the option, and what is left after it; both (precisions, rows, parts).
    """
    best, left = chosen
    behind, each = rest[place + 1], np.arange(len(own))[:, np.newaxis, np.newaxis]
    follows = behind[each, np.arange(best.shape[1])[:, np.newaxis], left]
    safest = (own[..., 0] + np.where(ends, 0.0, behind[:, :1, 0, 0])).argmin(axis=1)
    safely = behind[:, 0, 0]  # the same of all rows
    if ends.any():
        follows = np.where(ends[best][..., np.newaxis], 0.0, follows)
        safely = np.where(ends[safest][:, np.newaxis], 0.0, safely)
    rest[place, :, :, 1:] = own[each, best] + follows
    rest[place, :, :, 0] = (own[np.arange(len(own)), safest] + safely)[:, np.newaxis]
