"""Training of the Q network in imagination: episodes under samples of what is believed.

Half of the episodes are of the user's own demand, half of random ones, so that the network answers
other demands, too. Column G learns R1 less what its limits are broken by (accuracy, energy),
column H R2 less what its own are (latency, storage), each with its own target.
"""

from __future__ import annotations

import numpy as np

from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.episodes import EpisodeBatch, Wishes
from adadeep.search.dqn.network import QNetwork
from adadeep.search.known_tables import Decisions, Floats
from adadeep.search.replay import Batch, ReplayMemory
from adadeep.search.wishes import Wish
from adadeep.search.world import View, World

_BROKEN = 2.0  # what a limit that is broken by all of its margin costs
_BOUNDS = (0.1, 1.0)  # of random limits, over the initial network's own costs
_LOSSES = (0.002, 0.06)  # of random limits of the loss
_TIGHT = 0.4  # share of random limits below the initial network's own costs


class Imagination:
    """A Q network that learns from a world model.

    Args:
        world: what is believed.
        config: hyper-parameters.
        rng: of weights, walks and replay.
    """

    def __init__(self, world: World, config: ImaginationConfig, rng: np.random.Generator) -> None:
        self._world, self._config, self._rng = world, config, rng
        self.episodes = EpisodeBatch(world.space, world.known_tables)
        actions = len(world.space.actions)
        self._network = QNetwork(
            self.episodes.size, actions, config.network, int(rng.integers(2**30))
        )
        self.online = self._target = self._network.weights
        self._steps = 0
        self._memory = ReplayMemory(config.network.replay_capacity, self.episodes.size, actions)

    def wishes(self, rows: int, own: float) -> Wishes:
        """Demands for a batch of episodes.

        Args:
            rows: how many.
            own: share of the user's own.
        """
        goals = self._world.goals
        initial = np.array(self._world.initial_costs)  # (goals, 3)
        which = self._rng.integers(len(goals), size=rows)
        weights = self._rng.uniform(0.05, 0.95, (rows, 4))
        allowed = _log_uniform(self._rng, _LOSSES, (rows,))
        is_tight = self._rng.random((rows, 3)) < _TIGHT
        bounds = np.where(is_tight, _log_uniform(self._rng, _BOUNDS, (rows, 3)), 1.0)
        mine = self._rng.random(rows) < own
        for number, model in enumerate(goals):
            here = mine & (which == number)
            weights[here] = model.wish.weights
            allowed[here] = model.wish.allowed_loss
            bounds[here] = np.array(model.wish.bounds) / initial[number]
        return self._wishes(weights, allowed, bounds, initial[which])

    def _wishes(self, weights: Floats, allowed: Floats, bounds: Floats, initial: Floats) -> Wishes:
        absolute = bounds * initial
        known = [absolute[:, place] for place in self._world.known_places]
        return Wishes(weights, allowed, bounds, np.array(known).reshape(len(known), len(absolute)))

    def own(self, rows: int) -> Wishes:
        """The user's own demand, so many times."""
        return self.wishes(rows, own=1.0)

    def learn(self, batches: int, view: View | None = None) -> None:
        """Imagines and learns.

        Args:
            batches: of episodes.
            view: to imagine under; a sample of the belief for each batch if none is given.
        """
        for _ in range(batches):
            seen = view or self._world.sample(self._rng)
            wishes = self.wishes(self._config.rows, own=0.5)
            epsilon = self._config.epsilon.value(self._steps)
            plans = self.episodes.walk(self.online, wishes, epsilon, self._rng)
            self.remember(plans, wishes, seen)
            self._descend()

    def remember(self, plans: Decisions, wishes: Wishes, view: View) -> None:
        """Takes episodes (rows, points) and what they are worth in a view."""
        gains, satisfactions = self.rewards(plans, wishes, view)
        last = self.episodes.length - 1
        for position in range(last + 1):
            ahead = min(position + 1, last)
            rows = len(plans)
            self._memory.extend(
                Batch(
                    states=self.episodes.states(plans, position, wishes),
                    actions=plans[:, position].astype(np.int32),
                    gains=(gains if position == last else np.zeros(rows)).astype(np.float32),
                    satisfactions=(satisfactions if position == last else np.zeros(rows)).astype(
                        np.float32
                    ),
                    next_states=self.episodes.states(plans, ahead, wishes),
                    next_masks=self.episodes.masks(plans, ahead, wishes),
                    done=np.full(rows, position == last),
                )
            )

    def rewards(self, plans: Decisions, wishes: Wishes, view: View) -> tuple[Floats, Floats]:
        """R1 and R2 less what limits are broken by; (rows,) each, the mean over the goals."""
        loss, costs = self._world.quantities(plans, view.weights)
        gains, satisfactions = [], []
        for number, initial in enumerate(self._world.initial_costs):
            bounds = wishes.bounds * np.array(initial)
            wish = Wish(
                wishes.allowed_loss,
                np.maximum(wishes.allowed_loss + self._world.best_gain, 1e-3),
                (bounds[:, 0], bounds[:, 1], bounds[:, 2]),
                (1.0, 1.0, 1.0, 1.0),
            )
            own = [cost[:1] for cost in costs[3 * number : 3 * number + 3]]
            margins = wish.margins(loss[:1], own)
            parts = [
                wishes.weights[:, place] * np.clip(margin[0], -1, 1)
                + _BROKEN * np.clip(margin[0], -1.5, 0)
                for place, margin in enumerate(margins)
            ]
            gains.append(parts[0] + parts[2])
            satisfactions.append(parts[1] + parts[3])
        return np.mean(gains, axis=0), np.mean(satisfactions, axis=0)

    def _descend(self) -> None:
        config, network = self._config, self._config.network
        batch = self._memory.sample(config.steps * network.batch_size, self._rng)
        self.online = self._network.descend(batch, self._target, network.gamma, config.steps)
        self._steps += 1
        if self._steps % config.reset_every == 0:
            self._target = self.online


def _log_uniform(
    rng: np.random.Generator, ends: tuple[float, float], shape: tuple[int, ...]
) -> Floats:
    low, high = np.log(ends)
    return np.exp(rng.uniform(float(low), float(high), shape))
