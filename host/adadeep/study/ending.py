"""The end of a search: finalists are made again, tested and compared; the winners are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.search import GoalScore
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.records import Session
from adadeep.storage.run_folder import INITIAL_NETWORK
from adadeep.study.bench import Bench
from adadeep.study.contest import Contest, contest_of, not_made_again
from adadeep.study.finalists import Conclusion, conclude, conclusion_of, to_meet
from adadeep.study.measuring import drift_of
from adadeep.study.observer import StudyObserver
from adadeep.study.outcome import (
    SAMPLE_COUNT,
    Outcome,
    TargetOutcome,
    model_of,
    winner_files,
    write_outcome,
)
from adadeep.study.pipeline import Pipeline
from adadeep.study.study import StudyRun
from adadeep.study.trainer import Trainer
from adadeep.study.trials import TargetScorer


@dataclass(frozen=True, slots=True)
class Ending:
    """What a search ends with.

    Attributes:
        bench: the folder, its journal and its devices.
        trainer: makes networks and runs them on samples.
        store: of the run's models.
        pipeline: has networks made again and measured.
        observer: is told what happens.
        run: what the search came to.
    """

    bench: Bench
    trainer: Trainer
    store: ArtifactStore
    pipeline: Pipeline
    observer: StudyObserver
    run: StudyRun

    def conclude(self, task: str, session: Session, episodes: int | None) -> Outcome:
        """Names the winner of each target and writes it into the run's folder.

        Args:
            task: its name.
            session: who chose the plans.
            episodes: how many were wanted; None: as many as were worth it.
        """
        self._say_gone()
        contests, conclusions = self._settled()
        outcome = self._outcome(task, session, episodes, contests, conclusions)
        network = self.bench.folder / INITIAL_NETWORK
        write_outcome(outcome, self.store, self._samples(outcome), network)
        return outcome

    def _settled(self) -> tuple[list[Contest], tuple[Conclusion, ...]]:
        """The winner of each target, its network made again by the full recipe.

        A winner that nobody has tested, or that the last comparison has named, is made again
        here: it may then be worth a test, and another may win.
        """
        while True:
            conclude(self._contests(), self.bench.journal, self._held_back, self._made_again)
            contests = self._contests()
            if self._have_met(contests):
                contests = self._contests()
            conclusions = tuple(conclusion_of(contest) for contest in contests)
            plans = self._to_make_again(contests, conclusions)
            if not plans:
                return contests, conclusions
            for plan in plans:
                self._made_again(plan)

    def _to_make_again(
        self, contests: Sequence[Contest], conclusions: Sequence[Conclusion]
    ) -> list[CompressionPlan]:
        """Winners' plans whose networks are still those of the search; on devices at hand."""
        here = self.pipeline.attached
        pairs = zip(contests, conclusions, strict=True)
        found = [
            conclusion.winner.trial.plan
            for contest, conclusion in pairs
            if not contest.is_final(conclusion.winner) and contest.result.baseline.target in here
        ]
        return list(dict.fromkeys(found))

    def _made_again(self, plan: CompressionPlan) -> list[Contest]:
        """The contests once a plan's network was made again; where that fails it can't win."""
        record = self.pipeline.remake(plan)
        if record.reason is not None:
            self.observer.note(
                f"{plan.label} is no finalist: the full recipe gave no network ({record.reason})"
            )
        return self._contests()

    def _contests(self) -> list[Contest]:
        return [self._contest(scorer) for scorer in self.run.scorers]

    def _contest(self, scorer: TargetScorer) -> Contest:
        run = self.run
        skipped = [
            scorer.skipped(plan, skip.reason, skip.violations[scorer.target.key])
            for plan, skip in run.skipped
        ]
        content, demands = self.bench.journal.content, self.bench.demands.values()
        return contest_of(content, self.store, scorer, demands, skipped, run.believed)

    def _say_gone(self) -> None:
        content, contest = self.bench.journal.content, self._contests()[0]
        gone = len(contest.gone - not_made_again(content, contest.result.baseline.target))
        if gone:
            self.observer.note(
                f"plans whose model has gone from the run's folder (adadeep runs prune): {gone};"
                " they stay ranked, but are not tested and can't win."
            )

    def _have_met(self, contests: Sequence[Contest]) -> bool:
        """Has the best of each target compared directly; whether that was measured now."""
        keys = [contest.result.baseline.target for contest in contests]
        pairs = zip(keys, contests, strict=True)
        return any([self.pipeline.meet(key, to_meet(contest)) for key, contest in pairs])

    def _outcome(
        self,
        task: str,
        session: Session,
        episodes: int | None,
        contests: Sequence[Contest],
        conclusions: Sequence[Conclusion],
    ) -> Outcome:
        run, content = self.run, self.bench.journal.content
        names = winner_files(conclusions, [scorer.target.key for scorer in run.scorers])
        self.observer.stage("running the winner on the test data, to report it")
        found = zip(run.scorers, contests, conclusions, names, strict=True)
        return Outcome(
            task=task,
            session=session,
            targets=tuple(self._target(*parts) for parts in found),
            initial_test_accuracy=self._test(run.scorers[0].baseline),
            episodes=episodes,
            asked=run.asked,
            stop=run.stop,
            folder=self.bench.folder,
            left=self.pipeline.left,
            scale=content.scale,
            units={key: (unit, drift_of(content, key)) for key, unit in content.units.items()},
        )

    def _target(
        self, scorer: TargetScorer, contest: Contest, conclusion: Conclusion, name: str
    ) -> TargetOutcome:
        believed = self.run.believed.get(conclusion.winner.trial.plan.key)
        test = self._test(conclusion.winner)
        return TargetOutcome(scorer, contest.result, conclusion, name, test, believed)

    def _held_back(self, scored: GoalScore) -> SampleScores:
        self.observer.stage(f"testing {scored.trial.plan.label} on held-back samples")
        return self.trainer.judge(model_of(scored, self.store), "held")

    def _test(self, scored: GoalScore) -> float:
        return self.trainer.judge(model_of(scored, self.store), "test").quality

    def _samples(self, outcome: Outcome) -> bytes:
        first = outcome.first
        models: dict[str, Path] = {
            "best_outputs": model_of(first.conclusion.winner, self.store),
            "initial_outputs": model_of(first.result.baseline, self.store),
        }
        return self.trainer.sample(models, SAMPLE_COUNT, self.store.make())
