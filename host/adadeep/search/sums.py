"""Quantities that are sums over the decisions of plans: of whole plans, and of single changes.

A loss (once unbent), a cost that formulas tell and a cost that is learned are all of this kind, so
one decision more or less need not be counted with all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.search.neighbours import Neighbourhood

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]

_MANY = 16  # ways
_TABLES = ("base", "added")


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

    def of(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (ways, n)."""
        rows, places = self.precisions.of(decisions), np.arange(decisions.shape[1])
        if len(self.base[0]) < _MANY or not len(decisions):
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
        for place, usual in enumerate(first):
            others = np.flatnonzero(decisions[:, place] != usual)
            row, here = rows[others], decisions[others, place]
            total[others] += self.added[row, place, here] - self.added[row, place, usual]
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


def stacked(parts: Sequence[Sums]) -> Sums:
    """Of several quantities the first way of each, as the ways of one."""
    precisions = max((one.precisions for one in parts), key=lambda one: one.point is not None)
    base, added = (_side_by_side([getattr(one, name) for one in parts]) for name in _TABLES)
    if all(one.joint is None for one in parts):
        return Sums(precisions, base, added)
    none = np.zeros((1, *added.shape[1:3], added.shape[2], 1))
    joint = _side_by_side([none if one.joint is None else one.joint for one in parts])
    return Sums(precisions, base, added, joint)


def _side_by_side(tables: Sequence[Floats]) -> Floats:
    """The first way of each, for as many precisions as one of them tells apart."""
    count = max(len(table) for table in tables)
    firsts = [np.broadcast_to(one[..., 0], (count, *one.shape[1:-1])) for one in tables]
    return np.stack(firsts, axis=-1)
