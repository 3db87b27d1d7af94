"""Coordinate ascent: the best plans of a view of the world, one decision changed at a time."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.neighbours import Moves, Neighbourhood
from adadeep.search.sums import Decisions, Floats

TOP = 60  # plans that an ascent gives
_DIGITS = 10  # what is worth the same to so many is a tie, however it was summed
_REPEATS = 4  # so often a plan is looked at, from one place or another


class Worth(Protocol):
    """What plans are worth."""

    def worth(self, decisions: Decisions) -> Floats:
        """Of plans (n, points); (n,)."""
        ...

    def worth_around(self, near: Neighbourhood) -> Floats:
        """After each move; (n, moves). Anything where a move is not open."""
        ...


def ascend(
    view: Worth, moves: Moves, starts: Decisions, rounds: int, top: int = TOP
) -> tuple[Decisions, Floats]:
    """Climbs from all starts at once; each step of each takes the best neighbour.

    Args:
        view: what plans are worth.
        moves: of the space.
        starts: plans; (n, points).
        rounds: steps from a start at the most.
        top: how many plans are wanted.

    Returns:
        The best plans of all that were looked at, the best first, each once, (m, points), and what
        they are worth, (m,).
    """
    at_start = np.round(view.worth(starts), _DIGITS)
    here, values = starts, at_start
    been: set[bytes] = set()
    places, around = [starts[:0]], [np.empty((0, moves.count))]
    for _ in range(rounds):
        is_new = [_note(been, row) for row in here]  # where two paths meet, one goes on
        here, values = here[is_new], values[is_new]
        if not len(here):
            break
        near = moves.around(here)
        found = np.where(near.is_open, np.round(view.worth_around(near), _DIGITS), -np.inf)
        places.append(here)
        around.append(found)
        best = found.argmax(axis=1)
        most = found[np.arange(len(here)), best]
        better = most > values
        here, values = moves.made(here[better], best[better]), most[better]
    return _best(moves, (starts, at_start), (np.concatenate(places), np.concatenate(around)), top)


def _note(been: set[bytes], plan: Decisions) -> bool:
    """Whether nobody has been there; somebody has from now on."""
    key = plan.tobytes()
    is_new = key not in been
    been.add(key)
    return is_new


def _best(
    moves: Moves, starts: tuple[Decisions, Floats], around: tuple[Decisions, Floats], top: int
) -> tuple[Decisions, Floats]:
    """Of plans and what they are worth; and of plans and what each move from them is worth.

    Only those that are wanted are written out: many times as many were looked at.
    """
    places, found = around
    wanted = top
    while True:
        wanted = min(_REPEATS * wanted, found.size)
        least = np.partition(found, -wanted, axis=None)[-wanted] if wanted else 0.0
        owners, numbers = np.nonzero((found >= least) & np.isfinite(found))
        every = np.concatenate([starts[0], moves.made(places[owners], numbers)])
        plans, firsts = np.unique(every, axis=0, return_index=True)
        if len(plans) >= top + len(starts[0]) or wanted == found.size:
            worths = np.concatenate([starts[1], found[owners, numbers]])[firsts]
            order = np.argsort(-worths, kind="stable")[:top]
            return plans[order], worths[order]


def random_plans(space: SearchSpace, rng: np.random.Generator, count: int) -> Decisions:
    """Plans, each decision drawn evenly among what is open; (count, points)."""
    found: list[list[int]] = []
    for _ in range(count):
        decisions: list[int] = []
        has_ended = False
        for point in space.points:
            options = (NOTHING,) if has_ended and point.layer else point.options
            decisions.append(options[int(rng.integers(len(options)))])
            has_ended = has_ended or decisions[-1] in space.ending
        found.append(decisions)
    return np.array(found, np.int64)
