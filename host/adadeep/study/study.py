"""The loop of a search: ask, evaluate, score, tell.

What comes of it is every trial of the journal, whoever asked for it: a shorter search in the
folder of a longer one loses nothing.

A session (a sampler, its seed, the demands) goes on where it ended: the sampler starts from its
seed, is told what earlier sessions found, and is asked again; as its asks are those of the journal
it hears what came of them, and no more than it heard then: what it was told is journalled by the
targets that had measured the plan. Where they are not (another space, another version), another
session begins, whose sampler hears all that is known as history. Asks are journalled as they are
made, and told in that order; how many may be open at a time is a setting, so that the same
look-ahead gives the same plans, however the work is carried out.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.sampler import Sampler, believed_quality, expected_gain
from adadeep.core.search import Goal, ScoredTrial, Stop
from adadeep.storage.journal import Journal
from adadeep.storage.records import Ask, JournalContent, Session, Told, TrialRecord
from adadeep.study.episodes import NOT_WORTH_IT, Ending, Episodes
from adadeep.study.known import Skip
from adadeep.study.measuring import drift_of
from adadeep.study.observer import StudyObserver, TrialEvent
from adadeep.study.pipeline import Pipeline
from adadeep.study.price import Price, price_of
from adadeep.study.trials import INITIAL, TargetScorer, measured_on, scored

Skipped = Callable[[CompressionPlan, Sequence[Goal]], "Skip | None"]


@dataclass(frozen=True, slots=True)
class StudyRun:
    """What one run of a study came to.

    Attributes:
        scorers: of the targets on which the initial network runs, in the order of the demands.
        skipped: plans that known costs ruled out, and why.
        asked: how many plans were asked for in the folder, in all its sessions.
        stop: why no other plan was asked for; None where so many were wanted or could be asked
            for in time.
        left: titles of devices that left meanwhile.
        believed: by plan key, qualities as the sampler believes them, their luck taken out; of
            those that it can tell.
    """

    scorers: tuple[TargetScorer, ...]
    skipped: tuple[tuple[CompressionPlan, Skip], ...]
    asked: int
    stop: str | None
    left: tuple[str, ...]
    believed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Open:
    """An ask that is not told yet."""

    number: int
    plan: CompressionPlan
    known: bool
    skip: Skip | None


class Study:
    """A search.

    Args:
        journal: of its folder.
        pipeline: evaluates plans.
        session: who chooses them, and for what demands (by target key, in the user's order).
        make_sampler: from the goals and the initial network; called once it is measured.
        skipped: whether known costs rule a plan out.
        fine_tuning_s: about what training a plan's network takes; None where that is not known.
    """

    def __init__(
        self,
        journal: Journal,
        pipeline: Pipeline,
        session: Session,
        make_sampler: Callable[[tuple[Goal, ...], ScoredTrial], Sampler],
        skipped: Skipped = lambda _plan, _goals: None,
        fine_tuning_s: float | None = None,
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._session = session
        self._make_sampler = make_sampler
        self._skipped = skipped
        self._fine_tuning_s = fine_tuning_s
        self._scorers: tuple[TargetScorer, ...] = ()
        self._skips: dict[str, tuple[CompressionPlan, Skip]] = {}

    def run(self, episodes: Episodes, observer: StudyObserver) -> StudyRun:
        """Runs all episodes that the folder has not had yet.

        Raises:
            AdaDeepError: the initial network itself can't be converted or measured.
            ConfigError: it can't run on the device, and a limit that it would have set is missing.
            DeviceError: the last device is gone; the same search goes on later.
        """
        asks = self._begin_session()
        baseline = self._baseline(episodes, observer)
        self._pipeline.catch_up(tuple(self._content.trials.values()))
        self._tell_limits(observer)
        best = self._best_of_journal(baseline)
        self.prefer(best)
        loop = _Loop(self, episodes, observer, best)
        sampler = self._sampler(baseline)
        try:
            stop = loop.run(sampler, asks)
        except _AsksOtherwiseError:
            observer.note("the sampler asks otherwise than before; it goes on from what is known.")
            self._journal.defer(self._session)
            sampler = self._sampler(baseline)
            stop = loop.run(sampler, [])
        return StudyRun(
            self._scorers,
            tuple(self._skips.values()),
            self._content.asked,
            stop,
            self._pipeline.left,
            self._believed(sampler),
        )

    def _tell_limits(self, observer: StudyObserver) -> None:
        content = self._content
        for scorer in self._scorers:
            title, key = scorer.target.target.device_title, scorer.target.key
            if key in content.units:
                observer.unit(title, content.units[key], drift_of(content, key))
            observer.limits(title, scorer.limits, content.scale)

    @property
    def own_plans(self) -> int:
        """How many of the user's plans are asked for first."""
        return len(self._session.own_plans)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Of the targets on which the initial network runs."""
        return tuple(Goal(s.target.key, s.demand, s.limits) for s in self._scorers)

    def open(self, number: int, plan: CompressionPlan, is_new: bool) -> _Open:
        """Begins with a plan that the sampler asks for."""
        known = self._pipeline.known(plan) is not None
        skip = None if known or plan == INITIAL else self._skipped(plan, self.goals)
        if is_new:
            self._journal.add(Ask(number, plan))
        if skip is None:
            self._pipeline.begin(plan)
        return _Open(number, plan, known, skip)

    def outcome(self, ask: _Open) -> ScoredTrial:
        """What came of a plan, waited for; what was heard of it before is all that is heard."""
        if ask.skip is None:
            return self._heard(self._pipeline.finish(ask.plan), ask.number)
        self._skips[ask.plan.key] = ask.plan, ask.skip
        violations = ask.skip.violations
        return ScoredTrial(
            tuple(s.skipped(ask.plan, ask.skip.reason, violations[s.target.key])
                  for s in self._scorers)
        )  # fmt: skip

    def prefer(self, best: ScoredTrial) -> None:
        """Has candidates to come measured beside the best plan so far."""
        self._pipeline.prefer(None if best.plan == INITIAL else best.scores[0].trial.model_sha256)

    def price(self, plans: int, episodes: Episodes) -> Price:
        """About what so many plans will take."""
        devices = len(self._pipeline.attached)
        return price_of(self._content, plans, self._fine_tuning_s, devices, episodes.until)

    def _heard(self, record: TrialRecord, number: int = 0) -> ScoredTrial:
        """What the sampler hears of a plan: as it did before, else all that is known.

        Args:
            record: of the plan.
            number: of the ask; 0 of what was known before the session.
        """
        session = self._content.sessions[-1]
        told = session.told.get(number or record.plan.key)
        if told is None:
            known = measured_on(self._content, record, self._scorers)
            told = Told(number, known, None if number else record.plan.key)
            if number:
                self._journal.add(told)
            elif len(known) < len(self._scorers):
                self._journal.defer(told)
        return scored(self._content, record, self._scorers, told.targets)

    def _believed(self, sampler: Sampler) -> dict[str, float]:
        scale, found = self._content.scale, {}
        for key, record in self._content.trials.items():
            quality = believed_quality(sampler, record.plan)
            if quality is not None and scale.low <= quality <= scale.high:
                found[key] = quality
        return found

    @property
    def scale(self) -> Scale:
        """What accuracies mean."""
        return self._content.scale

    @property
    def asked(self) -> int:
        """How many plans were asked for in the folder."""
        return self._content.asked

    def _sampler(self, baseline: ScoredTrial) -> Sampler:
        """A fresh sampler that was told what was known before the session."""
        sampler = self._make_sampler(self.goals, baseline)
        before = self._content.sessions[-1].trials_before
        for record in list(self._content.trials.values())[:before]:
            if record.plan != INITIAL:
                sampler.tell(self._heard(record))
        return sampler

    @property
    def _content(self) -> JournalContent:
        return self._journal.content

    def _begin_session(self) -> list[Ask]:
        """The asks of the last session if this one goes on with it; else none, and a new one."""
        sessions = self._content.sessions
        if sessions and sessions[-1].session.goes_on(self._session):
            return list(sessions[-1].asks)
        self._journal.defer(self._session)
        return []

    def _baseline(self, episodes: Episodes, observer: StudyObserver) -> ScoredTrial:
        known = self._pipeline.known(INITIAL) is not None
        self._pipeline.begin(INITIAL)
        record = self._pipeline.finish(INITIAL)
        without = self._find_scorers()
        if not self._scorers:
            lost = "its model has gone from the run's folder; begin anew in another (-o)."
            reason = record.reason or next(iter(record.failures.values()), lost)
            lacking = [error for error in without.values() if error is not None]
            raise (
                lacking[0]
                if lacking
                else AdaDeepError(f"the initial network can't be used: {reason}")
            )
        for key, lack in without.items():
            title = self._content.targets[key].target.device_title
            reason = record.failures.get(key, "it is not measured there yet")
            why = lack or f"the initial network can't be used there: {reason}"
            observer.note(f"{title} is left out: {why}")
        baseline = scored(self._content, record, self._scorers)
        scale = self._content.scale
        observer.trial(TrialEvent(0, episodes.count, baseline, baseline, known, scale=scale))
        return baseline

    def _find_scorers(self) -> dict[str, ConfigError | None]:
        """Of the targets where limits are known; of the others, by key, which one is missing."""
        found, without = [], dict[str, ConfigError | None]()
        for key, demand in self._session.demands.items():
            try:
                scorer = TargetScorer.of(self._content, self._content.targets[key], demand)
            except ConfigError as error:
                without[key] = error
                continue
            if scorer is None:
                without[key] = None
            else:
                found.append(scorer)
        self._scorers = tuple(found)
        return without

    def _best_of_journal(self, baseline: ScoredTrial) -> ScoredTrial:
        trials = [scored(self._content, r, self._scorers) for r in self._content.trials.values()]
        return min([baseline, *trials], key=lambda one: one.rank)


class _AsksOtherwiseError(Exception):
    """The sampler does not ask what the journal says that it asked."""


class _Loop:
    """Asks and tells.

    Args:
        study: evaluates what is asked for.
        episodes: how long it goes on.
        observer: is told each trial.
        best: of the journal.
    """

    def __init__(
        self, study: Study, episodes: Episodes, observer: StudyObserver, best: ScoredTrial
    ) -> None:
        self._study, self._episodes, self._observer = study, episodes, observer
        self._best = best
        self._waiting: deque[_Open] = deque()
        self._ending = Ending(episodes, 0, 0)
        self._is_priced = False

    def run(self, sampler: Sampler, asks: Sequence[Ask]) -> str | None:
        """Until all is asked and told; returns why no other plan was asked for.

        Args:
            sampler: fresh.
            asks: that it made before; it is expected to make them again.

        Returns:
            None where as many were asked for as were wanted, or the time was over.

        Raises:
            _AsksOtherwiseError: it does not.
        """
        known = deque(asks)
        before = self._study.asked - len(known)
        self._ending = Ending(self._episodes, before, self._study.own_plans)
        self._waiting.clear()
        stop = None
        for number in itertools.count(1 + before):
            while self._waiting and not self._may_ask(number, stop):
                self._tell(sampler)
            if not self._may_ask(number, stop):
                return stop or self._ending.reason(number)
            answer = sampler.ask()
            if isinstance(answer, Stop):
                stop = answer.reason
                continue
            was_asked = known.popleft() if known else None
            if was_asked is not None and was_asked.plan != answer:
                raise _AsksOtherwiseError
            self._ending.hear(expected_gain(sampler))
            if was_asked is None and not self._ending.is_worth_it:
                stop = NOT_WORTH_IT
                continue
            if was_asked is None:
                self._say_price(number, sampler)
            self._waiting.append(self._study.open(number, answer, was_asked is None))
        raise AssertionError("numbers do not end")

    def _may_ask(self, number: int, stop: str | None) -> bool:
        if stop is not None or not self._ending.may_ask(number):
            return False
        return len(self._waiting) < self._episodes.look_ahead

    def _say_price(self, number: int, sampler: Sampler) -> None:
        if self._is_priced:
            return
        self._is_priced = True
        plans = self._ending.left(number, getattr(sampler, "expected_gain", None) is not None)
        self._observer.price(self._study.price(plans, self._episodes))

    def _tell(self, sampler: Sampler) -> None:
        ask = self._waiting.popleft()
        latest = self._study.outcome(ask)
        sampler.tell(latest)
        self._ending.tell()
        self._best = min(self._best, latest, key=lambda one: one.rank)
        self._study.prefer(self._best)
        count, gain = self._episodes.count, self._ending.gain
        scale = self._study.scale
        event = TrialEvent(ask.number, count, latest, self._best, ask.known, gain, scale)
        self._observer.trial(event)
