"""The end of a search: a few finalists are tested on samples that the search has not seen.

The best of many plans on few samples is partly luck. So a third of the validation data is held
back; the plans that look best are tested there, one after the other, each against the initial
network on the same samples, until one is met or five were tested. All finalists ever tested in
a run share one error rate, and each test is journalled: asking again buys no other chance.

A search trains by the short recipe. A finalist is made again by the full one before it is tested,
so that each test, and the verdict, is of the network that would be delivered.

Which look best is what the sampler believes of them where it can tell, for the best that was seen
is the luckiest, too. The order is decided without the held-back samples, so no verdict depends on
what was believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from adadeep.core.cost import Ratio
from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.search import GoalScore
from adadeep.core.trial import TrialState
from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.storage.journal import Journal
from adadeep.storage.records import HeldTest, JournalContent, Remade
from adadeep.study.contest import Contest
from adadeep.study.ratios import TargetRatios
from adadeep.study.trials import TargetScorer
from adadeep.study.verdicts import MOST_TESTS, Judge

MAX_FINALISTS = 5
MEETING = 3  # the best, that are compared with each other and the initial network directly
_PROMISING = 0.5  # chance to be met from which the reward decides who is tested first
_UNNAMED = 4  # rank of what is no winner, but the nearest that there is
_HOPELESS = 0.01  # below, a test would only use up the error that others need

RunHeldBack = Callable[[GoalScore], SampleScores]
Remaking = Callable[[CompressionPlan], Sequence[Contest]]


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
        trial = self.winner.trial
        tests = {(test.plan_key, test.model_sha256) for test in self.tested}
        tested = trial.plan == CompressionPlan() or (trial.plan.key, trial.model_sha256) in tests
        return tested and self.of_winner.is_acceptable


def conclude(
    contests: Sequence[Contest],
    journal: Journal,
    run_held_back: RunHeldBack,
    remake: Remaking | None = None,
) -> tuple[Conclusion, ...]:
    """Tests finalists and names the winner of each target; the targets take turns.

    A test of a plan serves every target.

    Args:
        contests: of the targets; at least one.
        journal: of the run; each test is added before the next is begun.
        run_held_back: runs a trial's model on the held-back samples.
        remake: makes a finalist's network again by the full recipe and measures it; gives the
            contests as they are then, in the same order. None: networks are tested as they are.

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
    final = _test_finalists(contests, journal, run_held_back, remake)
    return tuple(conclusion_of(contest) for contest in final)


def _test_finalists(
    contests: Sequence[Contest],
    journal: Journal,
    run_held_back: RunHeldBack,
    remake: Remaking | None,
) -> Sequence[Contest]:
    """The contests once nobody is left who is worth a test, or so many were made and tested.

    Counted since plans were last tried: a command that is repeated names the same winner.
    """
    if remake is None:
        contests = [replace(contest, remade=None) for contest in contests]
    to_test, to_make = tests_left(contests[0], journal.content), makes_left(journal.content)
    before = -1
    while to_test and to_test + to_make != before:
        before = to_test + to_make
        for place in range(len(contests)):
            contest = contests[place]
            finalist = next_finalist(contest, to_make > 0) if to_test else None
            if finalist is None:
                continue
            if remake is not None and not contest.is_final(finalist):
                contests, to_make = remake(finalist.trial.plan), to_make - 1
                continue  # whom to test next may be another, by what it has become
            judge = contest.judge
            _test(finalist, judge.next_number, judge.next_tail, journal, run_held_back)
            to_test -= 1
    return contests


def tests_left(contest: Contest, content: JournalContent) -> int:
    """How many finalists may be tested until another plan is tried.

    Those count whose networks were as they are delivered; those of the search, of runs of before,
    do not.
    """
    trials, tested = content.trials, content.ended_with.get(HeldTest, set())
    final = [key for key in tested if key not in trials or contest.is_final_plan(trials[key].plan)]
    return max(0, MAX_FINALISTS - len(final))


def makes_left(content: JournalContent) -> int:
    """How many may be made again until another plan is tried."""
    return max(0, MAX_FINALISTS - len(content.ended_with.get(Remade, ())))


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
        if _finally(contest, winner) - lost < _finally(contest, scored):
            yield Rival(scored, ratio)


def _for_latency(scorer: TargetScorer, latency_ms: float) -> float:
    """What T adds to a reward."""
    limit = scorer.limits.max_latency_ms
    return scorer.demand.latency_weight * max(-1.0, min(1.0, (limit - latency_ms) / limit))


def next_finalist(contest: Contest, may_make: bool = True) -> GoalScore | None:
    """Whom to test next; None if nobody is worth it.

    Plans whose costs are within the limits: first those that are likely to be met on the
    accuracy, by what they are believed to earn, then the others by that chance. Once one is met,
    only likely ones that earn more than it. Once one is open and within, only what earns more or
    could be met by so many samples; and of what has to be made again first only what is likely to
    be met, or earns more and is likely to be within, too: training is spent on a chance only.

    Args:
        contest: on a target.
        may_make: whether a network may be made again for it.
    """
    judge, trials = contest.judge, contest.eligible.trials
    held_back = judge.held_test(judge.baseline)
    if held_back is None or judge.next_number > MOST_TESTS:
        return None
    met = [_total(contest, s) for s in trials if _state(judge, s) is VerdictState.MET]
    named = [_total(contest, s) for s in trials if _is_acceptable(judge, s)]
    standing = _Standing(contest, held_back.scores.count, may_make, met, named)
    ranked = [(rank, s) for s in trials if (rank := standing.rank(s)) is not None]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


@dataclass(frozen=True, slots=True)
class _Standing:
    """How things stand when the next finalist is chosen.

    Attributes:
        contest: on a target.
        held_back: samples.
        may_make: whether a network may be made again.
        met: what those earn that are met.
        named: what those earn that no limit is known to be broken by; with the former.
    """

    contest: Contest
    held_back: int
    may_make: bool
    met: Sequence[float]
    named: Sequence[float]

    def rank(self, scored: GoalScore) -> tuple[int, bool, float] | None:
        """The greater, the sooner a trial is to be tested; None if never. See `next_finalist`."""
        contest, judge = self.contest, self.contest.judge
        verdicts = judge.verdicts(scored)
        if verdicts is None or not _may_be_tested(contest, scored, verdicts):
            return None
        total, chance = _total(contest, scored), judge.chance_to_pass(scored, self.held_back)
        if chance < _HOPELESS:
            return None
        promising = chance >= _PROMISING
        earns_more = not self.named or total > max(self.named)
        gains = bool(self.named) and earns_more and self._is_likely_within(scored)
        if self.met and not (promising and total > max(self.met)):
            return None
        if not (earns_more or judge.can_be_met(self.held_back)):
            return None
        if not contest.is_final(scored) and not self._is_worth_making(promising or gains):
            return None
        kind = 2 if promising else int(gains)
        return kind, _costs_are_met(verdicts), total if kind else chance

    def _is_worth_making(self, is_likely: bool) -> bool:
        return self.may_make and (is_likely or not self.named)

    def _is_likely_within(self, scored: GoalScore) -> bool:
        return self.contest.judge.chance_within(scored, self.held_back) >= _PROMISING


def _total(contest: Contest, scored: GoalScore) -> float:
    return contest.worth(scored).reward.total


def _finally(contest: Contest, scored: GoalScore) -> float:
    """What a tested trial earns: as its network is delivered, where all tested ones are that."""
    return scored.reward.total if contest.remade is not None else _total(contest, scored)


def _may_be_tested(contest: Contest, scored: GoalScore, verdicts: Verdicts) -> bool:
    """One that was not tested as it would be delivered, and whose costs keep limits.

    In runs of before finalists were tested as the search made them; made again such a one is
    tested once more, as a further finalist.
    """
    judge, plan = contest.judge, scored.trial.plan
    test = judge.content.held_tests.get(plan.key)  # the initial network's is there, too
    remade = judge.content.remade_artifact(plan.key)
    was_before = test is not None and remade is not None and contest.remade is not None
    if test is not None and not (was_before and test.model_sha256 != scored.trial.model_sha256):
        return False
    return all(v.is_within for name, v in verdicts if name != "accuracy_loss")


def _is_acceptable(judge: Judge, scored: GoalScore) -> bool:
    """Whether a plan was tested, and no limit is known to be broken."""
    if scored is judge.baseline or judge.held_test(scored) is None:
        return False
    verdicts = judge.verdicts(scored)
    return verdicts is not None and verdicts.is_acceptable


def _costs_are_met(verdicts: Verdicts) -> bool:
    return all(v.state is VerdictState.MET for name, v in verdicts if name != "accuracy_loss")


def _state(judge: Judge, scored: GoalScore) -> VerdictState | None:
    if scored is judge.baseline:  # always within its own limits; not what is looked for
        return None
    verdicts = judge.verdicts(scored)
    return verdicts.state if verdicts else None


def _winner(contest: Contest) -> GoalScore:
    """Met, open and within, the initial network, and only then what nobody has tested.

    Among these by what they are believed to earn; networks that were made again, and so stand
    beside each other, by what they earn now.

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
    if judge.held_test(scored) is None:
        return 3, 0.0, -_total(contest, scored)
    return int(verdicts.state is not VerdictState.MET), 0.0, -_finally(contest, scored)


def _test(scored: GoalScore, number: int, tail: float, journal: Journal, run: RunHeldBack) -> None:
    trial = scored.trial
    assert trial.model_sha256 is not None
    journal.add(HeldTest(trial.plan.key, trial.model_sha256, number, tail, run(scored)))
