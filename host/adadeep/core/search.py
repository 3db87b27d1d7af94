"""What study and samplers say to each other: a context, plans, scored trials.

A sampler is made from a `SearchContext`. Then the study asks it for plans and tells it what came
of each, in the order asked. Up to so many asks as the study looks ahead may be open at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from adadeep.core.cost import Cost
from adadeep.core.demand import UserDemand
from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import DeviceProfile
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits, Reward
from adadeep.core.space import SearchSpace
from adadeep.core.trial import Trial, TrialState


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted on one target.

    Attributes:
        target: key of the target.
        demand: weights and limits as given.
        limits: all of them, the initial network's own costs where none was given.
    """

    target: str
    demand: UserDemand
    limits: Limits


@dataclass(frozen=True, slots=True)
class TargetKnowledge:
    """What is known of a target's device before anything is tried.

    Attributes:
        facts: of the device.
        profile: of it, in the user's library; None if there is none.
        time_prior: T of a plan in ms as the profile's table lets expect it, None of a plan that
            it can't tell; None if there is no such table.
    """

    facts: DeviceFacts
    profile: DeviceProfile | None = None
    time_prior: Callable[[CompressionPlan], float | None] | None = None


@dataclass(frozen=True, slots=True)
class KnownCosts:
    """What formulas give of a plan before it is tried; it need not be learned.

    Attributes:
        macs: C.
        storage_bytes: S_p (Eq. 3).
        activation_bytes: S_f (Eq. 3).
        energy_mj: E by Eq. 5; None where E is measured.
        file_bytes: about the most that the .tflite takes.
    """

    macs: int
    storage_bytes: float
    activation_bytes: float
    energy_mj: float | None
    file_bytes: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The sampler has nothing more to ask for.

    Attributes:
        reason: for people: "every plan was tried".
    """

    reason: str


@dataclass(frozen=True, slots=True)
class GoalScore:
    """What a plan earned for one goal.

    Attributes:
        trial: the plan and its costs on the goal's target.
        reward: by Eq. 8.
        target: key of the goal's target; empty where there is but one.
    """

    trial: Trial
    reward: Reward
    target: str = ""

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts the better first: feasible by R1 + R2, then by how little limits are broken."""
        violation = math.inf if self.reward.violation is None else self.reward.violation
        return violation, -self.reward.total


@dataclass(frozen=True, slots=True)
class ScoredTrial:
    """What a sampler is told of a plan.

    Attributes:
        scores: by goal, in the order of the context's goals; at least one.
    """

    scores: tuple[GoalScore, ...]

    @property
    def plan(self) -> CompressionPlan:
        """What was tried."""
        return self.scores[0].trial.plan

    @property
    def state(self) -> TrialState:
        """Of the plan over all goals.

        Incomplete while a target has still to measure it; else complete if it is so on one.
        """
        states = [score.trial.state for score in self.scores]
        for state in (TrialState.INCOMPLETE, TrialState.COMPLETE, TrialState.FAILED):
            if state in states:
                return state
        return TrialState.SKIPPED

    @property
    def quality(self) -> float | None:
        """On the search's validation data; None if there is no network."""
        return self.scores[0].trial.accuracy

    @property
    def costs(self) -> tuple[Cost | None, ...]:
        """By goal; None where it is not complete."""
        return tuple(score.trial.cost for score in self.scores)

    @property
    def reward(self) -> Reward:
        """The mean over the goals: what drives the search. One goal: its own."""
        return mean_reward([score.reward for score in self.scores])

    @property
    def reason(self) -> str | None:
        """Why it is not complete somewhere; the first of several."""
        return next((s.trial.reason for s in self.scores if s.trial.reason is not None), None)

    @property
    def rank(self) -> tuple[float, float]:
        """As `GoalScore.rank`, by the mean."""
        violation = self.reward.violation
        return math.inf if violation is None else violation, -self.reward.total


def mean_reward(rewards: list[Reward]) -> Reward:
    """The mean of at least one reward; nobody's violation is known unless everybody's is."""
    count = len(rewards)
    violations = [reward.violation for reward in rewards if reward.violation is not None]
    return Reward(
        gain=sum(reward.gain for reward in rewards) / count,
        satisfaction=sum(reward.satisfaction for reward in rewards) / count,
        violation=sum(violations) / count if len(violations) == count else None,
    )


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What a sampler is made from.

    Attributes:
        space: what there is to decide.
        goals: at least one; what drives the search is the mean over them.
        seed: of all the sampler's randomness.
        preset: one of the sampler's own.
        known_costs: of a plan, without trying it; None where a technique can't tell.
        targets: in the order of the goals.
        history: what is known before the first ask: the initial network.
        scale: what accuracies mean.
    """

    space: SearchSpace
    goals: tuple[Goal, ...]
    seed: int = 0
    preset: str = "default"
    known_costs: Callable[[CompressionPlan], KnownCosts | None] = lambda _: None
    targets: tuple[TargetKnowledge, ...] = ()
    history: tuple[ScoredTrial, ...] = ()
    scale: Scale = ACCURACY_SCALE
