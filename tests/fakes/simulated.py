"""A search whose truth is written down: losses, times and known costs of every plan of a space."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan
from adadeep.core.reward import resolve_limits, reward
from adadeep.core.search import Goal, GoalScore, KnownCosts, ScoredTrial, SearchContext
from adadeep.core.space import NOTHING, PrecisionChoice, SearchSpace
from adadeep.core.trial import Trial, TrialState
from adadeep.testing.spaces import SPACE
from fakes.search_space import every_list

QUALITY = 0.97  # of the initial network
_WORD_MJ = 52.8e-9


@dataclass
class Simulated:
    """What every plan of a space turns out to be; each part is drawn from the seed.

    Attributes:
        space: its plans.
        demand: of the user.
        seed: of what choices do.
        loss: that a choice adds, evenly up to this.
        target: key of the device.
    """

    space: SearchSpace = SPACE
    demand: UserDemand = field(default_factory=lambda: UserDemand(max_accuracy_loss=0.03))
    seed: int = 0
    loss: float = 0.01
    target: str = ""

    def __post_init__(self):
        rng = np.random.default_rng(self.seed)
        shape = (len(self.space.points), len(self.space.actions))
        self.kept = rng.uniform(0.2, 0.8, shape)  # of a layer's weights and MACs
        self.pace = rng.uniform(0.7, 1.4, shape[1])  # time a MAC, by choice
        self.lost = rng.uniform(0.0, self.loss, shape)
        self.kept[:, NOTHING] = self.pace[NOTHING] = 1.0
        self.lost[:, NOTHING] = 0.0
        for place, action in enumerate(self.space.actions):
            if action == PrecisionChoice(UNCHANGED_PRECISION):
                self.lost[:, place] = 0.0

    def layers(self, plan):
        """What each layer that is decided on keeps, and its choice; none behind an ending one."""
        decisions = self.space.decisions(plan)
        for place, (point, option) in enumerate(zip(self.space.points, decisions, strict=True)):
            if point.layer:
                yield point.layer, option, self.kept[place, option]
                if option in self.space.ending:
                    return

    def bits(self, plan):
        return 32 if plan.precision == UNCHANGED_PRECISION else 8

    def known(self, plan):
        """Sums over layers, as formulas give them."""
        parts = [*self.layers(plan)]
        macs = sum(layer.macs * kept for layer, _, kept in parts)
        storage = sum(layer.weights * kept for layer, _, kept in parts) * self.bits(plan) / 8
        return KnownCosts(round(macs), storage, 100.0, _WORD_MJ * (macs + 1.5 * storage), storage)

    def latency_ms(self, plan):
        macs = sum(one.macs * kept * self.pace[option] for one, option, kept in self.layers(plan))
        return (macs + 50) * 1e-6 * (1.0 if self.bits(plan) == 32 else 0.6)

    def accuracy(self, plan):
        decisions = self.space.decisions(plan)
        return QUALITY - sum(self.lost[place, option] for place, option in enumerate(decisions))

    def cost(self, plan):
        known = self.known(plan)
        return Cost(
            Quantity(self.latency_ms(plan), Provenance.MEASURED),
            Quantity(known.energy_mj, Provenance.ANALYTIC),
            known.storage_bytes, known.activation_bytes, None, known.macs,
        )  # fmt: skip

    @property
    def limits(self):
        return resolve_limits(self.demand, QUALITY, self.cost(CompressionPlan()))

    def scored(self, plan):
        accuracy, cost = self.accuracy(plan), self.cost(plan)
        trial = Trial(plan, TrialState.COMPLETE, accuracy, cost)
        earned = reward(self.demand, self.limits, accuracy, cost)
        return ScoredTrial((GoalScore(trial, earned, self.target),))

    def context(self, seed=0, preset="default", is_told=True):
        """Of a search that knows the initial network."""
        return SearchContext(
            self.space, (Goal(self.target, self.demand, self.limits),), seed, preset,
            known_costs=self.known if is_told else lambda _: None,
            history=(self.scored(CompressionPlan()),),
        )  # fmt: skip

    def every_plan(self):
        """All lists of decisions; (plans, points)."""
        return np.array(every_list(self.space), np.int64)

    def rank(self, decisions):
        return self.scored(self.space.plan(decisions)).rank

    def play(self, sampler, count):
        """Asks and tells so often; the decisions that were asked for."""
        asked = []
        for _ in range(count):
            plan = sampler.ask()
            asked.append(self.space.decisions(plan))
            sampler.tell(self.scored(plan))
        return asked
