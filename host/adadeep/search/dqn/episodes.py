"""Many episodes at once: states, open actions and walks of a batch of plans in the making.

An action is not open where the technique does not apply, or where no completion of the plan can
keep a limit that formulas tell: every open decision at its least cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.dqn.targets import greedy_actions
from adadeep.search.dqn.weights import QWeights
from adadeep.search.known_tables import AdditiveTable, Decisions
from adadeep.search.state import point_features, shares

Floats = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]

_TOLERANCE = 1e-9
_LOSS_SCALE = 20.0  # a loss of 5 % is 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """The demands of a batch of episodes, relative to the initial network.

    Attributes:
        weights: mu1, mu3, mu2, mu4: of accuracy, latency, energy, storage; (rows, 4).
        allowed_loss: a fraction of the metric's range; (rows,).
        bounds: T_bgt, E_max and S_bgt over the initial network's own; (rows, 3).
        known_bounds: of each known cost in its unit; (costs, rows).
    """

    weights: npt.NDArray[np.float64]
    allowed_loss: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]
    known_bounds: npt.NDArray[np.float64]

    @property
    def features(self) -> Floats:
        """For states; (rows, 8)."""
        logs = np.log2(np.clip(self.bounds, 1e-3, 4.0)) / 4
        loss = np.clip(self.allowed_loss * _LOSS_SCALE, 0, 4)[:, np.newaxis]
        return np.concatenate([self.weights, loss, logs], axis=1).astype(np.float32)


class EpisodeBatch:
    """States and masks of a space.

    Args:
        space: what there is to decide.
        known: tables of the costs that formulas tell, in the order of `Wishes.known_bounds`.

    Attributes:
        size: length of a state.
    """

    def __init__(self, space: SearchSpace, known: tuple[AdditiveTable, ...]) -> None:
        self._points = np.stack(
            [point_features(space, number) for number in range(len(space.points))]
        ).astype(np.float32)
        self._shares = shares(space).astype(np.float32)
        self._actions = len(space.actions)
        self._open = np.zeros((len(space.points), self._actions), np.bool_)
        for number, point in enumerate(space.points):
            self._open[number, list(point.options)] = True
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._ending = np.zeros(self._actions, np.bool_)
        self._ending[list(space.ending)] = True
        self._known = known
        self._least = [_least_ahead(table, self._open) for table in known]
        self.size = self._points.shape[1] + 3 * self._actions + 8 + len(known)

    @property
    def length(self) -> int:
        """Decisions of an episode."""
        return len(self._points)

    def states(self, decisions: Decisions, position: int, wishes: Wishes) -> Floats:
        """Before a decision: the layer, what was chosen, what is left, the demand.

        Args:
            decisions: (rows, points); those from `position` on are not looked at.
            position: of the decision.
            wishes: of the rows.

        Returns:
            (rows, size) of float32.
        """
        rows = len(decisions)
        chosen = np.zeros((rows, 2, self._actions), np.float32)
        every = np.arange(rows)
        for place in range(position):
            chosen[every, :, decisions[:, place]] += self._shares[place]
        last = np.zeros((rows, self._actions), np.float32)
        if position:
            last[every, decisions[:, position - 1]] = 1.0
        point = np.broadcast_to(self._points[position], (rows, self._points.shape[1]))
        parts = [point, chosen.reshape(rows, -1), last, wishes.features]
        for number, table in enumerate(self._known):
            bound = np.maximum(wishes.known_bounds[number], 1e-12)
            used = self._least_totals(number, table, decisions, position)[:, :, np.newaxis]
            least = used.min(axis=0)[:, 0] / bound
            parts.append(np.clip(least, 0, 4)[:, np.newaxis].astype(np.float32))
        return np.concatenate(parts, axis=1)

    def masks(self, decisions: Decisions, position: int, wishes: Wishes) -> Masks:
        """Which actions are open; (rows, actions), one at least in each row."""
        found = np.repeat(self._open[position][np.newaxis], len(decisions), axis=0)
        if self._is_layer[position]:
            ended = (self._ending[decisions[:, :position]]).any(axis=1)
            found[ended] = False
            found[ended, NOTHING] = True
        hopeful = found.copy()
        for number, table in enumerate(self._known):
            totals = self._least_totals(number, table, decisions, position + 1, ahead=True)
            here = table.added[:, np.newaxis, position, :] + totals[:, :, np.newaxis]
            if not self._is_layer[position]:
                here = here[table.precision_of, :, np.arange(self._actions)].T[np.newaxis]
            bound = wishes.known_bounds[number][:, np.newaxis] * (1 + _TOLERANCE)
            hopeful &= (here <= bound).any(axis=0)
        return np.where(hopeful.any(axis=1, keepdims=True), hopeful, found)

    def _least_totals(
        self,
        number: int,
        table: AdditiveTable,
        decisions: Decisions,
        position: int,
        ahead: bool = False,
    ) -> npt.NDArray[np.float64]:
        """The least that a plan can come to in each precision; (precisions, rows).

        Args:
            number: of the known cost.
            table: of it.
            decisions: (rows, points).
            position: the first decision that is still open.
            ahead: whether the one before that is left out: what it adds is not known yet.
        """
        done = np.arange(position - ahead)
        added = table.added[:, done, :][:, done, decisions[:, : position - ahead]]
        total = table.base[:, np.newaxis] + added.sum(axis=2)
        least = np.broadcast_to(self._least[number][:, position, np.newaxis], total.shape)
        ended = self._ending[decisions[:, : position - ahead]].any(axis=1)
        return np.asarray(total + np.where(ended, 0.0, least))

    def walk(
        self, weights: QWeights, wishes: Wishes, epsilon: float, rng: np.random.Generator
    ) -> Decisions:
        """Decides whole plans, epsilon-greedily by Q; (rows, points)."""
        rows = len(wishes.allowed_loss)
        decisions = np.zeros((rows, self.length), np.int64)
        for position in range(self.length):
            masks = self.masks(decisions, position, wishes)
            values = weights.values(self.states(decisions, position, wishes))
            chosen = greedy_actions(values, masks)
            if epsilon > 0:
                random = rng.random(masks.shape)
                random[~masks] = -1.0
                explores = rng.random(rows) < epsilon
                chosen = np.where(explores, random.argmax(axis=1), chosen)
            decisions[:, position] = chosen
        return decisions


def _least_ahead(table: AdditiveTable, is_open: Masks) -> npt.NDArray[np.float64]:
    """What all decisions from a position on add at the least; (precisions, points + 1)."""
    least = np.where(is_open, table.added, np.inf).min(axis=2)
    ahead = least[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.concatenate([ahead, np.zeros((len(ahead), 1))], axis=1)
