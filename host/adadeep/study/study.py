"""The loop of a search: ask, evaluate, reward, tell.

What comes of it is every trial of the journal, whoever asked for it: a shorter search in the
folder of a longer one loses nothing.

It is the same whether the search is new or goes on: a plan that the journal knows is told to the
sampler instead of being evaluated. The sampler starts from its seed, hears the same rewards, and
so asks for the same plans until the journal ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from adadeep.core.clock import Deadline
from adadeep.core.demand import UserDemand
from adadeep.core.errors import AdaDeepError
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.protocols import Sampler
from adadeep.core.trial import Trial, TrialState
from adadeep.search.reward import Limits, floor_reward, resolve_limits, reward
from adadeep.storage.journal import Journal
from adadeep.study.results import ScoredTrial, StudyResult, best_of


class Evaluator(Protocol):
    """Finds out what a plan is worth; a plan that can't be had gives a failed trial."""

    def evaluate(self, plan: CompressionPlan) -> Trial:
        """Compresses, trains, converts and measures.

        Raises:
            DeviceError: the device is gone; what was found so far is in the journal.
        """
        ...


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

    def limits(self, limits: Limits, scale: Scale) -> None:
        """The limits, and what accuracies mean; called once, before the first episode."""
        ...

    def trial(self, event: TrialEvent) -> None:
        """A trial is done."""
        ...


@dataclass(frozen=True, slots=True)
class Study:
    """The parts of a search.

    Attributes:
        demand: what the user wants.
        episodes: how many plans to ask for.
        sampler: fresh from its seed.
        evaluator: of plans.
        journal: of this search.
        until: no plan is asked for after this moment; None for no such limit.
    """

    demand: UserDemand
    episodes: int
    sampler: Sampler
    evaluator: Evaluator
    journal: Journal
    until: Deadline | None = field(default=None)

    def run(self, observer: StudyObserver) -> StudyResult:
        """Runs all episodes.

        Raises:
            AdaDeepError: the initial network itself can't be converted or measured.
            DeviceError: the device is gone; the same search goes on later.
        """
        initial, known = self._trial(CompressionPlan())
        if initial.accuracy is None or initial.cost is None:
            raise AdaDeepError(f"the initial network can't be used: {initial.reason}")
        scale = self.journal.content.scale
        limits = resolve_limits(self.demand, initial.accuracy, initial.cost, scale)
        observer.limits(limits, scale)
        baseline = self._score(initial, limits)
        scored = {
            key: baseline if key == initial.plan.key else self._score(trial, limits)
            for key, trial in self.journal.content.trials.items()
        }
        observer.trial(TrialEvent(0, self.episodes, baseline, baseline, known))
        asked = 0
        for number in range(1, self.episodes + 1):
            if self.until is not None and self.until.expired:
                break
            asked = number
            plan = self.sampler.ask()
            trial, known = self._trial(plan)
            latest = self._score(trial, limits)
            scored.setdefault(plan.key, latest)
            self.sampler.tell(plan, latest.reward.gain, latest.reward.satisfaction)
            best = best_of(list(scored.values()))
            observer.trial(TrialEvent(number, self.episodes, latest, best, known))
        return StudyResult(limits, baseline, tuple(scored.values()), self.episodes, asked, scale)

    def _trial(self, plan: CompressionPlan) -> tuple[Trial, bool]:
        recorded = self.journal.content.trials.get(plan.key)
        if recorded is not None:
            return recorded, True
        trial = self.evaluator.evaluate(plan)
        if plan != CompressionPlan() or trial.state is TrialState.COMPLETE:
            self.journal.add_trial(trial)  # a failed initial network is tried again next time
        return trial, False

    def _score(self, trial: Trial, limits: Limits) -> ScoredTrial:
        if trial.accuracy is None or trial.cost is None:
            return ScoredTrial(trial, floor_reward(self.demand))
        scale = self.journal.content.scale
        return ScoredTrial(trial, reward(self.demand, limits, trial.accuracy, trial.cost, scale))
