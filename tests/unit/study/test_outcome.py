import json

import numpy as np
import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.scores import SampleScores
from adadeep.report.final_table import legend, table_rows
from adadeep.search.random_sampler import RandomSampler
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.study.evaluate import PlanEvaluator
from adadeep.study.finalists import conclude
from adadeep.study.outcome import (
    FinalAccuracies,
    Identity,
    Outcome,
    model_of,
    outcome_as_json,
    write_outcome,
)
from adadeep.study.study import Study
from adadeep.study.table import plan_rows
from adadeep.study.verdicts import Judge
from fakes.search_parts import FakeMaker, FakeMeter, Watching
from fakes.search_space import SPACE

IDENTITY = Identity("digits", "Fake box", "f" * 16, 0, "random", "default")


@pytest.fixture
def finished(tmp_path):
    """A finished search and its store."""
    store = ArtifactStore(tmp_path / "models")
    with Journal.open(tmp_path) as journal:
        journal.begin({"task": "fake"})
        evaluator = PlanEvaluator(FakeMaker(), FakeMeter(), journal, store)
        demand = UserDemand(max_latency_ms=100.0)
        study = Study(demand, 8, RandomSampler(SPACE, 0), evaluator, journal)
        result = study.run(Watching())
        judge = Judge(0.02, result.limits, result.baseline, journal.content)
        held_back = SampleScores.of(np.ones(400, np.bool_))
        conclusion = conclude(judge, result, journal, lambda _: held_back)
    tested = FinalAccuracies(0.9, 0.95)
    return Outcome(IDENTITY, result, conclusion, tested, tmp_path), store


def test_leaves_winner_plan_and_samples(finished):
    outcome, store = finished
    winner = outcome.conclusion.winner
    models = model_of(winner, store), model_of(outcome.result.baseline, store)
    write_outcome(outcome, models, {"inputs": np.ones((2, 3), np.float32)})
    folder, best = outcome.folder, winner.trial
    assert (folder / "best.tflite").read_bytes() == store.get(best.model_sha256)
    assert (folder / "initial.tflite").read_bytes() == models[1]
    with np.load(folder / "samples.npz", allow_pickle=False) as samples:
        assert samples["inputs"].shape == (2, 3)
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["schema"] == "adadeep.plan/1"
    assert plan["schema_version"] == 1
    assert plan["best"]["plan"] == json.loads(best.plan.canonical_json)
    assert plan["best"]["cost"]["latency_ms"]["provenance"] == "measured"
    assert plan["best"]["cost"]["energy_mj"]["provenance"] == "analytic"
    assert plan["best"]["test_accuracy"] == 0.9
    assert plan["initial"]["label"] == "initial"
    assert plan["device_fingerprint"] == "f" * 16


def test_a_missing_model_is_told(finished):
    outcome, store = finished
    store.path(outcome.result.baseline.trial.model_sha256).unlink()
    with pytest.raises(ConfigError, match=r"is missing in the run's folder.* \(-o\)"):
        model_of(outcome.result.baseline, store)


def test_the_table_begins_with_the_initial_network_and_the_winner(finished):
    outcome, _ = finished
    winner, rows = outcome.conclusion.winner, plan_rows(outcome, 3)
    number = outcome.result.trials.index(winner)
    assert [row.label for row in rows[:2]] == [
        "initial network",
        f"#{number} {winner.trial.plan.short_label}",
    ]
    assert rows[1].settings == f"#{number}: {winner.trial.plan.label}"
    assert len(rows) == 4
    assert [row.test_accuracy for row in rows] == [0.95, 0.9, None, None]


def test_meets_demand_is_said_only_where_every_limit_is_met(finished):
    outcome, _ = finished
    document = outcome_as_json(outcome)
    verdicts = document["best"]["verdicts"]
    assert {name: verdict["state"] for name, verdict in verdicts.items()} == dict.fromkeys(
        ("accuracy_loss", "latency_ms", "energy_mj", "storage_bytes"), "met"
    )
    assert document["meets_demand"] is document["acceptable"] is True
    assert [finalist["number"] for finalist in document["finalists"]] == [1]
    assert verdicts["accuracy_loss"]["low"] < 0 < verdicts["accuracy_loss"]["high"] < 0.02


def test_every_number_that_is_not_measured_is_marked_and_explained(finished):
    rows = plan_rows(finished[0], 3)
    for cells in table_rows(rows):
        assert cells[6].endswith(" ms")
        assert cells[7].endswith(" mJ *")
    assert legend(rows) == [
        "T: measured: Fake box, fake_runtime 1",
        "E: * from a formula, not measured: Eq. 5 of AdaDeep, 52.8 pJ a MAC",
    ]
