"""What formulas give of all plans of a space, as tables of what each decision adds.

S_p, MACs and E of a plan are sums over its layers, and a technique leaves its layer's outputs in
shape; so what a choice changes is found once, with all else as it is, for each precision. Where a
technique can't tell, its choice is taken to change nothing until a plan with it was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.plan import CompressionPlan
from adadeep.core.space import NOTHING, SearchSpace

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]
Formula = Callable[[CompressionPlan], float | None]


@dataclass(frozen=True, slots=True)
class AdditiveTable:
    """A quantity of every plan: a base for each precision, and what each decision adds.

    Attributes:
        base: of the network that only a precision changes; (precisions,).
        added: (precisions, points, actions).
        is_known: whether a formula tells it; (precisions, points, actions).
        precision_of: place of an action in `base`; (actions,), 0 of what is no precision.
        precision_point: place of the decision on the precision; None if there is none.
    """

    base: Floats
    added: Floats
    is_known: npt.NDArray[np.bool_]
    precision_of: npt.NDArray[np.int64]
    precision_point: int | None

    def precisions(self, decisions: Decisions) -> Decisions:
        """The place in `base` of each plan; (n,) of (n, points)."""
        if self.precision_point is None:
            return np.zeros(len(decisions), np.int64)
        return np.asarray(self.precision_of[decisions[:, self.precision_point]])

    def values(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (n,)."""
        precisions = self.precisions(decisions)
        places = np.arange(decisions.shape[1])
        added = self.added[precisions[:, np.newaxis], places, decisions]
        return np.asarray(self.base[precisions] + added.sum(axis=1))

    def learn(self, decisions: Decisions, value: float) -> None:
        """Takes what a tried plan has: its unknown choices share what is missing.

        Args:
            decisions: of the plan; (points,).
            value: that it has.
        """
        precision = int(self.precisions(decisions[np.newaxis])[0])
        places = np.arange(len(decisions))
        unknown = ~self.is_known[precision, places, decisions]
        if unknown.any():
            missing = value - float(self.values(decisions[np.newaxis])[0])
            self.added[precision, places[unknown], decisions[unknown]] += missing / unknown.sum()


def precision_place(space: SearchSpace) -> int | None:
    """Where the precision is decided; None if nowhere."""
    found = [place for place, point in enumerate(space.points) if point.layer is None]
    return found[0] if found else None


def additive_table(space: SearchSpace, formula: Formula) -> AdditiveTable | None:
    """A formula's table; None where it does not even tell the initial network.

    Args:
        space: what there is to decide.
        formula: of a plan; None where it can't tell. Called once for each decision and precision.
    """
    place = precision_place(space)
    precisions = space.points[place].options if place is not None else (NOTHING,)
    shape = (len(precisions), len(space.points), len(space.actions))
    base, added, is_known = np.zeros(shape[0]), np.zeros(shape), np.ones(shape, np.bool_)
    precision_of = np.zeros(len(space.actions), np.int64)
    for number, precision in enumerate(precisions):
        start = [NOTHING] * len(space.points)
        if place is not None:
            start[place] = precision
            precision_of[precision] = number
        value = formula(space.plan(start))
        if value is None:
            return None
        base[number] = value
        for point, option in _single_choices(space, place):
            changed = formula(space.plan([*start[:point], option, *start[point + 1 :]]))
            if changed is None:
                is_known[number, point, option] = False
            else:
                added[number, point, option] = changed - value
    return AdditiveTable(base, added, is_known, precision_of, place)


def _single_choices(space: SearchSpace, precision_point: int | None) -> list[tuple[int, int]]:
    return [
        (place, option)
        for place, point in enumerate(space.points)
        for option in point.options
        if place != precision_point and option != NOTHING
    ]
