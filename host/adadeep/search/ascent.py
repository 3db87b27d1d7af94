"""Coordinate ascent: the best plans of a view of the world, one decision changed at a time."""

from __future__ import annotations

import numpy as np

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

    def neighbours(self, plans: Decisions) -> tuple[Decisions, Decisions]:
        """Of plans (n, points): theirs, (m, points), and the number of the plan of each, (m,).

        What a choice takes out can't be decided on any more; a plan is not its own neighbour.
        """
        count, moves = len(plans), len(self._places)
        owners = np.repeat(np.arange(count), moves)
        places, options = np.tile(self._places, count), np.tile(self._options, count)
        found = plans[owners]
        found[np.arange(len(found)), places] = options
        ending = self._is_ending[found] & self._is_layer
        first = np.where(ending.any(axis=1), ending.argmax(axis=1), found.shape[1])
        behind = np.arange(found.shape[1]) > first[:, np.newaxis]
        found[behind & self._is_layer] = NOTHING
        kept = (found != plans[owners]).any(axis=1)
        return found[kept], owners[kept]


def ascend(view: View, moves: Moves, starts: Decisions, rounds: int) -> tuple[Decisions, Floats]:
    """Climbs from all starts at once; each step of each takes the best neighbour.

    Args:
        view: what plans are worth.
        moves: of the space.
        starts: plans; (n, points).
        rounds: steps from a start at the most.

    Returns:
        All plans that were looked at, each once, (m, points), and what they are worth, (m,).
    """
    here, values = starts, view.worth(starts)
    seen, worths = [here], [values]
    for _ in range(rounds):
        if not len(here):
            break
        around, owners = moves.neighbours(here)
        found = view.worth(around)
        seen.append(around)
        worths.append(found)
        order = np.lexsort((-found, owners))
        owned, firsts = np.unique(owners[order], return_index=True)
        best = order[firsts]
        better = found[best] > values[owned] + _LEAST_GAIN
        here, values = around[best[better]], found[best[better]]
    plans, places = np.unique(np.concatenate(seen), axis=0, return_index=True)
    return plans, np.concatenate(worths)[places]


def random_plans(space: SearchSpace, rng: np.random.Generator, count: int) -> Decisions:
    """Plans, each decision drawn evenly among what is open; (count, points)."""
    found: list[list[int]] = []
    for _ in range(count):
        decisions: list[int] = []
        for _ in space.points:
            decisions.append(int(rng.choice(np.flatnonzero(space.mask(decisions)))))
        found.append(decisions)
    return np.array(found, np.int64)
