"""Coordinate ascent: the best plans of a view of the world, one decision changed at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.known_tables import Decisions, Floats
from adadeep.search.world import View

_LEAST_GAIN = 1e-12


class Moves:
    """All single changes of plans of a space.

    Args:
        space: what there is to decide.
    """

    def __init__(self, space: SearchSpace) -> None:
        moves = [
            (place, option) for place, point in enumerate(space.points) for option in point.options
        ]
        self._places = np.array([place for place, _ in moves], np.int64)
        self._options = np.array([option for _, option in moves], np.int64)
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._is_ending = np.zeros(len(space.actions), np.bool_)
        self._is_ending[list(space.ending)] = True

    def neighbours(self, decisions: Decisions) -> Decisions:
        """Of a plan (points,); (n, points), all of them plans of the space, itself not.

        What a choice takes out can't be decided on any more.
        """
        found = np.repeat(decisions[np.newaxis], len(self._places), axis=0)
        found[np.arange(len(found)), self._places] = self._options
        ending = self._is_ending[found] & self._is_layer
        first = np.where(ending.any(axis=1), ending.argmax(axis=1), found.shape[1])
        behind = np.arange(found.shape[1]) > first[:, np.newaxis]
        found[behind & self._is_layer] = NOTHING
        changed = (found != decisions).any(axis=1)
        return np.asarray(
            found[changed & ((self._places <= first) | ~self._is_layer[self._places])]
        )


def ascend(
    view: View, moves: Moves, starts: Iterable[Decisions], rounds: int
) -> tuple[Decisions, Floats]:
    """Climbs from every start; each step takes the best neighbour.

    Args:
        view: what plans are worth.
        moves: of the space.
        starts: plans (points,).
        rounds: steps from a start at the most.

    Returns:
        All plans that were looked at, each once, (n, points), and what they are worth, (n,).
    """
    seen: list[Decisions] = []
    for start in starts:
        here = np.asarray(start, np.int64)
        value = float(view.worth(here[np.newaxis])[0])
        seen.append(here[np.newaxis])
        for _ in range(rounds):
            around = moves.neighbours(here)
            if not len(around):
                break
            seen.append(around)
            values = view.worth(around)
            best = int(np.argmax(values))
            if values[best] <= value + _LEAST_GAIN:
                break
            here, value = around[best], float(values[best])
    plans = np.unique(np.concatenate(seen), axis=0)
    return plans, view.worth(plans)


def random_plans(
    space: SearchSpace, rng: np.random.Generator, count: int
) -> list[npt.NDArray[np.int64]]:
    """Plans, each decision drawn evenly among what is open."""
    found = []
    for _ in range(count):
        decisions: list[int] = []
        for _ in space.points:
            decisions.append(int(rng.choice(np.flatnonzero(space.mask(decisions)))))
        found.append(np.array(decisions, np.int64))
    return found
