"""The end of a search: a few finalists are tested on samples that the search has not seen.

The best of many plans on few samples is partly luck. So a third of the validation data is held
back; the plans that look best are tested there, one after the other, each against the initial
network on the same samples, until one is met or five were tested. All finalists ever tested in
a run share one error rate, and each test is journalled: asking again buys no other chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adadeep.core.correct import CorrectSamples
from adadeep.core.trial import TrialState
from adadeep.core.verdict import Verdicts, VerdictState
from adadeep.storage.journal import HeldTest, Journal
from adadeep.study.results import ScoredTrial, StudyResult
from adadeep.study.verdicts import Judge

MAX_FINALISTS = 5
_PROMISING = 0.5  # chance to be met from which the reward decides who is tested first

RunHeldBack = Callable[[ScoredTrial], CorrectSamples]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a search came to.

    Attributes:
        winner: the plan to use.
        verdicts: by plan key, of every complete trial.
        tested: the finalists' tests on held-back samples, in the order of testing.
    """

    winner: ScoredTrial
    verdicts: dict[str, Verdicts]
    tested: tuple[HeldTest, ...]

    @property
    def of_winner(self) -> Verdicts:
        """Of the winner; it is complete, so there are some."""
        return self.verdicts[self.winner.trial.plan.key]


def conclude(
    judge: Judge, result: StudyResult, journal: Journal, run_held_back: RunHeldBack
) -> Conclusion:
    """Tests finalists and names the winner.

    Args:
        judge: of this run.
        result: every trial of the run.
        journal: of the run; each test is added before the next is begun.
        run_held_back: runs a trial's model on the held-back samples.
    """
    if judge.held_test(judge.baseline) is None:
        _test(judge.baseline, 0, journal, run_held_back)
    for _ in range(MAX_FINALISTS):
        finalist = next_finalist(judge, result)
        if finalist is None:
            break
        _test(finalist, judge.next_number, journal, run_held_back)
    verdicts = {
        scored.trial.plan.key: found
        for scored in result.trials
        if (found := judge.verdicts(scored)) is not None
    }
    tests = (test for test in journal.content.held_tests.values() if test.number)
    tested = tuple(sorted(tests, key=lambda test: test.number))
    return Conclusion(_winner(judge, result), verdicts, tested)


def next_finalist(judge: Judge, result: StudyResult) -> ScoredTrial | None:
    """Whom to test next; None if nobody is worth it.

    Plans whose costs are within the limits: first those that are likely to be met on the
    accuracy, by reward, then the others by that chance. Once one is met, only likely ones that
    earn more than it.
    """
    held_back = judge.held_test(judge.baseline)
    if held_back is None:
        return None
    number = judge.next_number
    met = [s.reward.total for s in result.trials if _state(judge, s) is VerdictState.MET]
    best: tuple[tuple[bool, bool, float], ScoredTrial] | None = None
    for scored in result.trials:
        verdicts = judge.verdicts(scored)
        if verdicts is None or not _may_be_tested(judge, scored, verdicts):
            continue
        chance = judge.chance_to_pass(scored, number, held_back.correct.count)
        promising = chance >= _PROMISING
        if met and not (promising and scored.reward.total > max(met)):
            continue
        order = (promising, _costs_are_met(verdicts), scored.reward.total if promising else chance)
        if best is None or order > best[0]:
            best = order, scored
    return best[1] if best else None


def _may_be_tested(judge: Judge, scored: ScoredTrial, verdicts: Verdicts) -> bool:
    """A plan that compresses, was not tested yet, and whose costs keep their limits."""
    if scored is judge.baseline or judge.held_test(scored) is not None:
        return False
    if scored.trial.plan.key in judge.content.held_tests:
        return False  # with another model: its chance is spent
    return all(v.is_within for name, v in verdicts if name != "accuracy_loss")


def _costs_are_met(verdicts: Verdicts) -> bool:
    return all(v.state is VerdictState.MET for name, v in verdicts if name != "accuracy_loss")


def _state(judge: Judge, scored: ScoredTrial) -> VerdictState | None:
    if scored is judge.baseline:  # always within its own limits; not what is looked for
        return None
    verdicts = judge.verdicts(scored)
    return verdicts.state if verdicts else None


def _winner(judge: Judge, result: StudyResult) -> ScoredTrial:
    """Met before open and within (tested before not), then what breaks limits least.

    The initial network is the last of those that are acceptable: who searches wants another.
    """
    complete = [s for s in result.trials if s.trial.state is TrialState.COMPLETE]

    def order(scored: ScoredTrial) -> tuple[int, float, float]:
        verdicts = judge.verdicts(scored)
        assert verdicts is not None
        if not verdicts.is_acceptable:
            return 4, *scored.rank
        rank = 0 if verdicts.state is VerdictState.MET else 1 if judge.held_test(scored) else 2
        return 3 if scored is judge.baseline else rank, 0.0, -scored.reward.total

    return min(complete, key=order)


def _test(scored: ScoredTrial, number: int, journal: Journal, run: RunHeldBack) -> None:
    trial = scored.trial
    assert trial.model_sha256 is not None
    journal.add_held_test(HeldTest(trial.plan.key, trial.model_sha256, number, run(scored)))
