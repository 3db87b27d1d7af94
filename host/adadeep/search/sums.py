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

_MANY, _FEW = 16, 8  # ways; plans


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
        joint: what a decision adds besides, by the one before it; None: nothing.
            (precisions, points, actions there, actions here, ways).
    """

    precisions: Precisions
    base: Floats
    added: Floats
    joint: Floats | None = None

    def first(self, most: int | None) -> Sums:
        """In so many ways at the most, the first ones; None: in all."""
        if most is None:
            return self
        joint = None if self.joint is None else self.joint[..., :most]
        return Sums(self.precisions, self.base[..., :most], self.added[..., :most], joint)

    def of(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (ways, n)."""
        rows, places = self.precisions.of(decisions), np.arange(decisions.shape[1])
        if len(self.base[0]) < _MANY or len(decisions) < _FEW:
            added = self.added[rows[:, np.newaxis], places, decisions].sum(axis=1)
        else:
            added = self._added_to_first(rows, decisions)
        total = self.base[rows] + added
        if self.joint is not None:
            before, here = decisions[:, :-1], decisions[:, 1:]
            total += self.joint[rows[:, np.newaxis], places[1:], before, here].sum(axis=1)
        return np.ascontiguousarray(total.T)

    def _added_to_first(self, rows: Decisions, decisions: Decisions) -> Floats:
        """What decisions add, found from where plans differ from the first one; (n, ways).

        Plans that are weighed together are much alike, and in many ways each term is long.
        """
        first = decisions[0]
        total = self.added[:, np.arange(len(first)), first].sum(axis=1)[rows]
        owners, places = np.nonzero(decisions != first)
        if not len(owners):
            return np.asarray(total)
        of, here = rows[owners], decisions[owners, places]
        more = self.added[of, places, here] - self.added[of, places, first[places]]
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        total[owners[starts]] += np.add.reduceat(more, starts, axis=0)
        return np.asarray(total)

    def around(self, near: Neighbourhood) -> Floats:
        """After each move; (ways, n, moves). Of no plan where a move is not open."""
        plans, rows = near.plans, self.precisions.of(near.plans)
        places, every = np.arange(plans.shape[1]), np.arange(len(plans))[:, np.newaxis]
        found = self.added[rows]  # what each decision adds in the place of another
        if self.joint is not None:
            before = self.joint[rows[:, np.newaxis], places[1:], plans[:, :-1]]
            found[:, 1:] += before
        now = found[every, places, plans]
        total = self.base[rows] + now.sum(axis=1)
        if self.joint is not None:
            behind = self.joint[rows[:, np.newaxis], places[1:], :, plans[:, 1:]]
            found[:, :-1] += behind
            now[:, :-1] += behind[every, places[:-1], plans[:, :-1]]
        found += (total[:, np.newaxis] - now)[:, :, np.newaxis]
        after = np.take(found.reshape(len(plans), -1, found.shape[-1]), near.moves, axis=1)
        after[near.far_at] = self.of(near.far).T
        return np.ascontiguousarray(np.moveaxis(after, 2, 0))
