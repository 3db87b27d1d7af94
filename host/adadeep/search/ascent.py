"""Ascent: the best plans of views of the world, a decision changed at a time, or a few at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.neighbours import Masks, Moves, Neighbourhood, distinct
from adadeep.search.sums import Decisions, Floats

Climbed = tuple[Decisions, Floats]  # plans (n, points), and what they are worth, (n,)

TOP = 60  # plans that an ascent gives
_DIGITS = 10  # what is worth the same to so many is a tie, however it was summed
_REPEATS = 4  # so often a plan is looked at, from one place or another


class Worth(Protocol):
    """What plans are worth, each in one of several ways that the world may be."""

    def worth(self, decisions: Decisions, ways: Decisions) -> Floats:
        """Of plans (n, points), each in one way, (n,); (n,)."""
        ...

    def worth_around(self, near: Neighbourhood, ways: Decisions) -> Floats:
        """After each move; (n, moves). Anything where a move is not open."""
        ...


def ascend(view: Worth, moves: Moves, starts: Decisions, rounds: int, top: int = TOP) -> Climbed:
    """Climbs in one way; as `ascend_each`."""
    return ascend_each(view, moves, [starts], rounds, top)[0]


def ascend_each(
    view: Worth, moves: Moves, starts: Sequence[Decisions], rounds: int, top: int = TOP
) -> list[Climbed]:
    """Climbs from all starts at once.

    Each step of each takes the best neighbour, or several decisions at once where that is better:
    of a random plan of 30 layers nearly all are to be changed.

    Args:
        view: what plans are worth.
        moves: of the space.
        starts: plans, by way; each (n, points).
        rounds: steps from a start at the most.
        top: how many plans are wanted in each way.

    Returns:
        By way, the best plans of all that were looked at, the best first, each once, (m, points),
        and what they are worth, (m,).
    """
    plans = np.concatenate(starts)
    ways = np.repeat(np.arange(len(starts)), [len(one) for one in starts])
    here = _Stand(ways, plans, np.round(view.worth(plans, ways), _DIGITS))
    been: set[bytes] = set()
    stood, looked = [here], [_Stand(ways[:0], plans[:0], np.empty((0, moves.count)))]
    for _ in range(rounds):
        here = here.where(_note(been, here))  # where two paths meet, one goes on
        if not len(here.plans):
            break
        near = moves.around(here.plans)
        found = np.round(view.worth_around(near, here.ways), _DIGITS)
        looked.append(_Stand(here.ways, here.plans, np.where(near.is_open, found, -np.inf)))
        here = _stepped(view, moves, here, looked[-1].worths)
        stood.append(here)
    every, around = (_Stand.together(stands) for stands in (stood, looked))
    return [
        _best(moves, every.where(every.ways == way), around.where(around.ways == way), top)
        for way in range(len(starts))
    ]


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where climbs have come.

    Attributes:
        ways: of the world that they climb; (n,).
        plans: that they have come to; (n, points).
        worths: of these, (n,), or after each move, (n, moves).
    """

    ways: Decisions
    plans: Decisions
    worths: Floats

    @classmethod
    def together(cls, stands: Sequence[_Stand]) -> _Stand:
        """Of all of them."""
        parts = ([one.ways, one.plans, one.worths] for one in stands)
        return cls(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def where(self, is_meant: Masks) -> _Stand:
        """Of some of them; (n,)."""
        return _Stand(self.ways[is_meant], self.plans[is_meant], self.worths[is_meant])


def _stepped(view: Worth, moves: Moves, here: _Stand, found: Floats) -> _Stand:
    """One step on, of those that go on; `found` is what plans are worth after each move."""
    every, best = np.arange(len(found)), found.argmax(axis=1)
    plans, most = moves.made(here.plans, best), found[every, best]
    for leapt, is_taken in moves.leaps(here.plans, found - here.worths[:, np.newaxis]):
        worths = np.full(len(found), -np.inf)
        worths[is_taken] = np.round(view.worth(leapt, here.ways[is_taken]), _DIGITS)
        better = worths > most
        plans[better], most[better] = leapt[better[is_taken]], worths[better]
    return _Stand(here.ways, plans, most).where(most > here.worths)


def _note(been: set[bytes], here: _Stand) -> Masks:
    """Where nobody has been in that way, (n,); somebody has from now on."""
    found = []
    for row in np.column_stack([here.ways, here.plans]):
        key = row.tobytes()
        found.append(key not in been)
        been.add(key)
    return np.array(found, np.bool_)


def _best(moves: Moves, stood: _Stand, around: _Stand, top: int) -> Climbed:
    """Of plans and what they are worth; and of plans and what each move from them is worth.

    Only those that are wanted are written out: many times as many were looked at.
    """
    found, wanted = around.worths, top
    while True:
        wanted = min(_REPEATS * wanted, found.size)
        least = np.partition(found, -wanted, axis=None)[-wanted] if wanted else 0.0
        owners, numbers = np.nonzero((found >= least) & np.isfinite(found))
        every = np.concatenate([stood.plans, moves.made(around.plans[owners], numbers)])
        firsts = distinct(every)
        if len(firsts) >= top + len(stood.plans) or wanted == found.size:
            worths = np.concatenate([stood.worths, found[owners, numbers]])[firsts]
            order = np.argsort(-worths, kind="stable")[:top]
            return every[firsts[order]], worths[order]


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
