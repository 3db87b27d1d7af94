"""The DQN with a model of its world: Q proposes, the model improves and verifies."""

from __future__ import annotations

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.search.ascent import ascend_each
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.explorer import TRIED_ALL, Explorer
from adadeep.search.known_tables import Decisions
from adadeep.search.neighbours import distinct
from adadeep.search.view import View, joined

_BEST = 4  # plans so far that are improved beside what Q proposes
_EXPLORES = 0.15  # share of random decisions in all proposals but one
_DREAMS = 2  # samples of the world that are climbed beside its mean


class PlanningDqnSampler:
    """Proposes plans by walks of the Q network, which learns in imagination; climbs from them.

    What the model makes better of a proposal is given back to the network (expert iteration;
    Anthony, Tian and Barber 2017).

    Args:
        context: of the search.
        config: hyper-parameters.
    """

    def __init__(self, context: SearchContext, config: ImaginationConfig) -> None:
        self._config = config
        self._explorer = Explorer(context, config.design)
        self._mind = Imagination(self._explorer.world, config, self._explorer.rng)
        self._mind.learn(config.first_batches)
        self._taught: tuple[Decisions, View] | None = None  # what was improved, and where

    def ask(self) -> CompressionPlan | Stop:
        """The next plan."""
        explorer = self._explorer
        chosen = explorer.opening()
        if chosen is None:
            sampled = [explorer.world.sample(explorer.rng) for _ in range(_DREAMS)]
            view = joined([explorer.world.mean(), *sampled])
            starts = self._starts(view)
            mean, *dreams = ascend_each(view, explorer.moves, starts, self._config.rounds)
            self._taught = mean[0][: self._config.improved], explorer.world.mean()
            chosen = explorer.choose(mean, dreams)
        return Stop(TRIED_ALL) if chosen is None else explorer.ask(chosen)

    def tell(self, scored: ScoredTrial) -> None:
        """Learns from it, whoever asked for it, and imagines anew."""
        batches = self._config.later_batches
        if batches and self._taught is not None:
            taught, view = self._taught
            self._mind.remember(taught, self._mind.own(len(taught)), view)
        self._taught = None
        if self._explorer.tell(scored) is not None:
            self._mind.learn(batches)

    def expected_gain(self) -> float | None:
        """What going on may still add to the best reward."""
        return self._explorer.expected_gain

    def believed_quality(self, plan: CompressionPlan) -> float | None:
        """Of a plan that was tried, its sampling luck taken out; None if that can't be told."""
        return self._explorer.believed_quality(plan)

    def greedy(self) -> Decisions:
        """The plan that Q alone decides on for the user's demand; (1, points)."""
        return self._mind.decided(self._mind.own(1), self._explorer.world.mean())

    def _starts(self, view: View) -> list[Decisions]:
        """By way of a view: the best plans so far, and of Q's proposals those that are best in it.

        Q proposes in the first way; in the others what is best of that is as good a start.
        """
        explorer, config = self._explorer, self._config
        epsilons = np.full(config.proposals, _EXPLORES)
        epsilons[0] = 0.0
        walked = self._mind.decided(self._mind.own(config.proposals), view, epsilons)
        proposals = walked[distinct(walked)]
        best, count = explorer.best_plans(_BEST), 1 + _DREAMS
        ways = np.repeat(np.arange(count), len(proposals))
        worths = view.worth(np.tile(proposals, (count, 1)), ways).reshape(count, -1)
        order = np.argsort(-worths, axis=1, kind="stable")[:, : config.improved]
        return [np.concatenate([best, proposals[own]]) for own in order]
