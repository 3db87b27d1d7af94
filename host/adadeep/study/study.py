"""The loop of a search: ask, evaluate, score, tell.

What comes of it is every trial of the journal, whoever asked for it: a shorter search in the
folder of a longer one loses nothing.

A session (a sampler, its seed, the demands) goes on where it ended: the sampler starts from its
seed, is told what earlier sessions found, and is asked again; as its asks are those of the journal
it hears what came of them. Where they are not (another space, another version), another session
begins, whose sampler hears all that is known as history. Asks are journalled as they are made, and
told in that order; how many may be open at a time is a setting, so that the same look-ahead gives
the same plans, however the work is carried out.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from adadeep.core.clock import Deadline
from adadeep.core.errors import AdaDeepError
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits
from adadeep.core.sampler import Sampler
from adadeep.core.search import Goal, ScoredTrial, Stop
from adadeep.storage.journal import Journal
from adadeep.storage.records import Ask, JournalContent, Session
from adadeep.study.known import Skip
from adadeep.study.pipeline import Pipeline
from adadeep.study.trials import INITIAL, TargetScorer, scored

Skipped = Callable[[CompressionPlan, Sequence[Goal]], "Skip | None"]


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """A trial was told to the sampler.

    Attributes:
        number: of the episode, from 1; 0 for the initial network.
        episodes: how many there will be.
        scored: the trial and its reward.
        best: the best so far.
        known: whether it was in the journal already.
    """

    number: int
    episodes: int
    scored: ScoredTrial
    best: ScoredTrial
    known: bool


class StudyObserver(Protocol):
    """Is told what happens; shows it to the user."""

    def stage(self, text: str) -> None:
        """Something long begins: "training the initial network"."""
        ...

    def note(self, text: str) -> None:
        """Something the user should see at once: what is waited for, and how long already."""
        ...

    def limits(self, title: str, limits: Limits, scale: Scale) -> None:
        """The limits on a device, and what accuracies mean; once for each, before all episodes."""
        ...

    def trial(self, event: TrialEvent) -> None:
        """A trial is done."""
        ...


@dataclass(frozen=True, slots=True)
class Episodes:
    """How long a search goes on.

    Attributes:
        count: how many plans to ask for, at most.
        until: no plan is asked for after this moment; None for no such limit.
        look_ahead: how many asks may be open.
    """

    count: int
    until: Deadline | None = None
    look_ahead: int = 1

    @property
    def are_over(self) -> bool:
        """Whether the time is."""
        return self.until is not None and self.until.expired


@dataclass(frozen=True, slots=True)
class StudyRun:
    """What one run of a study came to.

    Attributes:
        scorers: of the targets on which the initial network runs, in the order of the demands.
        skipped: plans that known costs ruled out, and why.
        asked: how many plans were asked for in the folder, in all its sessions.
        stop: why the sampler had no other plan; None if it had.
        left: titles of devices that left meanwhile.
    """

    scorers: tuple[TargetScorer, ...]
    skipped: tuple[tuple[CompressionPlan, Skip], ...]
    asked: int
    stop: str | None
    left: tuple[str, ...]


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
    """

    def __init__(
        self,
        journal: Journal,
        pipeline: Pipeline,
        session: Session,
        make_sampler: Callable[[tuple[Goal, ...], ScoredTrial], Sampler],
        skipped: Skipped = lambda _plan, _goals: None,
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._session = session
        self._make_sampler = make_sampler
        self._skipped = skipped
        self._scorers: tuple[TargetScorer, ...] = ()
        self._skips: dict[str, tuple[CompressionPlan, Skip]] = {}

    def run(self, episodes: Episodes, observer: StudyObserver) -> StudyRun:
        """Runs all episodes that the folder has not had yet.

        Raises:
            AdaDeepError: the initial network itself can't be converted or measured.
            DeviceError: the last device is gone; the same search goes on later.
        """
        asks = self._begin_session()
        baseline = self._baseline(episodes, observer)
        self._pipeline.catch_up(tuple(self._content.trials.values()))
        for scorer in self._scorers:
            observer.limits(scorer.target.target.device_title, scorer.limits, self._content.scale)
        loop = _Loop(self, episodes, observer, self._best_of_journal(baseline))
        try:
            stop = loop.run(self._sampler(baseline), asks)
        except _AsksOtherwiseError:
            observer.note("the sampler asks otherwise than before; it goes on from what is known.")
            self._journal.defer(self._session)
            stop = loop.run(self._sampler(baseline), [])
        left, asked = self._pipeline.left, self._content.asked
        return StudyRun(self._scorers, tuple(self._skips.values()), asked, stop, left)

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
        """What came of a plan, waited for."""
        if ask.skip is None:
            return scored(self._content, self._pipeline.finish(ask.plan), self._scorers)
        self._skips[ask.plan.key] = ask.plan, ask.skip
        violations = ask.skip.violations
        return ScoredTrial(
            tuple(s.skipped(ask.plan, ask.skip.reason, violations[s.target.key])
                  for s in self._scorers)
        )  # fmt: skip

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
                sampler.tell(scored(self._content, record, self._scorers))
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
        found = {
            key: TargetScorer.of(self._content, self._content.targets[key], demand)
            for key, demand in self._session.demands.items()
        }
        self._scorers = tuple(scorer for scorer in found.values() if scorer is not None)
        if not self._scorers:
            lost = "its model has gone from the run's folder; begin anew in another (-o)."
            reason = record.reason or next(iter(record.failures.values()), lost)
            raise AdaDeepError(f"the initial network can't be used: {reason}")
        for key in (key for key, scorer in found.items() if scorer is None):
            title = self._content.targets[key].target.device_title
            reason = record.failures.get(key, "it is not measured there yet")
            observer.note(
                f"{title} is left out: the initial network can't be used there: {reason}"
            )
        baseline = scored(self._content, record, self._scorers)
        observer.trial(TrialEvent(0, episodes.count, baseline, baseline, known))
        return baseline

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

    def run(self, sampler: Sampler, asks: Sequence[Ask]) -> str | None:
        """Until all is asked and told; returns why the sampler stopped, None if it did not.

        Args:
            sampler: fresh.
            asks: that it made before; it is expected to make them again.

        Raises:
            _AsksOtherwiseError: it does not.
        """
        known = deque(asks)
        first = 1 + self._study.asked - len(known)
        self._waiting.clear()
        stop = None
        for number in itertools.count(first):
            while self._waiting and not self._may_ask(number, stop):
                self._tell(sampler)
            if not self._may_ask(number, stop):
                return stop
            answer = sampler.ask()
            if isinstance(answer, Stop):
                stop = answer.reason
                continue
            was_asked = known.popleft() if known else None
            if was_asked is not None and was_asked.plan != answer:
                raise _AsksOtherwiseError
            self._waiting.append(self._study.open(number, answer, was_asked is None))
        raise AssertionError("numbers do not end")

    def _may_ask(self, number: int, stop: str | None) -> bool:
        episodes = self._episodes
        if stop is not None or number > episodes.count or episodes.are_over:
            return False
        return len(self._waiting) < episodes.look_ahead

    def _tell(self, sampler: Sampler) -> None:
        ask = self._waiting.popleft()
        latest = self._study.outcome(ask)
        sampler.tell(latest)
        self._best = min(self._best, latest, key=lambda one: one.rank)
        count = self._episodes.count
        self._observer.trial(TrialEvent(ask.number, count, latest, self._best, ask.known))
