"""Several quantities of plans side by side, each plan in a way of its own that the world may be.

Climbs through several views of the world go on at once so: most of what a step of one costs is
to call numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adadeep.search.neighbours import Neighbourhood
from adadeep.search.sums import Decisions, Floats, Precisions, Sums


@dataclass(frozen=True, slots=True)
class Stacked:
    """Quantities of every plan in every way.

    What is by kind is by way and then by precision.

    Attributes:
        precisions: of plans.
        count: of precisions that are told apart.
        base: what no decision but that on the precision changes; (quantities, kinds).
        added: by each decision; (quantities, kinds, points, actions).
        joint: what a decision adds besides, by the one before it; None: nothing.
            (quantities, kinds, points, actions there, actions here).
    """

    precisions: Precisions
    count: int
    base: Floats
    added: Floats
    joint: Floats | None

    def of(self, decisions: Decisions, ways: Decisions) -> Floats:
        """Of plans (n, points), each in one way, (n,); (quantities, n)."""
        kinds, places = self._kinds(decisions, ways), np.arange(decisions.shape[1])
        total = self.base[:, kinds]
        total += self.added[:, kinds[:, np.newaxis], places, decisions].sum(axis=2)
        if self.joint is not None:
            before, here = decisions[:, :-1], decisions[:, 1:]
            joint = self.joint[:, kinds[:, np.newaxis], places[1:], before, here]
            total += joint.sum(axis=2)
        return np.asarray(total)

    def around(self, near: Neighbourhood, ways: Decisions) -> Floats:
        """After each move, of plans each in one way, (n,); (quantities, n, moves).

        Of no plan where a move is not open.
        """
        plans = near.plans
        kinds, places = self._kinds(plans, ways), np.arange(plans.shape[1])
        here, every = kinds[:, np.newaxis], np.arange(len(plans))[:, np.newaxis]
        found = self.added[:, kinds]  # what each decision adds in the place of another
        if self.joint is not None:
            found[:, :, 1:] += self.joint[:, here, places[1:], plans[:, :-1]]
        now = found[:, every, places, plans]
        total = self.base[:, kinds] + now.sum(axis=2)
        if self.joint is not None:
            at, ahead = places[:-1], plans[:, 1:]
            behind = np.moveaxis(self.joint[:, here, places[1:], :, ahead], 2, 0)
            found[:, :, :-1] += behind
            now[:, :, :-1] += behind[:, every, at, plans[:, :-1]]
        found += (total[:, :, np.newaxis] - now)[..., np.newaxis]
        after = np.take(found.reshape(*found.shape[:2], -1), near.moves, axis=2)
        owners, numbers = near.far_at
        after[:, owners, numbers] = self.of(near.far, ways[owners])
        return after

    def _kinds(self, decisions: Decisions, ways: Decisions) -> Decisions:
        return np.asarray(ways * self.count + self.precisions.of(decisions))


def stacked(parts: Sequence[Sums]) -> Stacked:
    """Several quantities, each of as many ways, or of one if it is the same in all."""
    precisions = max((one.precisions for one in parts), key=lambda one: one.point is not None)
    count, ways = (max(one.base.shape[axis] for one in parts) for axis in (0, 1))

    def together(tables: Sequence[Floats]) -> Floats:
        """Of tables (precisions, ..., ways): (quantities, ways * precisions, ...)."""
        found = []
        for table in tables:
            whole = np.broadcast_to(table, (count, *table.shape[1:-1], ways))
            found.append(np.moveaxis(whole, -1, 0).reshape(ways * count, *table.shape[1:-1]))
        return np.stack(found)

    base = together([one.base for one in parts])
    added = together([one.added for one in parts])
    if all(one.joint is None for one in parts):
        return Stacked(precisions, count, base, added, None)
    none = np.zeros((1, *added.shape[2:], added.shape[3], 1))
    joint = together([none if one.joint is None else one.joint for one in parts])
    return Stacked(precisions, count, base, added, joint)
