"""The loop of a search: ask, evaluate, score, tell.

What comes of it is every trial of the journal, whoever asked for it: a shorter search in the
folder of a longer one loses nothing.

A session (a sampler, its seed, the demands) goes on where it ended: the sampler starts from its
seed, is told what earlier sessions found, and is asked again; as long as its asks are those of the
journal it hears what came of them. From the first ask that differs (another space, another
version) it is told the rest as history. Asks are journalled as they are made, and told in that
order; how many may be open at a time is a setting, so that the same look-ahead gives the same
plans, however the work is carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from adadeep.core.clock import Deadline
from adadeep.core.errors import AdaDeepError
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits
from adadeep.core.sampler import Sampler
from adadeep.core.search import Goal, ScoredTrial, Stop
from adadeep.storage.journal import Journal
from adadeep.storage.records import Ask, JournalContent, Session, TrialRecord
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

    def limits(self, title: str, limits: Limits) -> None:
        """The limits on a device are known now; called once for each, before the first episode."""
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
            observer.limits(scorer.target.target.device_title, scorer.limits)
        sampler = self._make_sampler(self.goals, baseline)
        before = self._content.sessions[-1].trials_before
        self._tell_history(sampler, list(self._content.trials.values())[:before])
        loop = _Loop(self, sampler, _Replay(asks), episodes, observer)
        stop = loop.run(self._content.asked - len(asks), self._best_of_journal(baseline))
        left = self._pipeline.left
        return StudyRun(self._scorers, tuple(self._skips.values()), loop.asked, stop, left)

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

    def tell_history_of(self, sampler: Sampler, plans: Sequence[CompressionPlan]) -> None:
        """Tells what this session found before and its sampler has not asked for."""
        records = (self._content.trials.get(plan.key) for plan in dict.fromkeys(plans))
        self._tell_history(sampler, [record for record in records if record is not None])

    def _tell_history(self, sampler: Sampler, records: Sequence[TrialRecord]) -> None:
        for record in records:
            if record.plan != INITIAL:
                sampler.tell(scored(self._content, record, self._scorers))

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
            reason = record.reason or next(iter(record.failures.values()), "it is not measured")
            raise AdaDeepError(f"the initial network can't be used: {reason}")
        for key in (key for key, scorer in found.items() if scorer is None):
            title = self._content.targets[key].target.device_title
            reason = record.failures.get(key, "it is not measured there yet")
            observer.note(f"{title} is left out: the initial network can't be used there: {reason}")
        baseline = scored(self._content, record, self._scorers)
        observer.trial(TrialEvent(0, episodes.count, baseline, baseline, known))
        return baseline

    def _best_of_journal(self, baseline: ScoredTrial) -> ScoredTrial:
        trials = [scored(self._content, r, self._scorers) for r in self._content.trials.values()]
        return min([baseline, *trials], key=lambda one: one.rank)


class _Loop:
    """Asks and tells.

    Args:
        study: evaluates what is asked for.
        sampler: fresh from its seed.
        replay: of what this session asked for before.
        episodes: how long it goes on.
        observer: is told each trial.
    """

    def __init__(
        self,
        study: Study,
        sampler: Sampler,
        replay: _Replay,
        episodes: Episodes,
        observer: StudyObserver,
    ) -> None:
        self._study, self._sampler, self._replay = study, sampler, replay
        self._episodes, self._observer = episodes, observer
        self._waiting: deque[_Open] = deque()
        self.asked = 0

    def run(self, before: int, best: ScoredTrial) -> str | None:
        """Until all is asked and told; returns why the sampler stopped, None if it did not.

        Args:
            before: how many plans earlier sessions asked for.
            best: of the journal.
        """
        self.asked = before
        stop = None
        while True:
            while stop is None and self._may_ask:
                stop = self._ask(self.asked + 1 - before)
            if not self._waiting:
                return stop
            best = self._tell(self._waiting.popleft(), best)

    @property
    def _may_ask(self) -> bool:
        episodes = self._episodes
        ahead = len(self._waiting) < episodes.look_ahead
        return ahead and self.asked < episodes.count and not episodes.are_over

    def _ask(self, number: int) -> str | None:
        answer = self._sampler.ask()
        if isinstance(answer, Stop):
            return answer.reason
        if self._replay.differs(number, answer):
            told_anyway = {ask.plan for ask in self._waiting}
            rest = [plan for plan in self._replay.rest(number) if plan not in told_anyway]
            self._study.tell_history_of(self._sampler, rest)
        self.asked += 1
        is_new = not self._replay.is_on
        self._waiting.append(self._study.open(self.asked, answer, is_new))
        return None

    def _tell(self, ask: _Open, best: ScoredTrial) -> ScoredTrial:
        latest = self._study.outcome(ask)
        self._sampler.tell(latest)
        best = min(best, latest, key=lambda one: one.rank)
        count = self._episodes.count
        self._observer.trial(TrialEvent(ask.number, count, latest, best, ask.known))
        return best


class _Replay:
    """Compares a sampler's asks with those that its session made before.

    Args:
        asks: of the journal.
    """

    def __init__(self, asks: Sequence[Ask]) -> None:
        self._plans = [ask.plan for ask in asks]
        self._same = True
        self.is_on = False  # whether the ask just compared is the journal's own

    def differs(self, number: int, plan: CompressionPlan) -> bool:
        """Compares the n-th ask (from 1); True once, at the first that differs."""
        there = self._plans[number - 1] if number <= len(self._plans) else None
        was_same = self._same
        self._same = was_same and (there is None or there == plan)
        self.is_on = self._same and there is not None
        return was_same and not self._same

    def rest(self, number: int) -> list[CompressionPlan]:
        """The journal's asks from the n-th on."""
        return self._plans[number - 1 :]
