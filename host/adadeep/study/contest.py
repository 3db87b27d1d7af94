"""Who competes at the end of a search: every trial on a target, and what each is held to earn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adadeep.core.demand import UserDemand
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Reward, reward
from adadeep.core.search import GoalScore
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.records import JournalContent
from adadeep.study.results import StudyResult
from adadeep.study.trials import TargetScorer
from adadeep.study.verdicts import Judge


@dataclass(frozen=True, slots=True)
class Contest:
    """Who competes on one target.

    Attributes:
        judge: of the target's demand.
        result: every trial there.
        gone: keys of plans whose models were removed, or could not be made again: ranked, but not
            tested, and they don't win.
        believed: by plan key, what plans earn by the quality that the sampler believes they have
            as they would be delivered (`as_delivered`); where it believes nothing, those that were
            made again by that of the search's own network, as the others do.
        scorer: of the target; None where nothing is to be said of rivals.
        remade: keys of plans that the full recipe has made again, and that were measured since;
            None where networks are tested as they are.
    """

    judge: Judge
    result: StudyResult
    gone: frozenset[str] = frozenset()
    believed: Mapping[str, Reward] = field(default_factory=dict)
    scorer: TargetScorer | None = None
    remade: frozenset[str] | None = None

    def is_final(self, scored: GoalScore) -> bool:
        """Whether a trial's network is the one that would be delivered."""
        return self.is_final_plan(scored.trial.plan)

    def is_final_plan(self, plan: CompressionPlan) -> bool:
        """Whether a plan's network is."""
        return self.remade is None or not plan.choices or plan.key in self.remade

    def worth(self, scored: GoalScore) -> GoalScore:
        """A trial with what it is believed to earn, else with what it has earned."""
        known = self.believed.get(scored.trial.plan.key)
        return scored if known is None else replace(scored, reward=known)

    @property
    def eligible(self) -> StudyResult:
        """The trials that may be tested and win; the initial network's is always among them."""
        kept = (
            scored
            for scored in self.result.trials
            if scored is self.result.baseline or scored.trial.plan.key not in self.gone
        )
        return replace(self.result, trials=tuple(kept))


def contest_of(
    content: JournalContent,
    models: ArtifactStore,
    scorer: TargetScorer,
    demands: Iterable[UserDemand],
    skipped: Iterable[GoalScore] = (),
    believed: Mapping[str, float] | None = None,
) -> Contest:
    """What the journal tells of a target.

    Args:
        content: of the journal.
        models: of the run.
        scorer: of the target.
        demands: of all targets of the session.
        skipped: plans that known costs ruled out.
        believed: by plan key, qualities as the sampler believes them.
    """
    trials = [scorer.score(content, record) for record in content.trials.values()]
    losses = {demand.max_accuracy_loss for demand in demands}
    loss, limits, baseline = scorer.demand.max_accuracy_loss, scorer.limits, scorer.baseline
    gone = {
        scored.trial.plan.key
        for scored in trials
        if scored.trial.model_sha256 and not models.has(scored.trial.model_sha256)
    }
    searched = [scorer.score(content, r, remade=False) for r in content.trials.values()]
    remade = {one.trial.plan.key for one in trials if one.trial.as_searched is not None}
    earned = {one.trial.plan.key: one.reward for one in searched if one.trial.plan.key in remade}
    qualities = as_delivered(believed or {}, searched, trials, remade)
    return Contest(
        Judge(loss, limits, baseline, content, len(losses)),
        StudyResult(limits, baseline, (*trials, *skipped), content.scale),
        frozenset(gone | not_made_again(content, scorer.target.key)),
        earned | believed_rewards(searched, scorer, content.scale, qualities),
        scorer,
        frozenset(remade),
    )


def not_made_again(content: JournalContent, target: str) -> set[str]:
    """Keys of plans of which the full recipe gave no network that runs on a target."""
    found = content.remade.items()
    return {key for key, record in found if record.reason or target in record.failures}


def as_delivered(
    believed: Mapping[str, float],
    searched: Sequence[GoalScore],
    delivered: Sequence[GoalScore],
    remade: Collection[str],
) -> dict[str, float]:
    """The qualities that are believed of plans, by the full recipe.

    A sampler has seen networks of the short one. What the full one changed in those that it made,
    on the same validation samples, is known; of the others it is taken to change as much on the
    mean.

    Args:
        believed: by plan key, of the short recipe.
        searched: trials as the search made them.
        delivered: the same, with the networks that were made again.
        remade: keys of these.
    """
    pairs = ((a.trial, b.trial) for a, b in zip(searched, delivered, strict=True))
    changes = {
        before.plan.key: after.accuracy - before.accuracy
        for before, after in pairs
        if before.plan.key in remade and before.accuracy is not None and after.accuracy is not None
    }
    mean = sum(changes.values()) / len(changes) if changes else 0.0
    return {key: quality + changes.get(key, mean) for key, quality in believed.items()}


def believed_rewards(
    trials: Iterable[GoalScore], scorer: TargetScorer, scale: Scale, qualities: Mapping[str, float]
) -> dict[str, Reward]:
    """What trials earn by qualities that are believed; limits and costs are as measured.

    Args:
        trials: on the target.
        scorer: of the target.
        scale: what qualities mean.
        qualities: by plan key, of those that can be told.

    Returns:
        By plan key; not of the initial network, which the limits are made from, nor of what has
        no costs.
    """
    return {
        trial.plan.key: reward(scorer.demand, scorer.limits, quality, trial.cost, scale)
        for scored in trials
        if scored is not scorer.baseline
        and (trial := scored.trial).cost is not None
        and (quality := qualities.get(trial.plan.key)) is not None
    }
