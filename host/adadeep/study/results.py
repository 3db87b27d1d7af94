"""What came of a search on one target: scored trials, the best, the Pareto front. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.reward import Limits
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial, TrialState


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What came of a search on one target.

    Attributes:
        limits: that the plans were held against.
        baseline: the initial network.
        trials: every plan of the journal, each once, in its order, the initial network first;
            then those that known costs ruled out now.
        scale: what accuracies mean.
    """

    limits: Limits
    baseline: GoalScore
    trials: tuple[GoalScore, ...]
    scale: Scale = ACCURACY_SCALE

    @property
    def tried(self) -> tuple[GoalScore, ...]:
        """Without those that known costs ruled out."""
        return tuple(s for s in self.trials if s.trial.state is not TrialState.SKIPPED)

    def ranked(self, count: int) -> tuple[GoalScore, ...]:
        """The best plans that are not the initial network; failed ones are left out."""
        plans = (
            scored
            for scored in self.trials
            if scored is not self.baseline and scored.trial.state is TrialState.COMPLETE
        )
        return tuple(sorted(plans, key=lambda scored: scored.rank)[:count])

    @property
    def front(self) -> tuple[GoalScore, ...]:
        """The plans that no other one beats in accuracy, T, E and S_p at once."""
        return pareto_front(self.trials, self.scale)


def pareto_front(
    trials: Sequence[GoalScore], scale: Scale = ACCURACY_SCALE
) -> tuple[GoalScore, ...]:
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
