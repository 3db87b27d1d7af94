"""All single changes of plans of a space, many plans at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING, SearchSpace

Decisions = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

_MANY = 16  # decisions


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What every move makes of some plans.

    Attributes:
        plans: before; (n, points).
        moves: as flat places in (points, actions); (moves,).
        is_open: whether a move makes another plan; (n, moves).
        far: plans after those open moves that change more than their own decision; (m, points).
        far_at: of each of them, the number of the plan before, and of the move; both (m,).
    """

    plans: Decisions
    moves: Decisions
    is_open: Masks
    far: Decisions
    far_at: tuple[Decisions, Decisions]


class Moves:
    """All single changes of plans of a space.

    Args:
        space: what there is to decide.
        leap: moves at once, rounded up to a power of 2; a quarter of many decisions, and 1 of few,
            if it is not given.

    Attributes:
        count: how many there are.
    """

    def __init__(self, space: SearchSpace, leap: int | None = None) -> None:
        moves = [
            (place, option) for place, point in enumerate(space.points) for option in point.options
        ]
        self._places = np.array([place for place, _ in moves], np.int64)
        self._options = np.array([option for _, option in moves], np.int64)
        self.count = len(moves)
        self._flat = self._places * len(space.actions) + self._options
        self._is_layer = np.array([point.layer is not None for point in space.points], np.bool_)
        self._ends = bool(space.ending)
        self._is_ending = np.zeros(len(space.actions), np.bool_)
        self._is_ending[list(space.ending)] = True
        is_far = self._is_ending[self._options] | ~self._is_layer[self._places]
        self._far = np.flatnonzero(is_far)
        self._leap = _leap_of(space) if leap is None else leap
        self._by_place = _padded(
            [np.flatnonzero(self._places == p) for p in range(len(space.points))]
        )

    def around(self, plans: Decisions) -> Neighbourhood:
        """Of plans (n, points)."""
        is_open = plans[:, self._places] != self._options
        if self._ends:
            is_open &= ~self._behind(plans)[:, self._places]
        owners, found = np.nonzero(is_open[:, self._far])
        numbers = self._far[found]
        far = self.made(plans[owners], numbers)
        return Neighbourhood(plans, self._flat, is_open, far, (owners, numbers))

    def made(self, plans: Decisions, numbers: Decisions) -> Decisions:
        """Plans (n, points) after a move each, (n,).

        What a choice takes out can't be decided on any more.
        """
        found = plans.copy()
        found[np.arange(len(found)), self._places[numbers]] = self._options[numbers]
        if self._ends:
            found[self._behind(found)] = NOTHING
        return found

    def leaps(self, plans: Decisions, raised: Floats) -> Iterator[tuple[Decisions, Masks]]:
        """Plans after the best 2, 4, 8 .. moves at once, each of another decision.

        So many as `leap` at the most.

        Args:
            plans: before; (n, points).
            raised: what each move adds to their worth; (n, moves). Only what adds is taken.

        Yields:
            Plans, (m, points), and which of those before they come of, (n,).
        """
        places = np.arange(plans.shape[1])
        by_place = raised[:, self._by_place]
        best = by_place.argmax(axis=2)
        most = by_place.max(axis=2)
        rank = (-most).argsort(axis=1, kind="stable").argsort(axis=1)
        options = self._options[self._by_place[places, best]]
        gainful, count = (most > 0).sum(axis=1), 1
        while count < self._leap and (is_taken := gainful > count).any():
            count *= 2
            is_made = (rank[is_taken] < count) & (most[is_taken] > 0)
            found = np.where(is_made, options[is_taken], plans[is_taken])
            if self._ends:
                found[self._behind(found)] = NOTHING
            yield found, is_taken

    def neighbours(self, plans: Decisions) -> tuple[Decisions, Decisions]:
        """Of plans (n, points): theirs, (m, points), and the number of the plan of each, (m,).

        A plan is not its own neighbour.
        """
        owners, numbers = np.nonzero(self.around(plans).is_open)
        return self.made(plans[owners], numbers), owners

    def _behind(self, plans: Decisions) -> Masks:
        """Which layers are behind a choice that replaces them; (n, points)."""
        ends = self._is_ending[plans] & self._is_layer
        behind = np.zeros(plans.shape, np.bool_)
        behind[:, 1:] = np.logical_or.accumulate(ends, axis=1)[:, :-1]
        return np.asarray(behind & self._is_layer)


def keys(plans: Decisions) -> npt.NDArray[np.bytes_]:
    """Of plans (n, points), in the order of their decisions; (n,)."""
    numbers = np.ascontiguousarray(plans, dtype=">u2")  # whose bytes are in that order, too
    return numbers.view(f"S{numbers.itemsize * plans.shape[1]}")[:, 0]


def distinct(plans: Decisions) -> Decisions:
    """Places of plans (n, points), each once, the first of equals, in the order of decisions."""
    return np.unique(keys(plans), return_index=True)[1]


def _leap_of(space: SearchSpace) -> int:
    """More lead to where no limit can be kept; and few decisions are soon made one by one."""
    return len(space.points) // 4 if len(space.points) >= _MANY else 1


def _padded(rows: Sequence[Decisions]) -> Decisions:
    """One below the other, each as long as the longest: its first number fills it up."""
    longest = max(len(row) for row in rows)
    return np.array([[*row, *[row[0]] * (longest - len(row))] for row in rows], np.int64)
