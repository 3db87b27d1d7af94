"""What a view of the world says of the choices at hand, so that the Q network can see it.

A network that decides layer by layer sees neither the layers ahead nor the belief. What it is told
of both is the outlook of a view: what each decision adds alone, and what the later ones are likely
to add for a demand. These are the decisions that are best at the prices of the demand's weights
while the loss keeps its limit (`ahead`); where that breaks another limit, at a price of it that
is raised until it is kept (Lagrange multipliers; Everett 1963). It leaves out how choices depend
on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING
from adadeep.search.dqn.ahead import Ahead, Layers, likely
from adadeep.search.dqn.wanted import Wishes
from adadeep.search.known_tables import Decisions, Floats, precision_place
from adadeep.search.loss_model import bent, unbent
from adadeep.search.moves import initial_decisions
from adadeep.search.view import View
from adadeep.search.world import World

_QUANTITIES = 4  # loss, T, E, S_p
_PRICINGS = 4  # times that the prices of limits are moved
_ANY_LOSS = 1e12
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
        layers: that are decided on.
        precisions: actions that choose one; `NOTHING` where none is decided on.
    """

    def __init__(self, world: World) -> None:
        self._world, self.space, self.layers = world, world.space, Layers.of(world.space)
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
        advice: of each action, over that, 0 of one that does not apply; (rows, actions, 2).
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
        self._outlook, self._wishes, self._layers = outlook, wishes, lookout.layers
        self._options = [np.array(point.options, np.int64) for point in lookout.space.points]
        self._rows = np.arange(len(wishes.allowed_loss))
        distinct, self._of = wishes.distinct()  # all walks of a user's own demand are of one
        self._ahead = self._priced(distinct)

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
        options = self._options[position]
        margins = self._wishes.margins(_unbent(self._totals(decisions, position, so_far)))
        parts = self._wishes.judged(margins)  # (precisions, rows, options, 2)
        whole = parts[..., 0] + parts[..., 1]
        each = np.arange(len(options))
        which = whole.argmax(axis=0), self._rows[:, np.newaxis], each
        parts = parts[which]
        every, is_open = self._rows, masks[:, options]
        best = np.where(is_open, whole[which], -np.inf).argmax(axis=1)
        worth = parts[every, best]
        advice = np.zeros((*masks.shape, 2))
        advice[:, options] = parts - worth[:, np.newaxis]
        return Look(worth, advice, margins[which[0][every, best], every, best])

    def so_far(self, decisions: Decisions, position: int) -> Floats:
        """What the decisions before a position add up to; (precisions, rows, 4)."""
        before = decisions[:, :position]
        added = self._outlook.added[:, np.arange(position), before].sum(axis=2)
        return np.asarray(added + self._outlook.base[:, np.newaxis])

    def added(self, position: int, actions: Decisions) -> Floats:
        """By one decision more, (rows,); (precisions, rows, 4)."""
        return np.asarray(self._outlook.added[:, position, actions])

    def _totals(self, decisions: Decisions, position: int, so_far: Floats) -> Floats:
        """After each option and what is likely to follow; (precisions, rows, options, 4)."""
        options = self._options[position]
        if position not in self._layers.options:  # each is a precision here, the last decision
            return np.moveaxis(so_far, 0, 1)[np.newaxis].copy()
        added = self._outlook.added[:, position, options]
        totals = so_far[:, :, np.newaxis] + added[:, np.newaxis]
        ahead = self._ahead.after(position + 1, totals[..., 0], self._of)
        if (is_ending := self._layers.is_ending).any():
            is_ended: Masks = np.asarray(is_ending[decisions[:, :position]].any(axis=1))
            ahead[:, is_ended[:, np.newaxis] | is_ending[options]] = 0.0
        totals += ahead
        return totals

    def _priced(self, wishes: Wishes) -> Ahead:
        """What follows within the limit of the loss; without, where that is worth more."""
        found, most, is_broken = self._best(wishes, bent(wishes.allowed_loss))
        rows = np.flatnonzero(is_broken)
        if len(rows):  # where not all limits can be kept, another may be the one to break
            other, worths, _ = self._best(wishes.some(rows), np.full(len(rows), _ANY_LOSS))
            better = worths > most[rows]
            found.put(rows[better], other, better)
        return found

    def _best(self, wishes: Wishes, limits: Floats) -> tuple[Ahead, Floats, Masks]:
        """At the best prices that were found: what follows, its worth, whether it breaks a limit.

        Args:
            wishes: demands.
            limits: of the bent loss; (rows,).
        """
        extra, most = np.zeros_like(wishes.weights), np.full(len(limits), -np.inf)
        rows, is_broken, found = np.arange(len(extra)), np.zeros(len(extra), np.bool_), None
        for _ in range(_PRICINGS + 1):
            some = wishes.some(rows)
            prices = (some.weights + extra[rows]) * some.per_unit
            ahead = likely(self._layers, self._outlook.added, prices, limits[rows])
            worths, broken = self._whole(ahead, some)
            found = found or ahead
            better = worths > most[rows]
            found.put(rows[better], ahead, better)
            most[rows[better]] = worths[better]
            is_broken[rows[better]] = broken[better].any(axis=1)
            extra[rows] = np.where(broken, extra[rows] * _RAISED + _FIRST, extra[rows] * _LOWERED)
            rows = rows[extra[rows].any(axis=1)]
            if not len(rows):
                break  # no limit is in the way of any: prices stay as they are
        assert found is not None
        return found, most, is_broken

    def _whole(self, ahead: Ahead, wishes: Wishes) -> tuple[Floats, Masks]:
        """Before the first decision: what may come of it, (rows,), breaking what, (rows, 4)."""
        rows = np.arange(len(wishes.weights))
        base = np.repeat(self._outlook.base[:, np.newaxis], len(rows), axis=1)
        totals = base + ahead.after(0, base[..., 0], rows)
        margins = wishes.margins(_unbent(totals)[:, :, np.newaxis])
        worths = wishes.judged(margins).sum(axis=-1)[:, :, 0]
        best = worths.argmax(axis=0), rows
        return worths[best], margins[..., 0, :][best] < 0


def _unbent(totals: Floats) -> Floats:
    """With the loss as it is; in place."""
    totals[..., 0] = unbent(totals[..., 0])
    return totals
