"""How searches end: when `--episodes auto` stops them, what they said was left, whom they name.

The winner is named as a study does it (`study/finalists.py`): finalists are tested on the samples
held back, in the order of what the sampler believes of them; the test data then tell the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from adadeep.core.plan import CompressionPlan
from adadeep.core.sampler import Sampler
from adadeep.core.search import GoalScore, ScoredTrial, Stop
from adadeep.core.trial import TrialState
from adadeep.core.verdict import VerdictState
from adadeep.storage.records import Artifact, HeldTest, JournalContent, TrialRecord, content_key
from adadeep.study.contest import Contest, believed_rewards
from adadeep.study.episodes import Ending, Episodes
from adadeep.study.finalists import Conclusion, conclude
from adadeep.study.results import StudyResult
from adadeep.study.verdicts import Judge
from search import replay as replays
from search.judging import WORST, stored_optima
from search.recorded import RecordedTable
from search.table import TEST, VALIDATION

HELD = "held"


@dataclass(frozen=True)
class Winner:
    """Whom a search names.

    Attributes:
        state: of its verdicts.
        is_acceptable: whether a study would say that the demand is met as far as can be told.
        is_initial: whether it is the initial network.
        regret: on test, in %; None where it breaks a limit there.
    """

    state: VerdictState
    is_acceptable: bool
    is_initial: bool
    regret: float | None


@dataclass(frozen=True)
class Played:
    """A search that went on after its end; lists have an entry for each evaluation.

    Attributes:
        group: of its table.
        said: what going on was expected to gain before it; None where that was not told.
        best: the best reward that was heard within the limits after it; None while there is none.
        regrets: on validation, in %.
        end: how many evaluations `auto` makes.
        winner: then; None of tables without samples.
    """

    group: str
    said: tuple[float | None, ...]
    best: tuple[float | None, ...]
    regrets: tuple[float, ...]
    end: int
    winner: Winner | None


def play(make: replays.Contender, cell: replays.Cell, seed: int, episodes: int) -> Played | None:
    """One search; None where no plan keeps the limits of the cell on validation."""
    table = cell.source.draw(seed)
    judge = stored_optima().judge(cell.source, table, cell.demand, VALIDATION)
    if not judge.has_optimum:
        return None
    contest = replays.Contest(table, cell.demand, seed)
    sampler = make(contest.context)
    heard = [*contest.context.history]
    ending = Ending(Episodes(None), 0, 0)
    said: list[float | None] = []
    best: list[float | None] = []
    regrets: list[float] = []
    end, winner = None, None
    for _ in range(replays.ASKS_A_TURN * episodes):
        plan = sampler.ask() if len(best) < episodes else Stop("long enough")
        is_over = isinstance(plan, Stop)
        if not is_over:
            ending.hear(sampler.expected_gain())
        if end is None and (is_over or not ending.is_worth_it):
            end, winner = len(best), _winner(cell, table, contest, sampler, heard)
        if isinstance(plan, Stop):
            break
        skipped = contest.skipped(plan)
        scored = skipped or contest.scored(plan)
        sampler.tell(scored)
        ending.tell()
        if skipped is not None:
            continue
        said.append(ending.gain)
        heard.append(scored)
        kept = [one for one in heard if one.reward.is_feasible]
        first = min(kept, key=lambda one: one.rank, default=None)
        best.append(None if first is None else first.reward.total)
        found = None if first is None else judge.regret(first.plan)
        regrets.append(WORST if found is None else found)
    assert end is not None
    return Played(cell.source.group, tuple(said), tuple(best), tuple(regrets), end, winner)


def _winner(
    cell: replays.Cell,
    table: object,
    contest: replays.Contest,
    sampler: Sampler,
    heard: Sequence[ScoredTrial],
) -> Winner | None:
    """As a study would name it."""
    if not isinstance(table, RecordedTable):
        return None
    judge = stored_optima().judge(cell.source, table, cell.demand, TEST)
    if not judge.has_optimum:
        return None
    concluded = conclusion(table, contest, sampler, heard)
    plan = concluded.winner.trial.plan
    return Winner(
        concluded.of_winner.state,
        concluded.is_acceptable,
        plan == CompressionPlan(),
        judge.regret(plan),
    )


def conclusion(
    table: RecordedTable,
    contest: replays.Contest,
    sampler: Sampler,
    heard: Sequence[ScoredTrial],
) -> Conclusion:
    """The end of a search, with its tests of finalists; the initial network was heard first."""
    [goal] = contest.context.goals
    journal = _Memory(JournalContent())
    trials = [_kept(table, journal.content, one) for one in heard]
    complete = [one for one in trials if one.trial.state is TrialState.COMPLETE]
    qualities = {
        one.trial.plan.key: quality
        for one in complete
        if (quality := sampler.believed_quality(one.trial.plan)) is not None
    }
    baseline = trials[0]
    scorer = SimpleNamespace(demand=goal.demand, limits=goal.limits, baseline=baseline)
    scale = journal.content.scale
    [found] = conclude(
        [
            Contest(
                Judge(goal.demand.max_accuracy_loss, goal.limits, baseline, journal.content),
                StudyResult(goal.limits, baseline, tuple(trials), scale),
                believed=believed_rewards(trials, scorer, scale, qualities),
            )
        ],
        journal,
        lambda scored: table.scores(scored.trial.plan, HELD),
    )
    return found


@dataclass(frozen=True)
class _Memory:
    """A journal that is not written."""

    content: JournalContent

    def add(self, value: HeldTest) -> None:
        self.content.take(value)


def _kept(table: RecordedTable, content: JournalContent, heard: ScoredTrial) -> GoalScore:
    """A trial as a journal would have it."""
    [score] = heard.scores
    trial = score.trial
    if trial.state is not TrialState.COMPLETE:
        return score
    digest = hashlib.sha256(trial.plan.key.encode()).hexdigest()
    key = content_key("of a table", trial.plan)
    content.take(
        Artifact(key, trial.plan.key, digest, 1, trial.accuracy, trial.scores, table.space.model)
    )
    content.take(TrialRecord(trial.plan, key))
    return replace(score, trial=replace(trial, model_sha256=digest))
