"""Finalists are made again by the full recipe before they are tested: once, and measured."""

from dataclasses import dataclass, field

import numpy as np

from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.scores import SampleScores
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal, read_journal
from adadeep.study.ending import Ending
from adadeep.study.executors.registry import EXECUTORS
from adadeep.study.measurer import Workplace
from adadeep.study.pipeline import Pipeline
from adadeep.study.study import StudyRun
from adadeep.study.trials import INITIAL, TargetScorer
from fakes.search_parts import FakeBench, FakeCrew, Watching, full_model_of, model_of

DEMAND = UserDemand(max_accuracy_loss=0.02, max_latency_ms=100.0)
PLANS = [CompressionPlan((("fc1", LayerChoice(name)),)) for name in ("W1f", "W3", "C2")]


@dataclass
class Bench:
    """As a search has one."""

    journal: Journal
    demands: dict = field(default_factory=dict)


class Trainer:
    """Runs models on the held-back samples: the full recipe's lose nothing."""

    def __init__(self):
        self.judged = []

    def judge(self, path, part):
        model = path.read_bytes()
        self.judged.append((model, part))
        lost = 0 if model.startswith(b"full ") or model == model_of(INITIAL) else 600
        return SampleScores.of(np.arange(3000) < 2900 - lost)


class Life:
    """One process' life: a search that has asked for all plans comes to its end."""

    def __init__(self, folder, plans=PLANS, *, failing=(), benches=None):
        self.benches, self.trainer, self.watching = benches or [FakeBench()], Trainer(), Watching()
        self.store = ArtifactStore(folder / "models")
        self.crew = FakeCrew(self.benches, self.store)
        self.crew.failing_full = set(failing)
        with Journal.open(folder) as journal:
            journal.begin({"task": "fake"})
            for bench in self.benches:
                if bench.record.key not in journal.content.targets:
                    journal.defer(bench.record)
            executor = EXECUTORS.get("serial").make(self.crew)
            place = Workplace(journal, self.store, executor, "basis", note=self.watching.note)
            pipeline = Pipeline(place, {bench.record.key: bench for bench in self.benches})
            for plan in (INITIAL, *plans):
                pipeline.begin(plan)
                pipeline.finish(plan)
            demands = {bench.record.key: DEMAND for bench in self.benches}
            scorers = tuple(
                TargetScorer.of(journal.content, bench.record, DEMAND) for bench in self.benches
            )
            run = StudyRun(scorers, (), 0, None, ())
            bench = Bench(journal, demands)
            ending = Ending(bench, self.trainer, self.store, pipeline, self.watching, run)
            self.contests, self.conclusions = ending._settled()
        self.content = read_journal(folder)

    @property
    def winner(self):
        return self.conclusions[0].winner.trial


def test_who_wins_was_made_again_measured_and_tested_as_it_is_delivered(tmp_path):
    life = Life(tmp_path)
    winner = life.winner
    assert winner.plan in PLANS
    model = full_model_of(winner.plan)
    assert life.store.path(winner.model_sha256).read_bytes() == model
    assert (model, "held") in life.trainer.judged
    assert life.conclusions[0].of_winner.text == "met"
    assert model in life.benches[0].measured
    meeting = life.benches[0].sessions[-1][0]  # in turn with the initial network
    assert model in meeting
    assert model_of(INITIAL) in meeting
    then = life.content.artifact_of(winner.plan.key)
    assert winner.as_searched.model_sha256 == then.model_sha256
    assert winner.accuracy > winner.as_searched.accuracy == then.accuracy


def test_only_finalists_are_made_again(tmp_path):
    life = Life(tmp_path)
    assert life.crew.remade == [life.winner.plan.key]
    others = [s.trial for s in life.contests[0].result.trials if s.trial.plan != life.winner.plan]
    assert all(trial.as_searched is None for trial in others)


def test_whoever_comes_again_makes_measures_and_tests_nothing_twice(tmp_path):
    first = Life(tmp_path)
    again = Life(tmp_path)
    assert (again.crew.made, again.crew.remade, again.trainer.judged) == ([], [], [])
    assert again.benches[0].measured == []
    assert again.winner == first.winner


def test_whoever_comes_again_after_five_failed_makes_no_sixth(tmp_path):
    names = [f"{kind}{number}" for kind in ("W1f", "W3") for number in range(4)]
    plans = [CompressionPlan((("fc1", LayerChoice(name)),)) for name in names]
    failing = [plan.key for plan in plans]
    first = Life(tmp_path, plans, failing=failing)
    assert len(first.crew.remade) == 5
    again = Life(tmp_path, plans, failing=failing)
    assert again.crew.remade == []
    assert again.winner == first.winner
    another = CompressionPlan((("fc1", LayerChoice("C2")),))  # a plan more was tried
    assert len(Life(tmp_path, [*plans, another]).crew.remade) >= 1


def test_a_search_that_ended_between_making_and_testing_goes_on_there(tmp_path):
    first = Life(tmp_path)
    path = tmp_path / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if '"kind":"remade"' in line)
    path.write_text("".join(lines[:place]))  # the network, and what was measured, are there
    again = Life(tmp_path)
    assert again.crew.remade == []
    assert again.winner.model_sha256 == first.winner.model_sha256


def test_a_plan_that_can_not_be_made_again_does_not_win_and_the_next_one_does(tmp_path):
    first = Life(tmp_path / "first").winner.plan
    life = Life(tmp_path / "other", failing=[first.key])
    assert life.winner.plan not in (first, INITIAL)
    assert life.winner.as_searched is not None
    assert any("gave no network" in note for note in life.watching.notes)
    assert first.key in life.contests[0].gone
    again = Life(tmp_path / "other")  # it is not tried again
    assert again.crew.remade == []
    assert again.winner == life.winner


def test_what_trains_nothing_is_not_made_again(tmp_path):
    plan = CompressionPlan(precision="int8")
    life = Life(tmp_path, [plan])
    assert life.crew.remade == []
    assert all(trial.as_searched is None for trial in [life.winner])


def test_a_search_before_is_told_of_the_networks_that_it_made(tmp_path):
    life = Life(tmp_path)
    plan = life.winner.plan
    scorer = TargetScorer.of(life.content, life.benches[0].record, DEMAND)
    record = life.content.trials[plan.key]
    told = scorer.score(life.content, record, as_told=True).trial
    assert told.as_searched is None
    assert told.accuracy == life.content.artifact_of(plan.key).accuracy


def test_a_device_that_comes_later_has_the_winner_measured_there_too(tmp_path):
    Life(tmp_path)
    later = FakeBench("Other box", "e" * 16)
    life = Life(tmp_path, benches=[FakeBench(), later])
    winner = life.conclusions[1].winner.trial
    assert winner.as_searched is not None
    assert full_model_of(winner.plan) in later.measured
    assert life.crew.remade == []


def test_a_finalist_of_before_is_made_again_and_tested_once_more(tmp_path):
    first = Life(tmp_path)
    path = tmp_path / "journal.jsonl"
    plan, content = first.winner.plan, first.content
    full, short = first.winner.model_sha256, content.artifact_of(plan.key).model_sha256
    kept = [line for line in path.read_text().splitlines(keepends=True)
            if '"kind":"remade"' not in line and not ('"kind":"artifact"' in line and full in line)
            and not ('"kind":"measured"' in line and full in line)]  # fmt: skip
    path.write_text("".join(kept).replace(full, short))
    life = Life(tmp_path)
    tests = life.content.held_tests
    assert tests[plan.key].model_sha256 == life.winner.model_sha256 == full
    assert tests[plan.key].number == 2
    assert tests[plan.key].tail < content.held_tests[plan.key].tail
