"""What formulas give of all plans of a space, as tables of what each decision adds.

S_p, MACs and E of a plan are sums over its layers. What a layer adds depends on its own choice
and, where the layer before was made narrower (C2 with alpha 0.5), on that one's; so what choices
change is found once for each and once for such pairs, with all else as it is, in each precision.
Where a technique can't tell, its choice is taken to change nothing until a plan with it was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import KnownCosts
from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.moves import initial_decisions
from adadeep.search.sums import Precisions, Sums

Floats = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.int64]
Formula = Callable[[CompressionPlan], float | None]

_UNKNOWN_SAVING = 0.5
_LEAST_JOINT = 1e-6  # of the initial network's: less is the rounding of MACs


@dataclass(frozen=True, slots=True)
class AdditiveTable:
    """A quantity of every plan: a base for each precision, and what each decision adds.

    Attributes:
        base: of the network that only a precision changes; (precisions,).
        added: with all else as it is; (precisions, points, actions).
        joint: what is added besides when the decision before is another than nothing;
            (precisions, points, actions there, actions here).
        is_known: whether a formula tells it; (precisions, points, actions).
        precision: which place in `base` is a plan's.
    """

    base: Floats
    added: Floats
    joint: Floats
    is_known: npt.NDArray[np.bool_]
    precision: Precisions

    @property
    def precision_of(self) -> Decisions:
        """Place of an action in `base`; (actions,), 0 of what is no precision."""
        return self.precision.row_of

    @property
    def precision_point(self) -> int | None:
        """Place of the decision on the precision; None if there is none."""
        return self.precision.point

    @property
    def sums(self) -> Sums:
        """The quantity, as one way that the world may be; what is learned later shows in it."""
        joint = self.joint[..., np.newaxis] if self.joint.any() else None
        return Sums(self.precision, self.base[:, np.newaxis], self.added[..., np.newaxis], joint)

    def values(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (n,)."""
        return np.asarray(self.sums.of(decisions)[0])

    def tells(self, decisions: Decisions) -> npt.NDArray[np.bool_]:
        """Whether the formula tells all choices of plans (n, points); (n,)."""
        places = np.arange(decisions.shape[1])
        known = self.is_known[self.precision.of(decisions)[:, np.newaxis], places, decisions]
        return np.asarray(known.all(axis=1))

    def so_far(self, decisions: Decisions) -> Floats:
        """In each precision, of plans that are decided so far (n, k); (precisions, n)."""
        places, before, here = np.arange(decisions.shape[1]), decisions[:, :-1], decisions[:, 1:]
        added = self.added[:, places, decisions].sum(axis=-1)
        joint = self.joint[:, places[1:], before, here].sum(axis=-1)
        return np.asarray(self.base[:, np.newaxis] + added + joint)

    def learn(self, decisions: Decisions, value: float) -> None:
        """Takes what a tried plan has: its unknown choices share what is missing.

        Args:
            decisions: of the plan; (points,).
            value: that it has.
        """
        precision = int(self.precision.of(decisions[np.newaxis])[0])
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
        formula: of a plan; None where it can't tell. Called once for each decision and precision,
            and about once more; for each pair of those that depend on each other, too.
    """
    place = precision_place(space)
    precisions = space.points[place].options if place is not None else (NOTHING,)
    shape = (len(precisions), len(space.points), len(space.actions))
    table = AdditiveTable(
        np.zeros(shape[0]), np.zeros(shape), np.zeros((*shape, len(space.actions))),
        np.ones(shape, np.bool_), Precisions(place, np.zeros(len(space.actions), np.int64)),
    )  # fmt: skip
    for number, precision in enumerate(precisions):
        start = [NOTHING] * len(space.points)
        if place is not None:
            start[place] = precision
            table.precision_of[precision] = number
        value = formula(space.plan(start))
        if value is None:
            return None
        table.base[number] = value
        _fill(table, number, space, _Changes(space, formula, start))
    return table


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a formula tells of plans that change a few decisions of one."""

    space: SearchSpace
    formula: Formula
    start: list[int]

    def value(self, changes: dict[int, int]) -> float | None:
        """With other options at some points."""
        decisions = [changes.get(place, option) for place, option in enumerate(self.start)]
        return self.formula(self.space.plan(decisions))


def _fill(table: AdditiveTable, precision: int, space: SearchSpace, changes: _Changes) -> None:
    """Of one precision: each choice, then pairs."""
    choices = _single_choices(space, table.precision_point)
    base, added, known = table.base[precision], table.added[precision], table.is_known[precision]
    for point, option in choices:
        value = changes.value({point: option})
        if value is None:
            known[point, option] = False
        else:
            added[point, option] = value - base
    for point, option in choices:
        if known[point, option] and option not in space.ending:
            _fill_pairs(table, precision, (point, option), changes)


def _fill_pairs(
    table: AdditiveTable, precision: int, first: tuple[int, int], changes: _Changes
) -> None:
    """Of a choice and each on the next point, if the first of them shows that they depend."""
    base, added, known = table.base[precision], table.added[precision], table.is_known[precision]
    point, option = first
    ahead, least = point + 1, _LEAST_JOINT * abs(base)
    if ahead == len(added) or ahead == table.precision_point:
        return
    for other in changes.space.points[ahead].options:
        if not known[ahead, other] or abs(added[ahead, other]) <= least:
            continue  # one that changes nothing shows nothing
        value = changes.value({point: option, ahead: other})
        if value is None:
            continue
        joint = value - base - added[point, option] - added[ahead, other]
        if abs(joint) <= least:
            return
        table.joint[precision, ahead, option, other] = joint


def _single_choices(space: SearchSpace, precision_point: int | None) -> list[tuple[int, int]]:
    return [
        (place, option)
        for place, point in enumerate(space.points)
        for option in point.options
        if place != precision_point and option != NOTHING
    ]


def savings(
    space: SearchSpace, known_costs: Callable[[CompressionPlan], KnownCosts | None]
) -> Floats:
    """The share of its layer that each choice takes out: the mean of its weights' and its MACs'.

    Returns:
        (points, actions), 0..1; half where formulas can't tell.
    """
    found = np.full((len(space.points), len(space.actions)), _UNKNOWN_SAVING)
    start = [*initial_decisions(space)]
    before = known_costs(space.plan(start))
    if before is None:
        return found
    for place, option in _single_choices(space, precision_place(space)):
        layer = space.points[place].layer
        after = known_costs(space.plan([*start[:place], option, *start[place + 1 :]]))
        if layer is None or after is None:
            continue
        weights = layer.weights / max(space.model.weights, 1) * before.storage_bytes
        saved = (before.storage_bytes - after.storage_bytes) / max(weights, 1.0)
        spared = (before.macs - after.macs) / max(layer.macs, 1)
        found[place, option] = (min(max(saved, 0.0), 1.0) + min(max(spared, 0.0), 1.0)) / 2
    return found
