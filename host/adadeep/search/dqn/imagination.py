"""Training of the Q network in imagination: episodes under samples of what is believed.

Half of the episodes are of the user's own demand, half of random ones, so that the network answers
other demands, too. Column G learns R1 less what its limits are broken by (accuracy, energy),
column H R2 less what its own are (latency, storage), each with its own target.

Q of a decision is what the outlook of the view tells of it, and what the network has learned
besides, as far as that can be trusted (`trust`). As the network sees the outlook, episodes stay
true when the belief has changed.
"""

from __future__ import annotations

import numpy as np

from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.episodes import EpisodeBatch, Policy, Trace
from adadeep.search.dqn.memory import EpisodeMemory, Imagined
from adadeep.search.dqn.network import QNetwork
from adadeep.search.dqn.outlook import Lookout, Prospects
from adadeep.search.dqn.targets import column_targets
from adadeep.search.dqn.trust import SHARES, Trial
from adadeep.search.dqn.wanted import Wishes, device_features
from adadeep.search.known_tables import Decisions, Floats
from adadeep.search.replay import Floats as Singles
from adadeep.search.view import View
from adadeep.search.world import World

_BOUNDS = (0.1, 1.0)  # of random limits, over the initial network's own costs
_LOSSES = (0.002, 0.06)  # of random limits of the loss
_LEAST_ROOM = 1e-3
_TIGHT = 0.4  # share of random limits below the initial network's own costs
_EXAMINED = 16  # demands of an examination
_MEAN = 0.5  # share of batches in the world as it most likely is; the others are in samples of it


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
        self.weights = self._network.weights  # what decides, and the target network
        self._most_learned = config.most_learned / self.episodes.length
        self._trial = Trial()
        self.trust = 0.0  # in what was learned
        self._steps = 0
        self._memory = EpisodeMemory(config.network.replay_capacity, self.episodes.length)
        self._lookout = Lookout(world)
        self._initial = np.array(world.initial_costs)  # (goals, 3)
        self._devices = device_features(world.told_costs)  # (goals, 6)

    def wishes(self, rows: int, own: float) -> Wishes:
        """Demands for a batch of episodes.

        Args:
            rows: how many.
            own: share of the user's own.
        """
        goals, initial = self._world.goals, self._initial
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
        room = np.maximum(allowed + self._world.best_gain, _LEAST_ROOM)
        absolute = bounds * initial[which]
        known = [absolute[:, place] for place in self._world.known_places]
        known_bounds = np.array(known).reshape(len(known), rows)
        return Wishes(weights, allowed, room, bounds, known_bounds, self._devices[which])

    def own(self, rows: int) -> Wishes:
        """The user's own demand, so many times."""
        return self.wishes(rows, own=1.0)

    def decided(self, wishes: Wishes, view: View, epsilon: float | Floats = 0.0) -> Decisions:
        """Plans that Q decides on in a view, (rows, points); epsilon as of a `Policy`."""
        policy = Policy(self.weights, self.trust, epsilon)
        prospects = self._prospects(wishes, view)
        return self.episodes.decided(policy, wishes, prospects, self._rng)

    def learn(self, batches: int, view: View | None = None) -> None:
        """Imagines and learns, from what is believed now.

        Args:
            batches: of episodes.
            view: to imagine under; the mean of the belief or a sample for each batch if none is
                given.
        """
        self._initial = np.array(self._world.initial_costs)
        for _ in range(batches):
            seen = view or self._any_view()
            wishes = self.wishes(self._config.rows, own=0.5)
            policy = Policy(self.weights, epsilon=self._config.epsilon.value(self._steps))
            prospects = self._prospects(wishes, seen)
            self._keep(self.episodes.walk(policy, wishes, prospects, self._rng), wishes, seen)
            self._descend()
        if batches:
            self._examine(view or self._world.mean())

    def _examine(self, view: View) -> None:
        """Sees how much what was learned is to be trusted, on demands that it was not taught."""
        wishes = self.wishes(_EXAMINED, own=0.0)
        tries = np.repeat((0.0, *SHARES), _EXAMINED)
        same = wishes.some(np.tile(np.arange(_EXAMINED), len(SHARES) + 1))
        prospects = self._prospects(same, view)
        plans = self.episodes.decided(Policy(self.weights, tries), same, prospects, self._rng)
        earned = self.rewards(plans, same, view).sum(axis=1).reshape(-1, _EXAMINED)
        self.trust = self._trial.share_of(earned[1:] - earned[0])

    def remember(self, plans: Decisions, wishes: Wishes, view: View) -> None:
        """Takes plans (rows, points) as episodes in a view."""
        prospects = self._prospects(wishes, view)
        self._keep(self.episodes.retrace(plans, wishes, prospects), wishes, view)

    def rewards(self, plans: Decisions, wishes: Wishes, view: View) -> Floats:
        """R1 and R2 less what limits are broken by, the mean over the goals; (rows, 2)."""
        found = self._lookout.quantities(plans, view, self._initial)
        return np.asarray(
            wishes.judged(wishes.margins(found[:, :, np.newaxis]))[:, :, 0].mean(axis=0)
        )

    def _any_view(self) -> View:
        is_mean = self._rng.random() < _MEAN
        return self._world.mean() if is_mean else self._world.sample(self._rng)

    def _prospects(self, wishes: Wishes, view: View) -> Prospects:
        return Prospects(self._lookout, self._lookout.of(view, self._initial), wishes)

    def _keep(self, trace: Trace, wishes: Wishes, view: View) -> None:
        self._memory.extend(trace, self.rewards(trace.plans, wishes, view))

    def _descend(self) -> None:
        config = self._config
        drawn = self._memory.sample(config.steps * config.network.batch_size, self._rng)
        online = self._network.approach(drawn.batch, self._targets(drawn), config.steps)
        self.weights = self.weights.towards(online, config.follows)
        self._steps += 1

    def _targets(self, drawn: Imagined) -> Singles:
        """Of the network's columns: those of Eq. 10 less what the outlook advised."""
        config, batch = self._config, drawn.batch
        told = drawn.next_advice[..., 0], drawn.next_advice[..., 1]
        ahead = [
            (gain + told[0], satisfaction + told[1])
            for gain, satisfaction in (
                weights.columns(batch.next_states)
                for weights in (self._network.weights, self.weights)
            )
        ]
        targets = column_targets(batch, config.network.gamma, *ahead) - drawn.advice
        return np.asarray(np.clip(targets, -self._most_learned, self._most_learned))


def _log_uniform(
    rng: np.random.Generator, ends: tuple[float, float], shape: tuple[int, ...]
) -> Floats:
    low, high = np.log(ends)
    return np.exp(rng.uniform(float(low), float(high), shape))
