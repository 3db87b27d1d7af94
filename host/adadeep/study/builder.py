"""The composition root: from a StudyConfig and devices to a finished search."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adadeep import __version__
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS, of_a_search
from adadeep.core.cost_source import ENERGY
from adadeep.core.errors import DemandUnmet, Interrupted, TransientDeviceError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.plan_text import PlanText
from adadeep.core.registry import Registry
from adadeep.core.sampler import Sampler
from adadeep.core.search import Goal, ScoredTrial, SearchContext, TargetKnowledge
from adadeep.core.space import PrecisionChoice, SearchSpace, build_space
from adadeep.core.transport import Transport
from adadeep.cost.analytic import ANALYTIC
from adadeep.cost.registry import COST_SOURCES
from adadeep.devices.agent_kinds.registry import AGENT_KINDS
from adadeep.search.registry import SAMPLERS
from adadeep.storage.artifacts import MODELS, ArtifactStore
from adadeep.storage.initials import initials_folder
from adadeep.storage.native_log import native_log
from adadeep.storage.records import Session
from adadeep.storage.run_folder import INITIAL_NETWORK
from adadeep.storage.scratch import give_keras_a_home, scratch_folder
from adadeep.storage.siblings import SiblingRuns
from adadeep.study.bench import Bench, open_bench
from adadeep.study.choices import Choices, NothingToChoose, OwnPlansFirst
from adadeep.study.config import StudyConfig
from adadeep.study.crew import StudyCrew
from adadeep.study.ending import Ending
from adadeep.study.episodes import Episodes
from adadeep.study.executors.registry import EXECUTORS
from adadeep.study.expected_time import GUESSED, with_expected_time
from adadeep.study.jobs import Executor, ExecutorKind
from adadeep.study.known import KnownBeforehand, Skip, ruled_out
from adadeep.study.measurer import Workplace
from adadeep.study.observer import StudyObserver
from adadeep.study.outcome import Outcome
from adadeep.study.pipeline import Pipeline
from adadeep.study.plugins import missing, taking_part
from adadeep.study.study import Study
from adadeep.study.takeover import Takeover, name_of_run
from adadeep.study.trainer import Trainer
from adadeep.study.unreachable import is_met_already, unreachable
from adadeep.study.worker_messages import OpenTask
from adadeep.training.registry import TASKS


def search(
    config: StudyConfig, transports: Sequence[Transport], observer: StudyObserver
) -> Outcome:
    """Runs a search, or goes on with the one in its folder, and writes its outcome there.

    The settings, the folder and the devices are checked before anything is trained.

    Args:
        config: what is asked for.
        transports: to the devices, at least one.
        observer: is told what happens.

    Raises:
        ConfigError: a setting is wrong, the folder can't be used or holds another search.
        DeviceError: a device can't measure, or the last one went away; the same call goes on
            later.
        Interrupted: Ctrl-C; the same call goes on later.
    """
    config.validate(TASKS)
    give_keras_a_home()
    with open_bench(config, transports, observer) as bench:
        try:
            with (
                scratch_folder(),
                native_log(bench.folder),
                _trainer(config, bench, observer) as it,
            ):
                bench.journal.complete(it.opened.about)
                for note in it.opened.notes:
                    observer.note(note)
                return _Search(config, bench, it, _others(config, bench), observer).run()
        except KeyboardInterrupt:
            raise Interrupted(_resumable(bench)) from None
        except TransientDeviceError as error:
            raise TransientDeviceError(f"{error} {_resumable(bench)}") from error


def _others(config: StudyConfig, bench: Bench, is_whole: bool = True) -> SiblingRuns | None:
    """The runs that networks are taken from; None where all are to be made anew."""
    if config.fresh:
        return None
    return SiblingRuns(bench.folder.absolute(), bench.journal.content.study, is_whole)


@contextlib.contextmanager
def _trainer(config: StudyConfig, bench: Bench, observer: StudyObserver) -> Iterator[Trainer]:
    others = _others(config, bench, is_whole=config.own is None)
    # Else what is there is of another search.
    goes_on = bool(bench.journal.content.artifacts)
    opening = OpenTask(
        task=config.task,
        seed=config.seed,
        initial=str(bench.folder.absolute() / INITIAL_NETWORK),
        goes_on=goes_on,
        others=tuple(others.initials(config.seed)) if others and not goes_on else (),
        own=config.own,
        cache=None if config.fresh else str(initials_folder()),
    )
    trainer = Trainer(opening, observer.stage)
    try:
        yield trainer
    finally:
        trainer.close()


@dataclass(slots=True)
class _Search:
    """One run of a search, from its parts to its outcome."""

    config: StudyConfig
    bench: Bench
    trainer: Trainer
    others: SiblingRuns | None
    observer: StudyObserver
    store: ArtifactStore = field(init=False)
    choices: Choices = field(init=False)
    known_costs: KnownBeforehand = field(init=False)
    knowledge: dict[str, TargetKnowledge] = field(init=False)

    def __post_init__(self) -> None:
        self.store = ArtifactStore(self.bench.folder.absolute() / MODELS)
        techniques = list(TECHNIQUES.usable().values())
        initial = self.trainer.opened.spec
        config = self.config
        named = (*config.only, *(PlanText.read(text).precision for text in config.tries))
        whole = build_space(initial, techniques, of_a_search(named))
        self.choices = Choices.of(whole, config.tries, config.keep, config.only)
        records = (device.record for device in self.bench.devices.values())
        by_formula = all(record.sources[ENERGY] == ANALYTIC.name for record in records)
        self.known_costs = KnownBeforehand(initial, by_formula)
        self.knowledge = self._knowledge()

    @property
    def space(self) -> SearchSpace:
        return self.choices.space

    def run(self) -> Outcome:
        kind = self._executor_kind()
        session = self._session(kind)
        crew = StudyCrew(
            self.trainer, self.bench.devices, self.store, self.observer.stage, self.observer.note
        )
        pipeline = Pipeline(self._workplace(kind.make(crew)), self.bench.devices)
        study = Study(
            self.bench.journal, pipeline, session, self._sampler, self._ruled_out,
            self.trainer.opened.fine_tuning_s,
        )  # fmt: skip
        episodes = Episodes(self.config.episodes, self.bench.until, session.look_ahead)
        run = study.run(episodes, self.observer)
        ending = Ending(self.bench, self.trainer, self.store, pipeline, self.observer, run)
        return ending.conclude(self.config.task, session, self.config.episodes)

    def _workplace(self, executor: Executor) -> Workplace:
        opened, journal = self.trainer.opened, self.bench.journal
        place = Workplace(
            journal, self.store, executor, opened.basis, self.observer.stage, self.observer.note,
            statistics={key: own.latency_statistic for key, own in self.bench.demands.items()},
        )  # fmt: skip
        if self.others is not None:
            takeover = Takeover(self.others, self.store, journal.content)
            place = replace(place, elsewhere=takeover)
        if opened.taken is not None:
            name = name_of_run(Path(opened.taken).parent)
            self.observer.note(f"the initial network is taken from run {name}, not trained again.")
            place = replace(place, initial_from=name)
        return place

    def _knowledge(self) -> dict[str, TargetKnowledge]:
        """By target key, with what profiles let expect; that this is used is said once."""
        say = functools.cache(lambda: self.observer.note(GUESSED))
        return {
            key: with_expected_time(
                self.bench.knowledge[key], device.record.target, self.space,
                self.known_costs.network, say,
            )
            for key, device in self.bench.devices.items()
        }  # fmt: skip

    def _executor_kind(self) -> ExecutorKind:
        """Training would disturb what is measured on the same computer: there they take turns."""
        suits = "serial" if self.bench.is_this_computer else "overlapped"
        return EXECUTORS.get(self.config.executor or suits)

    def _session(self, kind: ExecutorKind) -> Session:
        sampler = SAMPLERS.get(self.config.sampler)
        session = Session(
            sampler=self.config.sampler,
            preset=self.config.preset or sampler.presets[0],
            seed=self.config.seed,
            look_ahead=self.config.look_ahead or kind.look_ahead,
            demands=self.bench.demands,
            space=self.choices.key,
            adadeep_version=__version__,
            plugins=taking_part(self._uses(kind)),
            keep=self.config.keep,
            only=self.config.only,
            own=None if self.config.own is None else replace(self.config.own, trust_model=False),
        )
        session = self.choices.begun_with(session, self.bench.journal.content)
        self._compare(session)
        return session

    def _compare(self, session: Session) -> None:
        """Says what is another than it was; the search goes on."""
        content = self.bench.journal.content
        for sentence in missing(content.plugins):
            self.observer.note(sentence)
        if left := self.choices.left_out(content, self.config.episodes):
            self.observer.note(
                f"of the plans to --try {left} will not be tried: --episodes"
                f" {self.config.episodes} are too few, {content.asked} are asked for already."
            )
        earlier = content.sessions
        if not earlier:
            return
        last = earlier[-1].session
        if last.space != session.space:
            self.observer.note("there are other techniques or settings to choose than before.")
        if last.adadeep_version != session.adadeep_version:
            self.observer.note(f"this folder was last searched by adadeep {last.adadeep_version}.")

    def _uses(self, kind: ExecutorKind) -> list[tuple[Registry[Any], Iterable[str]]]:
        """Names in every registry of what takes part."""
        actions = self.space.actions
        records = [device.record for device in self.bench.devices.values()]
        return [
            (TECHNIQUES, [one.technique for one in actions if isinstance(one, LayerChoice)]),
            (PRECISIONS, [one.name for one in actions if isinstance(one, PrecisionChoice)]),
            (SAMPLERS, [self.config.sampler]),
            (COST_SOURCES, [name for record in records for name in record.sources.values()]),
            (EXECUTORS, [kind.name]),
            (AGENT_KINDS, [record.target.agent for record in records]),
            *self.config.subject.parts(self.bench.journal.content.scale.name),
        ]

    def _sampler(self, goals: tuple[Goal, ...], baseline: ScoredTrial) -> Sampler:
        self._require_reachable(goals)
        session = self.bench.journal.content.sessions[-1].session
        context = SearchContext(
            space=self.space,
            goals=goals,
            seed=session.seed,
            preset=session.preset,
            known_costs=self.known_costs,
            targets=tuple(self.knowledge[goal.target] for goal in goals),
            history=(baseline,),
            scale=self.bench.journal.content.scale,
        )
        if not self.space.points:
            return NothingToChoose()
        sampler = SAMPLERS.get(session.sampler).make(context)
        return OwnPlansFirst(sampler, session.own_plans) if session.own_plans else sampler

    def _require_reachable(self, goals: Sequence[Goal]) -> None:
        """Ends the search where nothing that it may try can keep the limits of any goal.

        Raises:
            DemandUnmet: so it is; the message names the limits and the nearest plan.
        """
        known = self.known_costs
        found = unreachable(self.space, goals, known, known.at_least)
        if found and not is_met_already(self.bench.journal.content, goals):
            raise DemandUnmet(f"no plan can meet the demand: {found.text}. Relax that limit.")

    def _ruled_out(self, plan: CompressionPlan, goals: Sequence[Goal]) -> Skip | None:
        return ruled_out(plan, goals, self.known_costs)


def _resumable(bench: Bench) -> str:
    tried = len(bench.journal.content.trials)
    return (
        f"{tried} {'plan is' if tried == 1 else 'plans are'} kept in {bench.folder}; the same "
        "command goes on from there."
    )
