"""What a run's folder tells of each device: trials with costs, winner, finalists.

Costs are made of the journal's measurements; where it can't be read plan.json tells of the winner
and the initial network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adadeep.core.demand import UserDemand
from adadeep.core.display import one_line
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.report.final_table import PlanRow
from adadeep.storage.records import HeldTest, JournalContent, TargetRecord
from adadeep.storage.run_folder import PlanTarget, PlanTrial
from adadeep.study.contest import Contest, contest_of
from adadeep.study.finalists import Conclusion, conclusion_of
from adadeep.study.runs import KnownRun, RunState, winner_text
from adadeep.study.table import INITIAL_LABEL, demand_text, front_rows, standing_rows
from adadeep.study.trials import LimitMissing, TargetScorer, missing_source

# A source that is not installed; numbers of a foreign journal that no formula takes.
_UNTOLD = (AdaDeepError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Standing:
    """The trials on a device as far as the search has come.

    Attributes:
        contest: who competes.
        conclusion: the winner, or the best so far.
    """

    contest: Contest
    conclusion: Conclusion


@dataclass(frozen=True, slots=True)
class TargetView:
    """What is known of a device.

    Attributes:
        title: of the device.
        record: of the journal; None where only plan.json tells of it.
        concluded: of plan.json; None where no search has ended for it.
        demand: the last one there; None where none is known.
        standing: None where costs can't be told.
        problem: why they can't be; None if they can, or only plan.json tells of it.
    """

    title: str
    record: TargetRecord | None
    concluded: PlanTarget | None
    demand: UserDemand | None = None
    standing: Standing | None = None
    problem: str | None = None

    def rows(self, count: int) -> list[PlanRow]:
        """The initial network, the winner (or best so far), and so many plans in all."""
        if self.standing is not None:
            result, conclusion = self.standing.contest.result, self.standing.conclusion
            return standing_rows(result, conclusion, self.tests, count)
        return _concluded_rows(self.concluded) if self.concluded else []

    @property
    def front(self) -> list[PlanRow]:
        """The plans that no other beats in everything; empty where costs can't be told."""
        if self.standing is None:
            return []
        standing = self.standing
        return front_rows(standing.contest.result, standing.conclusion, self.tests)

    @property
    def tests(self) -> dict[str, float | None]:
        """By plan key, accuracies on the test data, as far as a search has ended."""
        if self.concluded is None:
            return {}
        both = (self.concluded.best, self.concluded.initial)
        return {trial.key: trial.test_accuracy for trial in both}

    @property
    def scale(self) -> Scale:
        """What accuracies mean."""
        if self.standing is not None:
            return self.standing.contest.result.scale
        return self.concluded.metric if self.concluded else ACCURACY_SCALE

    @property
    def verdicts(self) -> Verdicts | None:
        """What can be said of the winner, or of the best so far."""
        if self.standing is not None:
            return self.standing.conclusion.of_winner
        return self.concluded.best.verdicts if self.concluded else None

    @property
    def states(self) -> dict[str, int]:
        """How many trials are complete, failed and so on; empty where costs can't be told."""
        trials = self.standing.contest.result.trials if self.standing else ()
        return dict(Counter(str(scored.trial.state) for scored in trials))


@dataclass(frozen=True, slots=True)
class FinalistView:
    """A finalist.

    Attributes:
        label: of its plan, short, with its number.
        test: on the held-back samples.
        loss: of accuracy against the initial network; None where it can't be told.
    """

    label: str
    test: HeldTest
    loss: Verdict | None


@dataclass(frozen=True, slots=True)
class RunView:
    """What a run's folder tells.

    Attributes:
        known: of it.
        targets: the devices of the journal, then those that only plan.json tells of.
        finalists: all that were ever tested, in the order of testing.
    """

    known: KnownRun
    targets: tuple[TargetView, ...]
    finalists: tuple[FinalistView, ...]

    @classmethod
    def of(cls, known: KnownRun) -> RunView:
        """Looks through its trials."""
        content = known.journal or JournalContent()
        concluded = {target.key: target for target in known.concluded}
        views = [
            _of_journal(known, content, record, concluded.get(key))
            for key, record in content.targets.items()
        ]
        views += [
            TargetView(one_line(target.device_title) or "unnamed device", None, target)
            for key, target in concluded.items()
            if key not in content.targets
        ]
        tests = sorted(content.held_tests.values(), key=lambda test: test.number)
        finalists = [
            FinalistView(_label(content, test), test, _loss(views, test))
            for test in tests
            if test.number
        ]
        return cls(known, tuple(views), tuple(finalists))

    @property
    def networks(self) -> tuple[str, ...]:
        """Hashes of the models of trials and remakings, whether they are kept or not."""
        content = self.known.journal or JournalContent()
        found = [content.artifact_of(key) for key in content.trials]
        found += [content.remade_artifact(key) for key in content.remade]
        return tuple(dict.fromkeys(artifact.model_sha256 for artifact in found if artifact))

    @property
    def taken(self) -> dict[str, int]:
        """Names of the runs that networks were taken from, and how many from each."""
        content = self.known.journal or JournalContent()
        found = (content.artifact_of(key) for key in content.trials)
        names = (artifact.taken_from for artifact in found if artifact)
        return dict(Counter(name for name in names if name is not None))

    @property
    def networks_kept(self) -> int:
        """How many of them are in `models/`."""
        return sum(self.known.folder.models.has(sha256) for sha256 in self.networks)


def _of_journal(
    known: KnownRun, content: JournalContent, record: TargetRecord, concluded: PlanTarget | None
) -> TargetView:
    demand = _demands(known, content, record.key).get(record.key)
    view = TargetView(one_line(record.target.device_title), record, concluded, demand)
    try:
        standing = standing_of(known, record)
    except ConfigError as error:
        return replace(view, problem=str(error))
    if standing is None:
        return replace(view, problem="the initial network is not measured there")
    if known.state is RunState.FINISHED and concluded is not None:
        standing = _as_concluded(standing, concluded)
    return replace(view, standing=standing)


def standing_of(known: KnownRun, record: TargetRecord) -> Standing | None:
    """The trials on a target of the journal; None where nothing can be ranked yet.

    Raises:
        ConfigError: costs can't be told.
    """
    content = known.journal or JournalContent()
    return standing_under(known, record, _demands(known, content, record.key))


def standing_under(
    known: KnownRun, record: TargetRecord, demands: Mapping[str, UserDemand]
) -> Standing | None:
    """The trials on a target of the journal, held against a demand.

    Args:
        known: the run.
        record: of its journal.
        demands: of all targets, by key.

    Returns:
        None where none is wanted there, or the initial network is not measured.

    Raises:
        ConfigError: costs can't be told.
    """
    content = known.journal or JournalContent()
    if record.key not in demands:
        return None
    if missing := missing_source(content, record):
        raise ConfigError(f"{missing}; install it.")
    try:
        scorer = TargetScorer.of(content, record, demands[record.key])
        if scorer is None:
            return None
        contest = contest_of(content, known.folder.models, scorer, demands.values())
        return Standing(contest, conclusion_of(contest))
    except LimitMissing:
        raise
    except _UNTOLD as error:
        raise ConfigError(
            f"costs on {one_line(record.target.device_title)} can't be told"
            f" ({one_line(str(error))}); install what the search was made with, or restore the"
            " folder from a copy."
        ) from error


def _demands(known: KnownRun, content: JournalContent, target: str) -> dict[str, UserDemand]:
    """What was wanted on every target when that one was searched for last.

    A search that asked for nothing new has left its demand in plan.json alone.
    """
    concluded = {one.key: one.demand for one in known.concluded if one.demand is not None}
    if known.state is RunState.FINISHED and target in concluded:
        return concluded
    sessions = (asks.session.demands for asks in reversed(content.sessions))
    return next((demands for demands in sessions if target in demands), {})


def _as_concluded(standing: Standing, concluded: PlanTarget) -> Standing:
    """With the winner that plan.json names."""
    trials = standing.contest.result.trials
    named = [s for s in trials if s.trial.plan.key == concluded.best.key and s.trial.cost]
    if not named:
        return standing
    return replace(standing, conclusion=replace(standing.conclusion, winner=named[0]))


def _concluded_rows(concluded: PlanTarget) -> list[PlanRow]:
    initial, best = concluded.initial, concluded.best
    said = demand_text(initial.verdicts) if initial.verdicts else "-"
    rows = [_row(initial, INITIAL_LABEL, said)]
    if best.key != initial.key:
        row = _row(best, f"winner {one_line(best.plan.short_label)}", winner_text(concluded))
        rows.append(replace(row, settings=f"winner: {one_line(best.label)}"))
    return [replace(row, scale=concluded.metric) for row in rows]


def _row(trial: PlanTrial, label: str, demand: str) -> PlanRow:
    return PlanRow(
        label=label,
        accuracy=trial.accuracy,
        test_accuracy=trial.test_accuracy,
        cost=trial.cost,
        reward=trial.reward.total if trial.reward else None,
        demand=demand,
    )


def _label(content: JournalContent, test: HeldTest) -> str:
    record = content.trials.get(test.plan_key)
    if record is None:
        return test.plan_key
    number = list(content.trials).index(test.plan_key)
    return one_line(f"#{number} {record.plan.short_label}")


def _loss(views: Sequence[TargetView], test: HeldTest) -> Verdict | None:
    found = (view.standing.conclusion.verdicts.get(test.plan_key)
             for view in views if view.standing)  # fmt: skip
    return next((verdicts.accuracy_loss for verdicts in found if verdicts), None)
