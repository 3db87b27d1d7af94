import json
from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.scores import SampleScores
from adadeep.report.final_table import legend, table_rows
from adadeep.search.random_sampler import RandomSampler
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal
from adadeep.storage.run_folder import RunFolder
from adadeep.study.contest import Contest
from adadeep.study.finalists import conclude
from adadeep.study.outcome import (
    Outcome,
    TargetOutcome,
    model_of,
    outcome_as_json,
    trials_as_json,
    winner_files,
    write_outcome,
)
from adadeep.study.results import StudyResult
from adadeep.study.table import plan_rows
from adadeep.study.verdicts import Judge
from adadeep.testing.spaces import SPACE
from fakes.documented import undocumented
from fakes.search_parts import FakeBench
from unit.study.test_study import LOOSE, search

BENCHES = (("Fake box", "f" * 16), ("Other box", "e" * 16))


def finished(folder, devices):
    """A finished search and its store."""
    benches = [FakeBench(*BENCHES[number]) for number in range(devices)]
    did = search(folder, lambda: RandomSampler(SPACE, 0), 8, benches=benches, demand=LOOSE)
    store, scorers = ArtifactStore(folder / "models"), did.run.scorers
    with Journal.open(folder) as journal:
        content, contests = journal.content, []
        for scorer in scorers:
            trials = [scorer.score(content, record) for record in content.trials.values()]
            judge = Judge(0.02, scorer.limits, scorer.baseline, content)
            contests.append(
                Contest(judge, StudyResult(scorer.limits, scorer.baseline, tuple(trials)))
            )
        held_back = SampleScores.of(np.ones(400, np.bool_))
        conclusions = conclude(contests, journal, lambda _: held_back)
    files = winner_files(conclusions, [scorer.target.key for scorer in scorers])
    targets = tuple(
        TargetOutcome(scorer, contest.result, conclusion, name, 0.9)
        for scorer, contest, conclusion, name in zip(
            scorers, contests, conclusions, files, strict=True
        )
    )
    session = did.content.sessions[-1].session
    return Outcome("digits", session, targets, 0.95, 8, did.run.asked, None, folder), store


@pytest.fixture
def one(tmp_path):
    return finished(tmp_path, 1)


def write(outcome, store):
    (outcome.folder / "initial.keras").write_bytes(b"initial")
    write_outcome(outcome, store, b"samples", outcome.folder / "initial.keras")


def test_leaves_winner_plan_and_samples(one):
    outcome, store = one
    write(outcome, store)
    folder, best = outcome.folder, outcome.first.conclusion.winner.trial
    assert (folder / "best.tflite").read_bytes() == store.get(best.model_sha256)
    assert (folder / "best.keras").read_bytes() == b"initial"  # the fake crew makes none
    assert (folder / "samples.npz").read_bytes() == b"samples"
    plan = json.loads((folder / "plan.json").read_text())
    assert (plan["schema"], plan["schema_version"]) == ("adadeep.plan/2", 2)
    (target,) = plan["targets"]
    assert target["best"]["plan"] == json.loads(best.plan.canonical_json)
    assert target["best"]["cost"]["latency_ms"]["provenance"] == "measured"
    assert target["best"]["cost"]["energy_mj"]["provenance"] == "analytic"
    assert target["best"]["test_accuracy"] == 0.9
    assert target["initial"]["label"] == "initial"
    assert target["device_fingerprint"] == "f" * 16
    assert target["provenances"] == {"latency_ms": "measured", "energy_mj": "analytic"}
    assert undocumented(plan) == []


def test_what_was_written_is_read_back_by_device(tmp_path):
    outcome, store = finished(tmp_path, 2)
    write(outcome, store)
    run = RunFolder(tmp_path)
    for on in outcome.targets:
        target = run.plan.target(on.scorer.target.target.device_fingerprint)
        winner = on.conclusion.winner.trial
        assert run.best(target) == store.get(winner.model_sha256)
        assert target.best.cost == winner.cost
        assert target.meets_demand == on.conclusion.meets_demand
    assert run.plan.target("of no search") == run.plan.targets[0]
    assert len(run.journal.trials) == len(outcome.first.result.trials)


@pytest.mark.parametrize(("episodes", "said"), [(8, 8), (None, "auto")])
def test_how_long_it_was_to_go_on_and_why_it_ended_is_told(one, episodes, said):
    outcome = replace(one[0], episodes=episodes, stop="no more")
    document = outcome_as_json(outcome)
    assert (document["episodes"], document["stop"]) == (said, "no more")


def test_what_is_believed_of_the_winner_is_told_beside_what_was_seen(one):
    outcome, store = one
    assert outcome_as_json(outcome)["targets"][0]["believed_accuracy"] is None
    outcome = replace(outcome, targets=(replace(outcome.first, believed_accuracy=0.5),))
    write(outcome, store)
    (target,) = json.loads((outcome.folder / "plan.json").read_text())["targets"]
    assert target["believed_accuracy"] == 0.5
    assert target["best"]["accuracy"] == outcome.first.conclusion.winner.trial.accuracy
    assert RunFolder(outcome.folder).plan.targets[0].best.accuracy == target["best"]["accuracy"]


def test_a_missing_model_is_told(one):
    outcome, store = one
    store.path(outcome.first.result.baseline.trial.model_sha256).unlink()
    with pytest.raises(ConfigError, match=r"is missing in the run's folder.* \(-o\)"):
        model_of(outcome.first.result.baseline, store)


def test_the_table_begins_with_the_initial_network_and_the_winner(one):
    outcome, _ = one
    winner, rows = outcome.first.conclusion.winner, plan_rows(outcome, outcome.first, 3)
    number = outcome.first.result.trials.index(winner)
    assert [row.label for row in rows[:2]] == [
        "initial network",
        f"#{number} {winner.trial.plan.short_label}",
    ]
    assert rows[1].settings == f"#{number}: {winner.trial.plan.label}"
    assert len(rows) == 4
    assert [row.test_accuracy for row in rows] == [0.95, 0.9, None, None]


def test_meets_demand_is_said_only_where_every_limit_is_met(one):
    outcome, _ = one
    document = outcome_as_json(outcome)
    (target,) = document["targets"]
    verdicts = target["best"]["verdicts"]
    assert {name: verdict["state"] for name, verdict in verdicts.items()} == dict.fromkeys(
        ("accuracy_loss", "latency_ms", "energy_mj", "storage_bytes"), "met"
    )
    assert document["meets_demand"] is document["acceptable"] is True
    assert target["meets_demand"] is target["acceptable"] is True
    assert [finalist["number"] for finalist in document["finalists"]] == [1]
    assert verdicts["accuracy_loss"]["low"] < 0 < verdicts["accuracy_loss"]["high"] < 0.02


def test_trials_as_json_say_what_came_of_a_plan_on_each_device(tmp_path):
    outcome, _ = finished(tmp_path, 2)
    trials = trials_as_json(outcome)
    assert len(trials) == len(outcome.first.result.trials)
    keys = [target.scorer.target.key for target in outcome.targets]
    for trial in trials:
        assert list(trial["on"]) == keys
        total = sum(trial["on"][key]["reward"]["total"] for key in keys) / 2
        assert trial["reward"]["total"] == pytest.approx(total)


def test_every_number_that_is_not_measured_is_marked_and_explained(one):
    rows = plan_rows(one[0], one[0].first, 3)
    for cells in table_rows(rows):
        assert cells[6].endswith(" ms")
        assert cells[7][0].isdigit()  # times faster than the initial network
        assert cells[8].endswith(" mJ *")
    assert legend(rows) == [
        "T: measured: Fake box, fake_runtime 1",
        "E: * from a formula, not measured: Eq. 5 of AdaDeep, 52.8 pJ a MAC",
    ]
