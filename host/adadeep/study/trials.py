"""From a run's journal to trials with costs: what was measured is kept, costs are derived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adadeep.core.cost import COLD, MEDIAN, UNAVAILABLE, Cost
from adadeep.core.cost_source import Candidate
from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import (
    Limits,
    Reward,
    floor_reward,
    lacking_limits,
    resolve_limits,
    reward,
)
from adadeep.core.search import GoalScore, ScoredTrial
from adadeep.core.trial import AsSearched, Trial, TrialState
from adadeep.cost.registry import COST_SOURCES, cost_of
from adadeep.storage.records import JournalContent, TargetRecord, TrialRecord
from adadeep.study.ratios import TargetRatios, tail_of

INITIAL = CompressionPlan()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a journal is read.

    Attributes:
        statistic: which latency T is: the median, or what the demand names.
        as_told: T by the sessions up to the plan's own first one, as the sampler was told; else by
            all.
        remade: of plans that the full recipe made again that network, which is what is delivered;
            else the search's own.
    """

    statistic: str = MEDIAN
    as_told: bool = False
    remade: bool = True


_PLAIN = Reading()


def trial_on(
    content: JournalContent, record: TrialRecord, target: TargetRecord, reading: Reading = _PLAIN
) -> Trial:
    """What a journal tells of a plan on a target.

    Args:
        content: of the journal.
        record: of the plan.
        target: one of the journal's.
        reading: what of it is wanted.
    """
    remade = content.remade.get(record.plan.key)
    if remade is not None and reading.remade and not reading.as_told:
        trial = _trial_of(content, remade, target, reading)
        searched = content.artifact_of(record.plan.key)
        if trial.state is TrialState.COMPLETE and searched is not None:
            then = AsSearched(searched.accuracy, searched.model_sha256)
            return replace(trial, as_searched=then)
    return _trial_of(content, record, target, reading)


def _trial_of(
    content: JournalContent, record: TrialRecord, target: TargetRecord, reading: Reading
) -> Trial:
    """What one record of a plan tells: of its trial, or of its remaking."""
    artifact = content.artifacts.get(record.artifact or "")
    reason = record.reason or record.failures.get(target.key)
    if reason and artifact and cannot_run(content, record, target):
        reason = None  # T is unavailable; all else is known, and the limits are made of it
    state = TrialState.FAILED if reason else TrialState.INCOMPLETE
    reason = reason or missing_source(content, target)
    cost = None if reason else _cost(content, record, target, reading)
    if cost is None and reason is None:
        cold = " with cold caches" if reading.statistic == COLD else ""
        reason = f"not measured{cold} on {target.target.device_title} yet"
    return Trial(
        plan=record.plan,
        state=state if cost is None else TrialState.COMPLETE,
        accuracy=artifact.accuracy if artifact else None,
        cost=cost,
        model_sha256=artifact.model_sha256 if artifact else None,
        session=record.measurements.get(target.key),
        reason=reason,
        seconds=round(record.making_s + record.measuring_s, 3),
        scores=artifact.scores if artifact else None,
        taken_from=artifact.taken_from if artifact else None,
    )


def cannot_run(content: JournalContent, record: TrialRecord, target: TargetRecord) -> bool:
    """Whether a plan is the initial network, and the target has another unit instead of it."""
    unit = content.units.get(target.key)
    return record.plan == INITIAL and unit is not None and not unit.latency.is_initial


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


def _cost(
    content: JournalContent, record: TrialRecord, target: TargetRecord, reading: Reading
) -> Cost | None:
    reference = content.trials.get(INITIAL.key)
    candidates = [_candidate(content, one, target, reading) for one in (record, reference)]
    if candidates[0] is None or candidates[1] is None:
        return None
    otherwise = UNAVAILABLE if cannot_run(content, record, target) else None
    return cost_of(candidates[0], candidates[1], target.target, target.sources, otherwise)


def _candidate(
    content: JournalContent, record: TrialRecord | None, target: TargetRecord, reading: Reading
) -> Candidate | None:
    artifact = content.artifacts.get(record.artifact or "") if record else None
    if record is None or artifact is None:
        return None
    bare = Candidate(artifact.spec, artifact.file_bytes, statistic=reading.statistic)
    unit, sha256 = content.units.get(target.key), artifact.model_sha256
    if unit is None or target.key not in record.measurements:
        return bare
    ratios = TargetRatios(content, target.key)
    own = ratios.first(sha256, reading.statistic)
    measured = own.of(sha256) if own else None
    if own is None or measured is None:
        return bare
    return replace(
        bare,
        measurement=measured,
        ratio=ratios.to_unit(sha256, own.id if reading.as_told else None),
        unit=unit.latency,
        tail=tail_of(measured, reading.statistic, unit.noise),
    )


class LimitMissing(ConfigError):
    """The initial network can't run on a device, and a limit that it would set is not given."""


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
        """For a target; None where the initial network is not measured there.

        Raises:
            LimitMissing: it can't run there, and a limit that it would have set is not given.
        """
        record, reading = content.trials.get(INITIAL.key), Reading(demand.latency_statistic)
        initial = trial_on(content, record, target, reading) if record else None
        if initial is None or initial.accuracy is None or initial.cost is None:
            return None
        scale, cost = content.scale, initial.cost
        if lacking := lacking_limits(demand, cost):
            unit = content.units.get(target.key)
            raise LimitMissing(
                f"the initial network can't be measured on {target.target.device_title}"
                f" ({one_line(unit.reason or '' if unit else '', 200).rstrip('.')}), so it sets no"
                f" limit there; give {' and '.join(lacking)}."
            )
        limits = resolve_limits(demand, initial.accuracy, cost, scale)
        earned = floor_reward(demand)
        if cost.latency_ms.value is not None and cost.energy_mj.value is not None:
            earned = reward(demand, limits, initial.accuracy, cost, scale)
        return cls(target, demand, limits, GoalScore(initial, earned, target.key))

    def score(
        self,
        content: JournalContent,
        record: TrialRecord,
        as_told: bool = False,
        remade: bool = True,
    ) -> GoalScore:
        """What a plan earns here: the floor where it failed or is not measured.

        Args:
            content: of the journal.
            record: of the plan.
            as_told: as the sampler was told of it, see `Reading`.
            remade: by the network that the full recipe made, where there is one, see `Reading`.
        """
        if record.plan == INITIAL:
            return self.baseline
        reading = Reading(self.demand.latency_statistic, as_told, remade)
        trial = trial_on(content, record, self.target, reading)
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
    scores = [scorer.score(content, record, as_told=True) for scorer in scorers]
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
    trials = {
        scorer.target.key: trial_on(
            content, record, scorer.target, Reading(scorer.demand.latency_statistic, remade=False)
        )
        for scorer in scorers
    }
    return tuple(key for key, trial in trials.items() if trial.state is not TrialState.INCOMPLETE)


def _unmeasured(scorer: TargetScorer, score: GoalScore) -> GoalScore:
    """As it was before the target measured it."""
    trial = replace(
        score.trial,
        state=TrialState.INCOMPLETE,
        cost=None,
        session=None,
        reason=f"not measured on {scorer.target.target.device_title} yet",
    )
    return replace(score, trial=trial, reward=floor_reward(scorer.demand))
