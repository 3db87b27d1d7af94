"""What a view of the world says of the choices at hand, so that the Q network can see it.

A network that decides layer by layer sees neither the layers ahead nor the belief. What it is told
of both is the outlook of a view: what each decision adds alone, and what the later ones are likely
to add for a demand. These are the decisions that are best one by one, at the prices of the
demand's weights and, where that breaks a limit, at a price of the limit that is raised until it is
kept (Lagrange multipliers; Everett 1963). It leaves out how choices depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.dqn.wanted import Wishes
from adadeep.search.known_tables import Decisions, Floats, precision_place
from adadeep.search.loss_model import bent, unbent
from adadeep.search.moves import initial_decisions
from adadeep.search.view import View
from adadeep.search.world import World

_QUANTITIES = 4  # loss, T, E, S_p
_PRICINGS = 8  # times that the prices of limits are moved
_RAISED, _LOWERED, _FIRST = 1.6, 0.75, 0.15

Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Loss (bent, so that it adds up), and T, E and S_p over the initial network's.

    Attributes:
        base: of the network that only a precision changes; (precisions, 4).
        added: by one decision, all else as it is; (precisions, points, actions, 4).
    """

    base: Floats
    added: Floats


class Lookout:
    """Asks views of a world for their outlook.

    Args:
        world: that they are views of.

    Attributes:
        space: of the plans.
        precisions: actions that choose one; `NOTHING` where none is decided on.
    """

    def __init__(self, world: World) -> None:
        self._world, self.space = world, world.space
        place = precision_place(self.space)
        self.precisions = (NOTHING,) if place is None else self.space.points[place].options
        start = [*initial_decisions(self.space)]
        where = [
            (number, point, option)
            for number in range(len(self.precisions))
            for point, of in enumerate(self.space.points)
            for option in (of.options if of.layer else ())
        ]
        self._where = tuple(np.array(where, np.int64).reshape(-1, 3).T)
        precisions, points, options = self._where
        self._plans = np.tile(np.array(start, np.int64), (len(where), 1))
        bases = np.tile(np.array(start, np.int64), (len(self.precisions), 1))
        if place is not None:
            self._plans[:, place] = np.array(self.precisions)[precisions]
            bases[:, place] = self.precisions
        self._plans[np.arange(len(where)), points] = options
        self._plans = np.concatenate([bases, self._plans])

    def of(self, view: View, initial: Floats) -> Outlook:
        """What a view says, in its first way.

        Args:
            view: of the world.
            initial: T, E and S_p of the initial network; (goals, 3).
        """
        values = self.quantities(self._plans, view, initial).mean(axis=0)  # over the goals
        values[:, 0] = bent(values[:, 0])
        base = values[: len(self.precisions)]
        points, actions = len(self.space.points), len(self.space.actions)
        added = np.zeros((len(base), points, actions, _QUANTITIES))
        added[self._where] = values[len(base) :] - base[self._where[0]]
        return Outlook(base, added)

    def quantities(self, plans: Decisions, view: View, initial: Floats) -> Floats:
        """Loss, and T, E and S_p over the initial network's, of plans; (goals, n, 4)."""
        first = [one.first(1) for one in view.sums]
        loss, costs = self._world.quantities_of(plans, first)
        shares = np.stack([cost[0] for cost in costs]).reshape(len(initial), 3, -1)
        shares = (shares / initial[:, :, np.newaxis]).swapaxes(1, 2)
        losses = np.broadcast_to(loss[0][:, np.newaxis], (*shares.shape[:2], 1))
        return np.concatenate([losses, shares], axis=2)


@dataclass(frozen=True, slots=True)
class Look:
    """What may come of plans in the making, by an outlook.

    Attributes:
        worth: R1 and R2, less what limits are broken by, after the best open action; (rows, 2).
        advice: of each action, over that; (rows, actions, 2).
        margins: of loss, T, E and S_p after the best open action; (rows, 4).
    """

    worth: Floats
    advice: Floats
    margins: Floats


class Prospects:
    """What plans in the making may come to, for the demands of a batch.

    Args:
        lookout: that the outlook is of.
        outlook: of a view.
        wishes: of the rows.
    """

    def __init__(self, lookout: Lookout, outlook: Outlook, wishes: Wishes) -> None:
        space = lookout.space
        self._outlook, self._wishes = outlook, wishes
        self._precisions = list(lookout.precisions)
        self._closed, self._ending, self._is_layer = _shape_of(space)
        self._actions = np.arange(len(space.actions))
        self._rows = np.arange(len(wishes.allowed_loss))
        distinct, of = wishes.distinct()  # all walks of a user's own demand are of one
        self._ahead = self._priced(distinct)[:, :, of]

    def look(
        self, decisions: Decisions, position: int, masks: Masks, so_far: Floats | None = None
    ) -> Look:
        """Before a decision.

        Args:
            decisions: (rows, points); those from `position` on are not looked at.
            position: of the decision.
            masks: open actions; (rows, actions), one at least in each row.
            so_far: as of `so_far`, if that is known.
        """
        if so_far is None:
            so_far = self.so_far(decisions, position)
        margins = self._wishes.margins(_unbent(self._totals(decisions, position, so_far)))
        parts = self._wishes.judged(margins)  # (precisions, rows, actions, 2)
        whole = parts[..., 0] + parts[..., 1]
        which = whole.argmax(axis=0), self._rows[:, np.newaxis], self._actions
        parts = parts[which]
        every, best = self._rows, np.where(masks, whole[which], -np.inf).argmax(axis=1)
        worth = parts[every, best]
        return Look(
            worth, parts - worth[:, np.newaxis], margins[which[0][every, best], every, best]
        )

    def so_far(self, decisions: Decisions, position: int) -> Floats:
        """What the decisions before a position add up to; (precisions, rows, 4)."""
        before = decisions[:, :position]
        added = self._outlook.added[:, np.arange(position), before].sum(axis=2)
        return np.asarray(added + self._outlook.base[:, np.newaxis])

    def added(self, position: int, actions: Decisions) -> Floats:
        """By one decision more, (rows,); (precisions, rows, 4)."""
        return np.asarray(self._outlook.added[:, position, actions])

    def _totals(self, decisions: Decisions, position: int, so_far: Floats) -> Floats:
        """After each action and what is likely to follow; (precisions, rows, actions, 4)."""
        table = self._outlook.added
        if not self._is_layer[position]:  # each action is a precision here, and the last one
            totals = np.zeros((1, len(decisions), table.shape[2], _QUANTITIES))
            totals[0, :, self._precisions] = so_far
            return totals
        ahead = self._ahead[:, position + 1]
        if not self._ending.any():
            return np.asarray((so_far + ahead)[:, :, np.newaxis] + table[:, np.newaxis, position])
        is_ended: Masks = np.asarray(self._ending[decisions[:, :position]].any(axis=1))
        is_over = is_ended[:, np.newaxis] | self._ending
        ahead = np.where(is_over[:, :, np.newaxis], 0.0, ahead[:, :, np.newaxis])
        return np.asarray(so_far[:, :, np.newaxis] + table[:, np.newaxis, position] + ahead)

    def _priced(self, wishes: Wishes) -> Floats:
        """As of `_likely`, at the best prices that were found."""
        extra, best = np.zeros_like(wishes.weights), np.full(len(wishes.weights), -np.inf)
        found = np.zeros(0)
        for _ in range(_PRICINGS + 1):
            ahead = self._likely((wishes.weights + extra) * wishes.per_unit)
            totals = _unbent(self._outlook.base[:, np.newaxis] + ahead[:, 0])
            margins = wishes.margins(totals[:, :, np.newaxis])
            worths = wishes.judged(margins).sum(axis=-1)[:, :, 0]
            better = worths.max(axis=0) > best
            best = np.maximum(best, worths.max(axis=0))
            found = np.where(better[:, np.newaxis], ahead, found) if found.size else ahead
            broken = margins[worths.argmax(axis=0), np.arange(len(extra)), 0] < 0
            if not (broken.any() or extra.any()):
                break  # no limit is in the way: prices stay as they are
            extra = np.where(broken, extra * _RAISED + _FIRST, extra * _LOWERED)
        return np.asarray(found)

    def _likely(self, prices: Floats) -> Floats:
        """What decisions from a point on add if each is the best by itself.

        Args:
            prices: of a unit of loss, T, E and S_p; (rows, 4).

        Returns:
            (precisions, points + 1, rows, 4).
        """
        added = self._outlook.added
        precisions, points, _, _ = added.shape
        ahead = np.zeros((precisions, points + 1, len(prices), _QUANTITIES))
        saved = np.zeros((precisions, 1, len(prices)))
        each = np.arange(precisions)[:, np.newaxis]
        for place in reversed(np.flatnonzero(self._is_layer)):
            worth = np.where(self._ending[:, np.newaxis], 0.0, saved) - added[:, place] @ prices.T
            worth -= self._closed[place][:, np.newaxis]
            choice = worth.argmax(axis=1)  # (precisions, rows)
            saved = worth.max(axis=1)[:, np.newaxis]
            follows = np.where(self._ending[choice][:, :, np.newaxis], 0.0, ahead[:, place + 1])
            ahead[:, place] = added[each, place, choice] + follows
        return ahead


def _unbent(totals: Floats) -> Floats:
    """With the loss as it is; in place."""
    totals[..., 0] = unbent(totals[..., 0])
    return totals


def _shape_of(space: SearchSpace) -> tuple[Floats, Masks, Masks]:
    """Infinity where an action does not apply, (points, actions); which end; which are layers."""
    closed = np.full((len(space.points), len(space.actions)), np.inf)
    for number, point in enumerate(space.points):
        closed[number, list(point.options)] = 0.0
    ending = np.zeros(len(space.actions), np.bool_)
    ending[list(space.ending)] = True
    return closed, ending, np.array([point.layer is not None for point in space.points])
