"""Many episodes at once: states, open actions and walks of a batch of plans in the making.

An action is not open where the technique does not apply, or where no completion of the plan can
keep a limit that formulas tell: every open decision at its least cost. Where no action is left so,
all that apply are open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.space import NOTHING, SearchSpace
from adadeep.search.dqn.outlook import Look, Prospects
from adadeep.search.dqn.targets import greedy_actions
from adadeep.search.dqn.wanted import DEMAND, Wishes
from adadeep.search.dqn.weights import QWeights
from adadeep.search.known_tables import AdditiveTable, Decisions
from adadeep.search.state import point_features, shares

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

_TOLERANCE = 1e-9
_ADVICE_SCALE, _MOST_ADVICE = 4.0, 2.0  # in states


@dataclass(frozen=True, slots=True)
class Trace:
    """Episodes as they went.

    Attributes:
        plans: that came of them; (rows, points).
        states: before each decision; (rows, points, features).
        masks: which actions were open; (rows, points, actions).
        advice: on each action, as of `Look`; (rows, points, actions, 2).
        worth: expected before each decision, as of `Look`; (rows, points, 2).
    """

    plans: Decisions
    states: Floats
    masks: Masks
    advice: Floats
    worth: Floats


@dataclass(frozen=True, slots=True)
class Begun:
    """Plans in the making.

    Attributes:
        decisions: (rows, points); those from the position on mean nothing.
        position: of the decision that is next.
        last: decision before it, nothing before the first; (rows,).
        is_ended: whether a choice replaces the layers that are left; (rows,).
        chosen: shares of the network that got each action; (rows, shares, actions).
        so_far: of each known cost, in each precision; each (precisions, rows).
    """

    decisions: Decisions
    position: int
    last: Decisions
    is_ended: Masks
    chosen: Doubles
    so_far: tuple[Doubles, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """How decisions are made: by Q, epsilon-greedily.

    Attributes:
        weights: of the network.
        trust: share of what the network says that counts on top of the advice, 0..1; of all rows
            or of each, (rows,).
        epsilon: share of random decisions, likewise.
    """

    weights: QWeights
    trust: float | Doubles = 1.0
    epsilon: float | Doubles = 0.0

    @property
    def sees(self) -> bool:
        """Whether the network has a say in any row."""
        return bool(np.any(self.trust))

    def decide(
        self, states: Floats | None, advice: Doubles, masks: Masks, rng: np.random.Generator
    ) -> Decisions:
        """An action of each row, (rows,); arguments as of `Trace`, at one position.

        Args:
            states: None where the network has no say.
            advice: on each action.
            masks: open actions.
            rng: of random decisions.
        """
        values = advice.sum(axis=2)
        if states is not None and self.sees:
            trust = np.reshape(self.trust, (-1, 1))
            values = values + trust * self.weights.values(states)
        chosen = greedy_actions(values.astype(np.float32), masks)
        if not np.any(self.epsilon):
            return chosen
        random = rng.random(masks.shape)
        random[~masks] = -1.0
        explores = rng.random(len(chosen)) < self.epsilon
        return np.where(explores, random.argmax(axis=1), chosen)


# From states, advice and masks at a position to what is decided; (rows,).
Decide = Callable[[int, Floats, Doubles, Masks], Decisions]


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
        self._shares = shares(space)
        self._actions = len(space.actions)
        self._no_choice = (self._shares.shape[1], self._actions)
        self._each = np.eye(self._actions, dtype=np.float32)
        self._open = np.zeros((len(space.points), self._actions), np.bool_)
        for number, point in enumerate(space.points):
            self._open[number, list(point.options)] = True
        self._is_layer = np.array([point.layer is not None for point in space.points])
        self._ending = np.zeros(self._actions, np.bool_)
        self._ending[list(space.ending)] = True
        self._known = known
        self._seen: list[Doubles] = [np.zeros(0)] * len(known)  # tables as they were
        self._least: list[Doubles] = [np.zeros(0)] * len(known)
        self.renew()
        self.size = self._points.shape[1] + 5 * self._actions + DEMAND + 4 + len(known)

    @property
    def length(self) -> int:
        """Decisions of an episode."""
        return len(self._points)

    def begun(self, decisions: Decisions, position: int) -> Begun:
        """Plans (rows, points) that are decided up to a position."""
        before = decisions[:, :position]
        chosen = np.zeros((len(decisions), *self._no_choice))
        for place in range(position):
            chosen[np.arange(len(decisions)), :, before[:, place]] += self._shares[place]
        is_ended = np.asarray(self._ending[before].any(axis=1))
        last = before[:, -1] if position else np.full(len(decisions), NOTHING)
        so_far = tuple(table.so_far(before) for table in self._known)
        return Begun(decisions, position, last, is_ended, chosen, so_far)

    def _further(self, begun: Begun) -> Begun:
        """The same plans, decided up to the next position."""
        here, place = begun.decisions[:, begun.position], begun.position
        chosen = begun.chosen.copy()
        chosen[np.arange(len(here)), :, here] += self._shares[place]
        so_far = tuple(
            before + table.added[:, place, here] + table.joint[:, place, begun.last, here]
            for before, table in zip(begun.so_far, self._known, strict=True)
        )
        is_ended = begun.is_ended | self._ending[here]
        return Begun(begun.decisions, place + 1, here, is_ended, chosen, so_far)

    def states(self, begun: Begun, wishes: Wishes, look: Look) -> Floats:
        """Before a decision: the layer, what was chosen and is left, demand, device, outlook.

        Args:
            begun: plans, up to that decision.
            wishes: of the rows.
            look: at that position.

        Returns:
            (rows, size) of float32.
        """
        rows, position = len(begun.decisions), begun.position
        found = np.zeros((rows, self.size), np.float32)
        advice = look.advice * _ADVICE_SCALE
        parts = [
            np.broadcast_to(self._points[position], (rows, self._points.shape[1])),
            begun.chosen.reshape(rows, -1),
            self._each[begun.last] if position else np.zeros((rows, self._actions)),
            wishes.features,
            _within(look.margins, -_MOST_ADVICE, 1),
            _within(advice, -_MOST_ADVICE, _MOST_ADVICE).reshape(rows, -1),
        ]
        for number, bound in enumerate(wishes.known_bounds):
            least = self._least_totals(number, begun) / np.maximum(bound, 1e-12)
            parts.append(_within(least, 0, 4)[:, np.newaxis])
        return np.concatenate(parts, axis=1, out=found)

    def masks(self, begun: Begun, wishes: Wishes) -> Masks:
        """Which actions are open; (rows, actions), one at least in each row."""
        position = begun.position
        found = np.repeat(self._open[position][np.newaxis], len(begun.decisions), axis=0)
        if self._is_layer[position]:
            found[begun.is_ended] = False
            found[begun.is_ended, NOTHING] = True
        if not self._known:
            return found
        hopeful = found & self._hopeful(begun, wishes)
        return np.where(hopeful.any(axis=1, keepdims=True), hopeful, found)

    def _hopeful(self, begun: Begun, wishes: Wishes) -> Masks:
        """After which actions each known limit can still be kept, all in one precision.

        Each limit by itself: whether one plan keeps all of them is a knapsack.

        Returns:
            (rows, actions).
        """
        position, kept = begun.position, np.ones((1, 1, 1), np.bool_)
        is_over = begun.is_ended[:, np.newaxis] | self._ending
        for number, table in enumerate(self._known):
            least = table.added[:, np.newaxis, position] + table.joint[:, position, begun.last]
            ahead = self._least[number][:, position + 1, np.newaxis]
            least += np.where(is_over, 0.0, ahead) if is_over.any() else ahead
            least += begun.so_far[number][:, :, np.newaxis]
            bound = wishes.known_bounds[number][:, np.newaxis] * (1 + _TOLERANCE)
            kept = kept & (least <= bound)
        if not self._is_layer[position]:  # each action is a precision here
            return kept[self._known[0].precision_of, :, np.arange(self._actions)].T
        return np.asarray(kept.any(axis=0))

    def _least_totals(self, number: int, begun: Begun) -> npt.NDArray[np.float64]:
        """The least that plans can come to; (rows,)."""
        ahead = self._least[number][:, begun.position, begun.last]
        ahead = np.where(begun.is_ended, 0.0, ahead)
        return np.asarray((begun.so_far[number] + ahead).min(axis=0))

    def renew(self) -> None:
        """Takes what the tables have learned of choices that formulas can't tell."""
        for number, table in enumerate(self._known):
            if not np.array_equal(self._seen[number], table.added):
                self._seen[number] = table.added.copy()
                self._least[number] = _least_ahead(table, self._open, self._ending)

    def walk(
        self, policy: Policy, wishes: Wishes, prospects: Prospects, rng: np.random.Generator
    ) -> Trace:
        """Decides whole plans, and keeps what the network is to learn from.

        Args:
            policy: that decides.
            wishes: of the rows.
            prospects: of the wishes in a view.
            rng: of random decisions.
        """

        def decide(_: int, states: Floats, advice: Doubles, masks: Masks) -> Decisions:
            return policy.decide(states, advice, masks, rng)

        return self._trace(wishes, prospects, decide)

    def decided(
        self, policy: Policy, wishes: Wishes, prospects: Prospects, rng: np.random.Generator
    ) -> Decisions:
        """The plans alone, (rows, points); arguments as of `walk`."""
        plans = np.zeros((len(wishes.allowed_loss), self.length), np.int64)
        for position, begun, masks, look in self._steps(plans, wishes, prospects):
            states = self.states(begun, wishes, look) if policy.sees else None
            plans[:, position] = policy.decide(states, look.advice, masks, rng)
        return plans

    def retrace(self, plans: Decisions, wishes: Wishes, prospects: Prospects) -> Trace:
        """The episodes that decide on those plans; (rows, points)."""
        return self._trace(wishes, prospects, lambda position, *_: plans[:, position])

    def _trace(self, wishes: Wishes, prospects: Prospects, decide: Decide) -> Trace:
        plans, steps = np.zeros((len(wishes.allowed_loss), self.length), np.int64), []
        for position, begun, masks, look in self._steps(plans, wishes, prospects):
            states = self.states(begun, wishes, look)
            plans[:, position] = decide(position, states, look.advice, masks)
            steps.append(
                (states, masks, look.advice.astype(np.float32), look.worth.astype(np.float32))
            )
        return Trace(plans, *(np.stack(parts, axis=1) for parts in zip(*steps, strict=True)))

    def _steps(
        self, plans: Decisions, wishes: Wishes, prospects: Prospects
    ) -> Iterator[tuple[int, Begun, Masks, Look]]:
        """Before each decision; it is to be written into the plans, (rows, points)."""
        self.renew()
        begun, so_far = self.begun(plans, 0), prospects.so_far(plans, 0)
        for position in range(self.length):
            masks = self.masks(begun, wishes)
            yield position, begun, masks, prospects.look(plans, position, masks, so_far)
            begun = self._further(begun)
            so_far = so_far + prospects.added(position, plans[:, position])


def _within(values: Doubles, least: float, most: float) -> Doubles:
    """As `np.clip`, which takes longer than all else here on small arrays."""
    return np.asarray(np.minimum(np.maximum(values, least), most))


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
