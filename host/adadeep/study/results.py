"""What came of a search: scored trials, the best of them, the Pareto front. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.trial import Trial, TrialState
from adadeep.search.reward import Limits, Reward


@dataclass(frozen=True, slots=True)
class ScoredTrial:
    """A trial and what it earned.

    Attributes:
        trial: the plan and its costs.
        reward: by Eq. 8.
    """

    trial: Trial
    reward: Reward

    @property
    def rank(self) -> tuple[float, float]:
        """Sorts the better first: feasible by R1 + R2, then by how little limits are broken."""
        violation = math.inf if self.reward.violation is None else self.reward.violation
        return violation, -self.reward.total


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What came of a search.

    Attributes:
        limits: that the plans were held against.
        baseline: the initial network.
        trials: every plan of the journal, each once, in its order; the initial network first.
        episodes: how many plans were to be asked for.
        asked: how many were, now; fewer where the time was over before.
        scale: what accuracies mean.
    """

    limits: Limits
    baseline: ScoredTrial
    trials: tuple[ScoredTrial, ...]
    episodes: int
    asked: int
    scale: Scale = ACCURACY_SCALE

    def ranked(self, count: int) -> tuple[ScoredTrial, ...]:
        """The best plans that are not the initial network; failed ones are left out."""
        plans = (
            scored
            for scored in self.trials
            if scored is not self.baseline and scored.trial.state is TrialState.COMPLETE
        )
        return tuple(sorted(plans, key=lambda scored: scored.rank)[:count])

    @property
    def front(self) -> tuple[ScoredTrial, ...]:
        """The plans that no other one beats in accuracy, T, E and S_p at once."""
        return pareto_front(self.trials, self.scale)


def best_of(trials: Sequence[ScoredTrial]) -> ScoredTrial:
    """The best of at least one trial; the earlier of equals."""
    return min(trials, key=lambda scored: scored.rank)


def pareto_front(
    trials: Sequence[ScoredTrial], scale: Scale = ACCURACY_SCALE
) -> tuple[ScoredTrial, ...]:
    """The trials that none dominates; of equals all are kept, failed ones never."""
    points = [(scored, _losses(scored.trial, scale)) for scored in trials]
    known = [(scored, losses) for scored, losses in points if losses is not None]
    return tuple(
        scored
        for scored, losses in known
        if not any(_dominates(other, losses) for _, other in known)
    )


def _losses(trial: Trial, scale: Scale) -> tuple[float, ...] | None:
    """What is to be made small: what A lacks, T, E, S_p; None if something is not known."""
    if trial.accuracy is None or trial.cost is None:
        return None
    latency, energy = trial.cost.latency_ms.value, trial.cost.energy_mj.value
    if latency is None or energy is None:
        return None
    lacking = scale.advantage(scale.best, trial.accuracy)
    return lacking, latency, energy, trial.cost.storage_bytes


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
