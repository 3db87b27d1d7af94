"""The recorded trials of a run ranked anew for another demand: nothing is trained or measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adadeep.core.demand import UserDemand
from adadeep.core.device import LOCAL_SERIAL, hashed
from adadeep.core.display import one_line
from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.metric import Scale
from adadeep.core.registry import suggestion
from adadeep.core.search import GoalScore
from adadeep.profiles import files
from adadeep.report.final_table import PlanRow
from adadeep.storage.records import JournalContent, TargetRecord
from adadeep.storage.run_folder import PlanTarget
from adadeep.study.finalists import Conclusion, makes_left, next_finalist, tests_left
from adadeep.study.looser import Looser, looser_as_json, looser_limits
from adadeep.study.outcome import rivals_as_json, scored_as_json
from adadeep.study.results import StudyResult
from adadeep.study.run_view import Standing, standing_under
from adadeep.study.runs import KnownRun
from adadeep.study.table import standing_rows

ALL = "all"


@dataclass(frozen=True, slots=True)
class RankedTarget:
    """The trials on one device, held against the demand.

    Attributes:
        record: of the journal.
        demand: what is wanted there.
        standing: who competes, and the winner by the tests that there are.
        concluded: what a search has left in the folder; None if none did for this device.
    """

    record: TargetRecord
    demand: UserDemand
    standing: Standing
    concluded: PlanTarget | None = None

    @property
    def title(self) -> str:
        """Of the device."""
        return one_line(self.record.target.device_title)

    @property
    def tests(self) -> dict[str, float | None]:
        """By plan key, accuracies on the test data that a search has reported."""
        found = self.concluded
        return {one.key: one.test_accuracy for one in (found.best, found.initial)} if found else {}

    @property
    def is_delivered(self) -> bool:
        """Whether the folder holds this winner for this demand, or there is none to be held."""
        winner, found = self.conclusion.winner, self.concluded
        if not self.conclusion.is_acceptable:
            return True
        if found is None:
            return winner is self.result.baseline
        return (winner.trial.plan.key, self.demand) == (found.best.key, found.demand)

    @property
    def result(self) -> StudyResult:
        """Every trial there."""
        return self.standing.contest.result

    @property
    def conclusion(self) -> Conclusion:
        """The winner, and what can be said of each trial."""
        return self.standing.conclusion

    @property
    def scale(self) -> Scale:
        """What accuracies mean."""
        return self.result.scale

    @property
    def to_test(self) -> GoalScore | None:
        """The plan that a search for this demand would test first on held-back samples.

        None where no plan is worth a test, or the run has no test of the initial network yet, or
        the search that has ended for this demand has made all the tests that it makes.
        """
        contest, found = self.standing.contest, self.concluded
        may_make = True
        if found is not None and found.demand == self.demand:
            content = contest.judge.content
            may_make = makes_left(content) > 0
            if not tests_left(contest, content):
                return None
        return next_finalist(contest, may_make)

    @property
    def looser(self) -> tuple[Looser, ...]:
        """What looser limits would give."""
        found = self.conclusion
        return looser_limits(self.result, self.demand, found.winner, found.refuted)

    def rows(self, count: int) -> list[PlanRow]:
        """The initial network, the winner, and so many plans in all."""
        return standing_rows(self.result, self.conclusion, self.tests, count)

    def name_of(self, scored: GoalScore) -> str:
        """A plan as the table calls it."""
        number = self.result.trials.index(scored)
        return f"#{number} {one_line(scored.trial.plan.short_label)}"


@dataclass(frozen=True, slots=True)
class Ranking:
    """A run ranked anew.

    Attributes:
        folder: of the run.
        task: its name.
        content: of the journal.
        targets: at least one.
    """

    folder: Path
    task: str
    content: JournalContent
    targets: tuple[RankedTarget, ...]

    @property
    def is_acceptable(self) -> bool:
        """Whether it is so on every device."""
        return all(target.conclusion.is_acceptable for target in self.targets)

    @property
    def plans(self) -> int:
        """How many are recorded, the initial network among them."""
        return len(self.content.trials)

    @property
    def gains_by_search(self) -> bool:
        """Whether a search that asks for nothing new tests a plan, or leaves another winner."""
        return any(
            target.to_test is not None or not target.is_delivered for target in self.targets
        )


def rank_anew(
    known: KnownRun,
    demand: UserDemand,
    named: Mapping[str, UserDemand] | None = None,
    devices: Sequence[str] = (),
) -> Ranking:
    """Holds the recorded trials of a run against a demand.

    Args:
        known: the run.
        demand: on every device that has none of its own.
        named: by what a device is called: its own.
        devices: what those are called that count; empty for all of the run. A device goes by its
            serial, "local", a profile's name, its title or the target's key.

    Raises:
        ConfigError: the run holds nothing to rank, or no such device.
    """
    content = known.journal
    if content is None or known.task is None or not content.targets:
        if known.problem:
            raise ConfigError(known.problem)
        raise ConfigError(
            f"{one_line(str(known.folder.path))} holds no trials that can be ranked; name a run"
            " of this version."
        )
    chosen = _chosen(content, devices)
    demands = dict.fromkeys(chosen, demand)
    for name, own in (named or {}).items():
        for record in _called(content, name):
            if record.key not in chosen:
                raise ConfigError(f"a limit is given for {one_line(name)}; name it with -d, too.")
            demands[record.key] = own
    concluded = {target.key: target for target in known.concluded}
    ranked = (
        RankedTarget(record, demands[key], _standing(known, record, demands), concluded.get(key))
        for key, record in chosen.items()
    )
    return Ranking(known.folder.path, known.task, content, tuple(ranked))


def _standing(
    known: KnownRun, record: TargetRecord, demands: Mapping[str, UserDemand]
) -> Standing:
    standing = standing_under(known, record, demands)
    if standing is None:
        raise ConfigError(
            f"the initial network is not measured on {one_line(record.target.device_title)} in"
            " this run; go on with the search, or name another device with -d."
        )
    return standing


def _chosen(content: JournalContent, devices: Sequence[str]) -> dict[str, TargetRecord]:
    """The targets that count, by key, in the order named."""
    if not devices or ALL in devices:
        return dict(content.targets)
    return {record.key: record for name in devices for record in _called(content, name)}


def _called(content: JournalContent, name: str) -> list[TargetRecord]:
    """The targets of a device.

    Raises:
        ConfigError: the run has none of that name.
    """
    found = [record for record in content.targets.values() if _is_called(record, name)]
    if not found:
        titles = [one_line(record.target.device_title) for record in content.targets.values()]
        shown = one_line(name, 80)
        raise ConfigError(
            f"the run has no device {shown!r}.{suggestion(shown, titles)} There are:"
            f" {', '.join(dict.fromkeys(titles))}."
        )
    return found


def _is_called(record: TargetRecord, name: str) -> bool:
    facts, target = record.facts, record.target
    if name == LOCAL_SERIAL:
        return facts.is_this_computer
    if name in (record.key, facts.serial) or name.casefold() == target.device_title.casefold():
        return True
    return facts.serial == hashed(name) or target.device_fingerprint == _of_profile(name)


def _of_profile(name: str) -> str | None:
    """The fingerprint of a profile's device; None if there is no such profile."""
    try:
        return files.load_to_use(name)[0].facts.fingerprint if files.exists(name) else None
    except AdaDeepError:
        return None


def ranking_as_json(ranking: Ranking) -> dict[str, Any]:
    """For JSON: keys as in docs/json.md."""
    return {
        "run": str(ranking.folder),
        "task": ranking.task,
        "meets_demand": all(target.conclusion.meets_demand for target in ranking.targets),
        "acceptable": ranking.is_acceptable,
        "plans_tried": ranking.plans,
        "targets": [_target(target) for target in ranking.targets],
    }


def _target(target: RankedTarget) -> dict[str, Any]:
    result, conclusion = target.result, target.conclusion

    def shown(scored: GoalScore) -> dict[str, Any]:
        key = scored.trial.plan.key
        tested = {"test_accuracy": target.tests.get(key)}
        return {**scored_as_json(scored, conclusion.verdicts.get(key)), **tested}

    return {
        "key": target.record.key,
        **asdict(target.record.target),
        "provenances": target.record.provenances,
        "demand": asdict(target.demand),
        "limits": asdict(result.limits),
        "metric": asdict(target.scale),
        "meets_demand": conclusion.meets_demand,
        "acceptable": conclusion.is_acceptable,
        "best": shown(conclusion.winner),
        "as_good_as": rivals_as_json(conclusion.rivals),
        "initial": shown(result.baseline),
        "to_test": target.to_test.trial.plan.key if target.to_test else None,
        "looser": looser_as_json(target.looser),
        "front": [scored.trial.plan.key for scored in result.front],
        "trials": [shown(scored) for scored in result.trials],
    }
