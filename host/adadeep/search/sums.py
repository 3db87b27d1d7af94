"""Quantities that are sums over the decisions of plans: of whole plans, and of single changes.

A loss (once unbent), a cost that formulas tell and a cost that is learned are all of this kind, so
one decision more or less need not be counted with all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.search.neighbours import Neighbourhood

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Precisions:
    """Which row of a table is a plan's.

    Attributes:
        point: place of the decision on the precision; None: there is one row.
        row_of: by action; (actions,), 0 of what is no precision.
    """

    point: int | None
    row_of: Decisions

    def of(self, decisions: Decisions) -> Decisions:
        """Of plans (n, points); (n,)."""
        if self.point is None:
            return np.zeros(len(decisions), np.int64)
        return np.asarray(self.row_of[decisions[:, self.point]])


@dataclass(frozen=True, slots=True)
class Sums:
    """A quantity of every plan in each way that the world may be.

    Attributes:
        precisions: of plans.
        base: what no decision but that on the precision changes; (precisions, ways).
        added: by each decision; (precisions, points, actions, ways).
        joint: what a decision adds besides, by the one before it, in all ways alike;
            (precisions, points, actions there, actions here). None: nothing.
    """

    precisions: Precisions
    base: Floats
    added: Floats
    joint: Floats | None = None

    def of(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (ways, n)."""
        rows = self.precisions.of(decisions)
        if self.base.shape[1] == 1:
            places = np.arange(decisions.shape[1])
            added = self.added[rows[:, np.newaxis], places, decisions, 0].sum(axis=1)
            return np.asarray(self.base[rows, 0] + added + self._joint_of(rows, decisions))[
                np.newaxis
            ]
        total = self.base[rows]
        for place, here in enumerate(decisions.T):  # all places at once do not fit into a cache
            total += self.added[rows, place, here]
        return np.ascontiguousarray(total.T) + self._joint_of(rows, decisions)

    def around(self, near: Neighbourhood) -> Floats:
        """In the first way, after each move; (n, moves). Of no plan where a move is not open."""
        plans, rows = near.plans, self.precisions.of(near.plans)
        found = self.added[rows, :, :, 0]  # what each decision adds in the place of another
        if self.joint is not None and plans.shape[1] > 1:
            ahead, row = np.arange(1, plans.shape[1]), rows[:, np.newaxis]
            found[:, 1:] += self.joint[row, ahead, plans[:, :-1]]
            found[:, :-1] += self.joint[row, ahead, :, plans[:, 1:]]
        now = np.take_along_axis(found, plans[:, :, np.newaxis], axis=2)
        found += self.of(plans)[0][:, np.newaxis, np.newaxis] - now
        after = found.reshape(len(plans), -1)[:, near.moves]
        after[near.far_at] = self.of(near.far)[0]
        return after

    def _joint_of(self, rows: Decisions, decisions: Decisions) -> Floats | float:
        """Of plans; (n,)."""
        if self.joint is None:
            return 0.0
        ahead, row = np.arange(1, decisions.shape[1]), rows[:, np.newaxis]
        return np.asarray(self.joint[row, ahead, decisions[:, :-1], decisions[:, 1:]].sum(axis=1))
