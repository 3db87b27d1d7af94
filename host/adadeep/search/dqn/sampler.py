"""DqnSampler: Algorithm 1 over the decisions of a plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial
from adadeep.core.space import SearchSpace
from adadeep.core.trial import TrialState
from adadeep.search.dqn.config import DqnConfig
from adadeep.search.dqn.network import QNetwork
from adadeep.search.dqn.targets import greedy_actions
from adadeep.search.replay import ReplayMemory, Transition
from adadeep.search.state import StateEncoder


class DqnSampler:
    """Decides layer by layer, epsilon-greedily by Q = G + H, and learns from whole episodes.

    Args:
        space: what there is to decide.
        demands: what the user wants, by goal; part of the state.
        seed: of weights, exploration and replay.
        config: hyper-parameters.
    """

    def __init__(
        self, space: SearchSpace, demands: Sequence[UserDemand], seed: int, config: DqnConfig
    ) -> None:
        self._space = space
        self._config = config
        self._encoder = StateEncoder(space, demands)
        self._rng = np.random.default_rng(seed)
        shape = (self._encoder.size, len(space.actions))
        weight_seed = int(self._rng.integers(2**30))
        self._network = QNetwork(*shape, config, weight_seed)
        self._online = self._network.weights
        self._target = self._online
        self._memory = ReplayMemory(config.replay_capacity, *shape)
        self._asked: set[str] = set()
        self._open: set[str] = set()
        self._episode = 0
        self._episodes_since_reset = 0

    def ask(self) -> CompressionPlan:
        """The next plan; one asked before only where exploring finds no other."""
        epsilon = self._config.epsilon.value(self._episode)
        if self._episode < self._config.warmup_episodes:
            epsilon = 1.0
        plan = self._walk(epsilon)
        tries = self._config.fresh_tries
        for attempt in range(1, tries + 1):
            if plan.key not in self._asked:
                break
            plan = self._walk(epsilon + (1 - epsilon) * attempt / tries)
        self._asked.add(plan.key)
        self._open.add(plan.key)
        return plan

    def tell(self, scored: ScoredTrial) -> None:
        """Stores the episode's transitions and descends.

        What was not asked for is learned from, too, but is no episode of its own.
        """
        plan, reward = scored.plan, scored.reward
        was_asked = plan.key in self._open
        self._open.discard(plan.key)
        self._asked.add(plan.key)
        try:
            decisions = self._space.decisions(plan)
        except ValueError:  # of an earlier search with other techniques
            return
        if scored.state is TrialState.INCOMPLETE:
            return
        for position in range(len(decisions)):
            rewards = reward.gain, reward.satisfaction
            self._memory.add(self._transition(decisions, position, rewards))
        self._learn()
        self._episode += was_asked

    def values(self, decisions: tuple[int, ...]) -> npt.NDArray[np.float32]:
        """Q of every action, open or not, after those decisions; (actions,)."""
        return self._online.values(self._encoder.encode(decisions)[np.newaxis]).ravel()

    def _walk(self, epsilon: float) -> CompressionPlan:
        decisions: tuple[int, ...] = ()
        for _ in self._space.points:
            mask = self._space.mask(decisions)
            if self._rng.random() < epsilon:
                action = int(self._rng.choice(np.flatnonzero(mask)))
            else:
                action = int(
                    greedy_actions(self.values(decisions)[np.newaxis], mask[np.newaxis])[0]
                )
            decisions = (*decisions, action)
        return self._space.plan(decisions)

    def _transition(
        self, decisions: tuple[int, ...], position: int, rewards: tuple[float, float]
    ) -> Transition:
        last = position + 1 == len(decisions)
        gain, satisfaction = rewards if last or self._config.reward_on_every_step else (0.0, 0.0)
        before, after = decisions[:position], decisions[: position + 1]
        nothing_open = np.zeros(len(self._space.actions), dtype=np.bool_)
        return Transition(
            state=self._encoder.encode(before),
            action=decisions[position],
            gain=gain,
            satisfaction=satisfaction,
            next_state=self._encoder.encode(after),
            next_mask=nothing_open if last else self._space.mask(after),
            done=last,
        )

    def _learn(self) -> None:
        """The gradient steps of one episode."""
        config = self._config
        steps = config.steps_per_episode
        batch = self._memory.sample(steps * config.batch_size, self._rng)
        self._online = self._network.descend(batch, self._target, config.gamma, steps)
        self._episodes_since_reset += 1
        if self._episodes_since_reset == config.reset_every_episodes:
            self._target = self._online
            self._episodes_since_reset = 0
