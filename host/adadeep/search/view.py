"""Ways in which the world may be, and what plans are worth in them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from adadeep.search.neighbours import Neighbourhood
from adadeep.search.stacked import Stacked, stacked
from adadeep.search.sums import Decisions, Floats, Sums
from adadeep.search.wishes import worth


class Believed(Protocol):
    """What a view needs of a `World`; see there."""

    @property
    def strays(self) -> list[float]:
        """How far plans stray from what weights say, by quantity."""
        ...

    def sums(self, weights: Sequence[Floats]) -> tuple[Sums, ...]:
        """Of each quantity, under weights as of a `View`."""
        ...

    def scored(
        self, sums: Sequence[Floats], strayed: Sequence[Floats | None] = ()
    ) -> tuple[Floats, Floats]:
        """Violation and reward where sums come to that."""
        ...


@dataclass(frozen=True)
class View:
    """Ways in which the world may be: the mean of what is believed, or samples of it.

    Attributes:
        world: that it is a view of.
        weights: of the loss, then of each cost of each goal; each (ways, features).
    """

    world: Believed
    weights: tuple[Floats, ...]

    @functools.cached_property
    def sums(self) -> tuple[Sums, ...]:
        """Of the loss and of each cost of each goal."""
        return self.world.sums(self.weights)

    @functools.cached_property
    def _stacked(self) -> Stacked:
        return stacked(self.sums)

    def worth(self, decisions: Decisions, ways: Decisions | None = None) -> Floats:
        """Of plans (n, points), each in one way, (n,), or all in the first; (n,)."""
        return self._worth(self._stacked.of(decisions, _ways(ways, decisions)))

    def worth_around(self, near: Neighbourhood, ways: Decisions | None = None) -> Floats:
        """After each move; (n, moves). Of no plan where a move is not open."""
        return self._worth(self._stacked.around(near, _ways(ways, near.plans)))

    def dreams(self, decisions: Decisions, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Violation and reward of plans as they may turn out, each with a stray of its own.

        Args:
            decisions: (n, points).
            rng: of the strays.

        Returns:
            Two arrays (ways, n); what is in one row belongs together.
        """
        return self._dreams([one.of(decisions) for one in self.sums], rng)

    def dreams_around(
        self,
        near: Neighbourhood,
        is_wanted: npt.NDArray[np.bool_],
        rng: np.random.Generator,
        most: int | None = None,
    ) -> tuple[Floats, Floats]:
        """Likewise of one plan after each move that is wanted, (moves,), and open.

        Args:
            near: of that plan alone.
            is_wanted: moves.
            rng: of the strays.
            most: ways that are looked at, the first ones; None: all.
        """
        sums = [one.first(most).around(near) for one in self.sums]
        return self._dreams([one[:, 0, is_wanted] for one in sums], rng)

    def _dreams(self, sums: Sequence[Floats], rng: np.random.Generator) -> tuple[Floats, Floats]:
        shape = np.broadcast_shapes(*(one.shape for one in sums))
        strayed = [one * rng.standard_normal(shape) if one else None for one in self.world.strays]
        return self.world.scored(sums, strayed)

    def _worth(self, sums: Floats) -> Floats:
        return worth(*self.world.scored([*sums]))


def joined(views: Sequence[View]) -> View:
    """Views of one world, the ways of one after those of the other."""
    of_parts = zip(*(view.weights for view in views), strict=True)
    return View(views[0].world, tuple(np.concatenate(weights) for weights in of_parts))


def _ways(ways: Decisions | None, plans: Decisions) -> Decisions:
    """The first one of each plan where none are given."""
    return np.zeros(len(plans), np.int64) if ways is None else ways
