"""Many episodes at once: states, open actions and walks of a batch of plans in the making.

An action is not open where the technique does not apply, or where no completion of the plan can
keep a limit that formulas tell: every open decision at its least cost. Where no action is left so,
all that apply are open.
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
        self.renew()
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
        for number, bound in enumerate(wishes.known_bounds):
            least = self._least_totals(number, decisions, position) / np.maximum(bound, 1e-12)
            parts.append(np.clip(least, 0, 4)[:, np.newaxis].astype(np.float32))
        return np.concatenate(parts, axis=1)

    def masks(self, decisions: Decisions, position: int, wishes: Wishes) -> Masks:
        """Which actions are open; (rows, actions), one at least in each row."""
        found = np.repeat(self._open[position][np.newaxis], len(decisions), axis=0)
        if self._is_layer[position]:
            ended = self._ended(decisions, position)
            found[ended] = False
            found[ended, NOTHING] = True
        if not self._known:
            return found
        hopeful = found & self._hopeful(decisions, position, wishes)
        return np.where(hopeful.any(axis=1, keepdims=True), hopeful, found)

    def _hopeful(self, decisions: Decisions, position: int, wishes: Wishes) -> Masks:
        """After which actions each known limit can still be kept, all in one precision.

        Each limit by itself: whether one plan keeps all of them is a knapsack.

        Returns:
            (rows, actions).
        """
        kept = np.ones((len(self._known[0].base), len(decisions), self._actions), np.bool_)
        is_over = self._ended(decisions, position)[:, np.newaxis] | self._ending
        last = _last(decisions, position)
        for number, table in enumerate(self._known):
            here = table.added[:, np.newaxis, position] + table.joint[:, position, last]
            ahead = self._least[number][:, position + 1, np.newaxis]
            least = here + np.where(is_over, 0.0, ahead)
            least += table.so_far(decisions[:, :position])[:, :, np.newaxis]
            kept &= least <= wishes.known_bounds[number][:, np.newaxis] * (1 + _TOLERANCE)
        if not self._is_layer[position]:  # each action is a precision here
            return kept[self._known[0].precision_of, :, np.arange(self._actions)].T
        return np.asarray(kept.any(axis=0))

    def _least_totals(
        self, number: int, decisions: Decisions, position: int
    ) -> npt.NDArray[np.float64]:
        """The least that a plan can come to when it is decided up to a position; (rows,)."""
        ahead = self._least[number][:, position, _last(decisions, position)]
        ahead = np.where(self._ended(decisions, position), 0.0, ahead)
        so_far = self._known[number].so_far(decisions[:, :position])
        return np.asarray((so_far + ahead).min(axis=0))

    def _ended(self, decisions: Decisions, position: int) -> Masks:
        """Whether a choice before a position replaces the layers behind it; (rows,)."""
        return np.asarray(self._ending[decisions[:, :position]].any(axis=1))

    def renew(self) -> None:
        """Takes what the tables have learned of choices that formulas can't tell."""
        self._least = [_least_ahead(table, self._open, self._ending) for table in self._known]

    def walk(
        self, weights: QWeights, wishes: Wishes, epsilon: float, rng: np.random.Generator
    ) -> Decisions:
        """Decides whole plans, epsilon-greedily by Q; (rows, points)."""
        self.renew()
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


def _last(decisions: Decisions, position: int) -> Decisions:
    """The decision before a position; nothing before the first; (rows,)."""
    return decisions[:, position - 1] if position else np.full(len(decisions), NOTHING)


def _least_ahead(
    table: AdditiveTable, is_open: Masks, is_ending: Masks
) -> npt.NDArray[np.float64]:
    """The least that decisions from a position on add, by the one before; found from the last on.

    Behind a choice that replaces the later layers there is nothing to add.

    Returns:
        (precisions, points + 1, actions).
    """
    precisions, points, actions = table.added.shape
    least = np.zeros((precisions, points + 1, actions))
    for place in reversed(range(points)):
        here = table.added[:, place] + np.where(is_ending, 0.0, least[:, place + 1])
        here = np.where(is_open[place], here, np.inf)
        least[:, place] = (here[:, np.newaxis] + table.joint[:, place]).min(axis=2)
    return least
