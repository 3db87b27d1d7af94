"""From a run's journal to trials with costs: what was measured is kept, costs are derived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adadeep.core.cost import Cost
from adadeep.core.cost_source import Candidate
from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits, Reward, floor_reward, resolve_limits, reward
from adadeep.core.search import GoalScore, ScoredTrial
from adadeep.core.trial import Trial, TrialState
from adadeep.cost.registry import COST_SOURCES, cost_of
from adadeep.storage.records import JournalContent, TargetRecord, TrialRecord

INITIAL = CompressionPlan()


def trial_on(content: JournalContent, record: TrialRecord, target: TargetRecord) -> Trial:
    """What a journal tells of a plan on a target.

    Args:
        content: of the journal.
        record: of the plan.
        target: one of the journal's.
    """
    artifact = content.artifacts.get(record.artifact or "")
    key = record.measurements.get(target.key)
    reason = record.reason or record.failures.get(target.key)
    state = TrialState.FAILED if reason else TrialState.INCOMPLETE
    reason = reason or missing_source(content, target)
    cost = None if reason else _cost(content, record, target)
    if cost is None and reason is None:
        reason = f"not measured on {target.target.device_title} yet"
    return Trial(
        plan=record.plan,
        state=state if cost is None else TrialState.COMPLETE,
        accuracy=artifact.accuracy if artifact else None,
        cost=cost,
        model_sha256=artifact.model_sha256 if artifact else None,
        measurement_key=key,
        reason=reason,
        seconds=round(record.making_s + record.measuring_s, 3),
        scores=artifact.scores if artifact else None,
        taken_from=artifact.taken_from if artifact else None,
    )


def missing_source(content: JournalContent, target: TargetRecord) -> str | None:
    """Which cost source of a target can't be used here, a clause; None if all can."""
    usable = COST_SOURCES.usable()
    for name in (name for name in target.sources.values() if name not in usable):
        origin = content.plugins.get(f"{COST_SOURCES.kind} {name}", "another package")
        title, shown = one_line(target.target.device_title), one_line(name, 80)
        return (
            f"costs on {title} come from {shown!r} of {one_line(origin, 80)}, which is not"
            " installed here"
        )
    return None


def _cost(content: JournalContent, record: TrialRecord, target: TargetRecord) -> Cost | None:
    reference = content.trials.get(INITIAL.key)
    candidates = [_candidate(content, one, target) for one in (record, reference)]
    if candidates[0] is None or candidates[1] is None:
        return None
    return cost_of(candidates[0], candidates[1], target.target, target.sources)


def _candidate(
    content: JournalContent, record: TrialRecord | None, target: TargetRecord
) -> Candidate | None:
    artifact = content.artifacts.get(record.artifact or "") if record else None
    if record is None or artifact is None:
        return None
    measurement = content.measurements.get(record.measurements.get(target.key, ""))
    return Candidate(artifact.spec, artifact.file_bytes, measurement)


@dataclass(frozen=True, slots=True)
class TargetScorer:
    """Scores plans for the demand on one target.

    Attributes:
        target: of the journal.
        demand: what is wanted there.
        limits: all of them.
        baseline: the initial network there.
    """

    target: TargetRecord
    demand: UserDemand
    limits: Limits
    baseline: GoalScore

    @classmethod
    def of(
        cls, content: JournalContent, target: TargetRecord, demand: UserDemand
    ) -> TargetScorer | None:
        """For a target; None where the initial network is not measured there."""
        record = content.trials.get(INITIAL.key)
        initial = trial_on(content, record, target) if record else None
        if initial is None or initial.accuracy is None or initial.cost is None:
            return None
        scale = content.scale
        limits = resolve_limits(demand, initial.accuracy, initial.cost, scale)
        earned = reward(demand, limits, initial.accuracy, initial.cost, scale)
        return cls(target, demand, limits, GoalScore(initial, earned, target.key))

    def score(self, content: JournalContent, record: TrialRecord) -> GoalScore:
        """What a plan earns here: the floor where it failed or is not measured."""
        if record.plan == INITIAL:
            return self.baseline
        trial = trial_on(content, record, self.target)
        if trial.accuracy is None or trial.cost is None:
            return GoalScore(trial, floor_reward(self.demand), self.target.key)
        earned = reward(self.demand, self.limits, trial.accuracy, trial.cost, content.scale)
        return GoalScore(trial, earned, self.target.key)

    def skipped(self, plan: CompressionPlan, reason: str, violation: float) -> GoalScore:
        """Of a plan whose known costs break limits: the floor, with what is known of it."""
        floor = floor_reward(self.demand)
        trial = Trial(plan, TrialState.SKIPPED, reason=reason)
        earned = Reward(floor.gain, floor.satisfaction, violation)
        return GoalScore(trial, earned, self.target.key)


def scored(
    content: JournalContent,
    record: TrialRecord,
    scorers: Sequence[TargetScorer],
    heard: Sequence[str] | None = None,
) -> ScoredTrial:
    """A plan as a sampler is told of it.

    Targets that have not measured it are left out as long as one has: a device that was unplugged
    must not take the search's eyes.

    Args:
        content: of the journal.
        record: of the plan.
        scorers: of the targets.
        heard: keys of the targets that the sampler heard of when it was told; none: it heard that
            the plan is incomplete. None: all that is known.
    """
    scores = [scorer.score(content, record) for scorer in scorers]
    if heard is not None and not heard:
        return ScoredTrial(tuple(map(_unmeasured, scorers, scores)))
    by_key = {scorer.target.key: s for scorer, s in zip(scorers, scores, strict=True)}
    known = {key: by_key[key] for key in measured_on(content, record, scorers)}
    then = [score for key, score in known.items() if heard is None or key in heard]
    return ScoredTrial(tuple(then or known.values() or scores))


def measured_on(
    content: JournalContent, record: TrialRecord, scorers: Iterable[TargetScorer]
) -> tuple[str, ...]:
    """Keys of the targets where it is known what came of a plan."""
    targets = (scorer.target for scorer in scorers)
    trials = {target.key: trial_on(content, record, target) for target in targets}
    return tuple(key for key, trial in trials.items() if trial.state is not TrialState.INCOMPLETE)


def _unmeasured(scorer: TargetScorer, score: GoalScore) -> GoalScore:
    """As it was before the target measured it."""
    trial = replace(
        score.trial,
        state=TrialState.INCOMPLETE,
        cost=None,
        measurement_key=None,
        reason=f"not measured on {scorer.target.target.device_title} yet",
    )
    return replace(score, trial=trial, reward=floor_reward(scorer.demand))
