"""The end of a search: a few finalists are tested on samples that the search has not seen.

The best of many plans on few samples is partly luck. So a third of the validation data is held
back; the plans that look best are tested there, one after the other, each against the initial
network on the same samples, until one is met or five were tested. All finalists ever tested in
a run share one error rate, and each test is journalled: asking again buys no other chance.

Which look best is what the sampler believes of them where it can tell, for the best that was seen
is the luckiest, too. The order is decided without the held-back samples, so no verdict depends on
what was believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adadeep.core.cost import Ratio
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Reward, reward
from adadeep.core.scores import SampleScores
from adadeep.core.search import GoalScore
from adadeep.core.trial import TrialState
from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.storage.records import HeldTest, JournalContent
from adadeep.study.ratios import TargetRatios
from adadeep.study.results import StudyResult
from adadeep.study.trials import TargetScorer
from adadeep.study.verdicts import MOST_TESTS, Judge

MAX_FINALISTS = 5
MEETING = 3  # the best, that are compared with each other and the initial network directly
_PROMISING = 0.5  # chance to be met from which the reward decides who is tested first
_UNNAMED = 4  # rank of what is no winner, but the nearest that there is
_HOPELESS = 0.01  # below, a test would only use up the error that others need

RunHeldBack = Callable[[GoalScore], SampleScores]


@dataclass(frozen=True, slots=True)
class Rival:
    """A plan that is as good as the winner, for all that is known.

    Attributes:
        scored: that plan.
        ratio: the winner's latency over its.
    """

    scored: GoalScore
    ratio: Ratio


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a search came to.

    Attributes:
        winner: the plan to use.
        verdicts: by plan key, of every complete trial.
        tested: the finalists' tests on held-back samples, in the order of testing.
        rivals: of the next best those whose latency can't be told well enough from the winner's
            to say which of the two earns more.
    """

    winner: GoalScore
    verdicts: dict[str, Verdicts]
    tested: tuple[HeldTest, ...]
    rivals: tuple[Rival, ...] = ()

    @property
    def refuted(self) -> frozenset[str]:
        """Keys of the plans whose loss is beyond the limit on the samples held back."""
        return frozenset(
            test.plan_key
            for test in self.tested
            if test.plan_key in self.verdicts  # it is not, where the plan failed on this device
            and not self.verdicts[test.plan_key].accuracy_loss.is_within
        )

    @property
    def of_winner(self) -> Verdicts:
        """Of the winner; it is complete, so there are some."""
        return self.verdicts[self.winner.trial.plan.key]

    @property
    def meets_demand(self) -> bool:
        """Whether the winner is known to keep every limit."""
        return self.of_winner.state is VerdictState.MET

    @property
    def is_acceptable(self) -> bool:
        """Whether no limit is known to be broken and every estimate is within.

        On the accuracy that is an estimate on held-back samples, or the initial network's own.
        """
        plan = self.winner.trial.plan
        tested = plan == CompressionPlan() or plan.key in {test.plan_key for test in self.tested}
        return tested and self.of_winner.is_acceptable


@dataclass(frozen=True, slots=True)
class Contest:
    """Who competes on one target.

    Attributes:
        judge: of the target's demand.
        result: every trial there.
        gone: keys of plans whose models were removed: ranked, but not tested, and they don't win.
        believed: by plan key, what plans earn by the quality that the sampler believes they have.
        scorer: of the target; None where nothing is to be said of rivals.
    """

    judge: Judge
    result: StudyResult
    gone: frozenset[str] = frozenset()
    believed: Mapping[str, Reward] = field(default_factory=dict)
    scorer: TargetScorer | None = None

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
    gone = (
        scored.trial.plan.key
        for scored in trials
        if scored.trial.model_sha256 and not models.has(scored.trial.model_sha256)
    )
    return Contest(
        Judge(loss, limits, baseline, content, len(losses)),
        StudyResult(limits, baseline, (*trials, *skipped), content.scale),
        frozenset(gone),
        believed_rewards(trials, scorer, content.scale, believed or {}),
        scorer,
    )


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


def conclude(
    contests: Sequence[Contest], journal: Journal, run_held_back: RunHeldBack
) -> tuple[Conclusion, ...]:
    """Tests finalists and names the winner of each target; the targets take turns.

    A test of a plan serves every target.

    Args:
        contests: of the targets; at least one.
        journal: of the run; each test is added before the next is begun.
        run_held_back: runs a trial's model on the held-back samples.

    Raises:
        ConfigError: finalists were compared with another initial network.
    """
    initial = contests[0].judge.baseline
    known = journal.content.held_tests.get(initial.trial.plan.key)
    if known is not None and known.model_sha256 != initial.trial.model_sha256:
        raise ConfigError(
            "finalists of this run were compared with another initial network; begin anew in"
            " another folder (-o)."
        )
    if known is None:
        _test(initial, 0, 0.0, journal, run_held_back)
    left = MAX_FINALISTS
    while left:
        before = left
        for contest in contests:
            finalist = next_finalist(contest) if left else None
            if finalist is not None:
                judge = contest.judge
                _test(finalist, judge.next_number, judge.next_tail, journal, run_held_back)
                left -= 1
        if left == before:
            break
    return tuple(conclusion_of(contest) for contest in contests)


def conclusion_of(contest: Contest) -> Conclusion:
    """What a contest comes to by the tests that there are."""
    tests = (test for test in contest.judge.content.held_tests.values() if test.number)
    verdicts = {
        scored.trial.plan.key: found
        for scored in contest.result.trials
        if (found := contest.judge.verdicts(scored)) is not None
    }
    winner = _winner(contest)
    tested = tuple(sorted(tests, key=lambda test: test.number))
    return Conclusion(winner, verdicts, tested, tuple(_rivals(contest, winner)))


def to_meet(contest: Contest) -> tuple[str, ...]:
    """Hashes of the networks that are to be compared directly before a winner is named.

    The best by what they earn, of those that keep the limits by what is known, and the initial
    network where it can run.
    """
    baseline, verdicts_of = contest.result.baseline, contest.judge.verdicts
    best = [
        scored
        for scored in sorted(_complete(contest), key=lambda one: _order(contest, one))
        if scored is not baseline
        and (verdicts := verdicts_of(scored)) is not None
        and verdicts.is_acceptable
    ]
    cost = baseline.trial.cost
    runs = cost is not None and cost.latency_ms.value is not None
    found = [*best[:MEETING], *([baseline] if runs else [])] if best else []
    return tuple(dict.fromkeys(scored.trial.model_sha256 or "" for scored in found))


def _rivals(contest: Contest, winner: GoalScore) -> Iterator[Rival]:
    """Those of the next best that would win, were the ratio of T at the worse end of its interval.

    Where something else than latency decides, it does not matter how well that is known.
    """
    scorer, mine, best = contest.scorer, winner.trial, _order(contest, winner)[0]
    named = best < _UNNAMED and winner is not contest.result.baseline
    if scorer is None or not named or mine.cost is None:
        return
    others = (s for s in _complete(contest) if s is not winner and _order(contest, s)[0] == best)
    ratios = TargetRatios(contest.judge.content, scorer.target.key)
    nearest = sorted(others, key=lambda one: _order(contest, one))[: MEETING - 1]
    for scored in nearest:
        ratio = ratios.between(mine.model_sha256 or "", scored.trial.model_sha256 or "")
        if ratio is None or mine.cost.latency_ms.value is None:
            continue
        slower = mine.cost.latency_ms.value * ratio.high / ratio.value
        lost = _for_latency(scorer, mine.cost.latency_ms.value) - _for_latency(scorer, slower)
        if _total(contest, winner) - lost < _total(contest, scored):
            yield Rival(scored, ratio)


def _for_latency(scorer: TargetScorer, latency_ms: float) -> float:
    """What T adds to a reward."""
    limit = scorer.limits.max_latency_ms
    return scorer.demand.latency_weight * max(-1.0, min(1.0, (limit - latency_ms) / limit))


def next_finalist(contest: Contest) -> GoalScore | None:
    """Whom to test next; None if nobody is worth it.

    Plans whose costs are within the limits: first those that are likely to be met on the
    accuracy, by what they are believed to earn, then the others by that chance. Once one is met,
    only likely ones that earn more than it.
    """
    judge, result = contest.judge, contest.eligible
    held_back = judge.held_test(judge.baseline)
    if held_back is None or judge.next_number > MOST_TESTS:
        return None
    met = [_total(contest, s) for s in result.trials if _state(judge, s) is VerdictState.MET]
    best: tuple[tuple[bool, bool, float], GoalScore] | None = None
    for scored in result.trials:
        verdicts = judge.verdicts(scored)
        if verdicts is None or not _may_be_tested(judge, scored, verdicts):
            continue
        total = _total(contest, scored)
        chance = judge.chance_to_pass(scored, held_back.scores.count)
        promising = chance >= _PROMISING
        if chance < _HOPELESS:
            continue
        if met and not (promising and total > max(met)):
            continue
        order = (promising, _costs_are_met(verdicts), total if promising else chance)
        if best is None or order > best[0]:
            best = order, scored
    return best[1] if best else None


def _total(contest: Contest, scored: GoalScore) -> float:
    return contest.worth(scored).reward.total


def _may_be_tested(judge: Judge, scored: GoalScore, verdicts: Verdicts) -> bool:
    """One that was not tested yet, also not with another model, and whose costs keep limits."""
    if scored.trial.plan.key in judge.content.held_tests:  # the initial network is there, too
        return False
    return all(v.is_within for name, v in verdicts if name != "accuracy_loss")


def _costs_are_met(verdicts: Verdicts) -> bool:
    return all(v.state is VerdictState.MET for name, v in verdicts if name != "accuracy_loss")


def _state(judge: Judge, scored: GoalScore) -> VerdictState | None:
    if scored is judge.baseline:  # always within its own limits; not what is looked for
        return None
    verdicts = judge.verdicts(scored)
    return verdicts.state if verdicts else None


def _winner(contest: Contest) -> GoalScore:
    """Met, open and within, the initial network, and only then what nobody has tested.

    Among these by what they are believed to earn.

    The initial network keeps its own limits: who searches wants another, but not one that only
    the samples speak for on which it was chosen. Of the rest what is known to break a limit is
    last, and what breaks limits least is first.
    """
    return min(_complete(contest), key=lambda scored: _order(contest, scored))


def _complete(contest: Contest) -> list[GoalScore]:
    return [s for s in contest.eligible.trials if s.trial.state is TrialState.COMPLETE]


def _order(contest: Contest, scored: GoalScore) -> tuple[int, float, float]:
    """Sorts the better first; see `_winner`."""
    judge = contest.judge
    verdicts = judge.verdicts(scored)
    assert verdicts is not None
    if not verdicts.is_acceptable:
        return _UNNAMED + (verdicts.state is VerdictState.BROKEN), *contest.worth(scored).rank
    if scored is judge.baseline:
        return 2, 0.0, -scored.reward.total
    rank = 0 if verdicts.state is VerdictState.MET else 1 if judge.held_test(scored) else 3
    return rank, 0.0, -_total(contest, scored)


def _test(scored: GoalScore, number: int, tail: float, journal: Journal, run: RunHeldBack) -> None:
    trial = scored.trial
    assert trial.model_sha256 is not None
    journal.add(HeldTest(trial.plan.key, trial.model_sha256, number, tail, run(scored)))
