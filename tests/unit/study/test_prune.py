"""What pruning removes, and that nothing else is lost: trials, deploying, going on."""

import dataclasses
import hashlib
import json

import pytest

from adadeep.core.errors import AdaDeepError, ConfigError
from adadeep.core.trial import TrialState
from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import Journal, read_journal
from adadeep.storage.run_folder import RunFolder
from adadeep.study.contest import contest_of
from adadeep.study.finalists import conclude
from adadeep.study.prune import CANDIDATE, FINALIST, INITIAL, UNDERWAY, WINNER, held, pruning_of
from adadeep.study.run_view import RunView
from adadeep.study.runs import KnownRun
from adadeep.study.trials import TargetScorer
from fakes.runs import of_version_0_1
from fakes.search_parts import FakeBench, model_of
from unit.study.test_outcome import finished, write
from unit.study.test_study import INITIAL as INITIAL_PLAN
from unit.study.test_study import LOOSE, ScriptedSampler, search, seeded, some_plans


@pytest.fixture
def run(tmp_path):
    """A finished search."""
    outcome, store = finished(tmp_path / "run", 1)
    write(outcome, store)
    return tmp_path / "run"


def prune(folder):
    with held([folder]):
        pruning = pruning_of(KnownRun.at(folder))
        pruning.carry_out()
    return pruning


def reasons(pruning):
    return {kept.why for kept in pruning.kept}


def models(folder):
    return {path.stem for path in (folder / "models").iterdir()}


def everything_else(folder):
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.read_bytes() for path in paths if path.parent.name != "models"}


def test_the_initial_network_the_winner_and_tested_finalists_stay(run):
    before, content = everything_else(run), read_journal(run)
    winner = RunFolder(run).plan.targets[0].best
    pruning = prune(run)
    tested = {test.model_sha256 for test in content.held_tests.values()}
    initial = content.artifact_of(INITIAL_PLAN.key).model_sha256
    assert models(run) == {kept.model_sha256 for kept in pruning.kept}
    assert models(run) == {initial, winner.model_sha256, *tested}
    assert reasons(pruning) == {INITIAL, WINNER}  # the finalist has won
    assert pruning.networks == len(content.trials) - len(models(run)) > 0
    assert everything_else(run) == before


def test_a_finalist_that_did_not_win_stays(run):
    document = json.loads((run / "plan.json").read_text())
    document["targets"][0]["best"] = document["targets"][0]["initial"]
    (run / "plan.json").write_text(json.dumps(document))
    assert reasons(prune(run)) == {INITIAL, FINALIST}


def test_both_files_of_a_network_go_and_what_is_not_ours_stays(run):
    content = read_journal(run)
    keep = {test.model_sha256 for test in content.held_tests.values()}
    loser = next(a.model_sha256 for a in content.artifacts.values() if a.model_sha256 not in keep)
    (run / "models" / f"{loser}.keras").write_bytes(b"x" * 1000)
    others = ["notes.txt", f"{loser}.tflite.bak", "short.tflite"]
    for name in others:
        (run / "models" / name).write_text("mine")
    pruning = prune(run)
    assert pruning.size_bytes > 1000
    assert len(pruning.files) == pruning.networks + 1
    there = {path.name for path in (run / "models").iterdir()}
    assert {f"{loser}.tflite", f"{loser}.keras"}.isdisjoint(there)
    assert there.issuperset(others)
    assert pruning_of(KnownRun.at(run)).files == ()


def test_trials_stay_and_are_ranked_as_before(run):
    (before,) = RunView.of(KnownRun.at(run)).targets
    prune(run)
    view = RunView.of(KnownRun.at(run))
    (after,) = view.targets
    assert after.rows(9) == before.rows(9)
    assert after.standing.conclusion == before.standing.conclusion
    assert (view.networks_kept, len(view.networks)) == (2, 8)


def test_what_deploy_reads_is_there(run):
    before = RunFolder(run)
    target = before.plan.targets[0]
    whole = before.best(target), before.initial
    prune(run)
    assert (RunFolder(run).best(target), RunFolder(run).initial) == whole


def test_a_search_goes_on_and_makes_nothing_again(tmp_path):
    whole = search(tmp_path / "whole", seeded(4), 10)
    first = search(tmp_path / "run", seeded(4), 6)
    prune(tmp_path / "run")
    again = search(tmp_path / "run", seeded(4), 6)
    assert again.content == first.content
    assert again.crew.made == again.bench.measured == again.watching.notes == []
    longer = search(tmp_path / "run", seeded(4), 10)
    assert longer.plans == whole.plans
    assert not set(longer.crew.made) & set(first.crew.made)


def test_a_pruned_plan_that_another_session_asks_for_is_known(tmp_path):
    plans = some_plans(8)
    search(tmp_path, ScriptedSampler(plans), 8)
    prune(tmp_path)
    gone = next(plan for plan in plans if not (tmp_path / path_of(plan)).exists())
    sampler = ScriptedSampler([gone])
    did = search(tmp_path, sampler, 9, name="scripted")
    assert did.crew.made == did.bench.measured == []
    assert did.watching.events[-1].known
    assert (sampler.told[-1].plan, sampler.told[-1].state) == (gone, TrialState.COMPLETE)


def path_of(plan):
    return f"models/{hashlib.sha256(model_of(plan)).hexdigest()}.tflite"


def later_box():
    return FakeBench("Other box", "e" * 16)


def test_a_device_that_comes_later_measures_what_is_left_and_is_told_of_the_rest(tmp_path):
    first = search(tmp_path, seeded(4), 8)
    gone = prune(tmp_path).networks
    assert gone > 0
    later = later_box()
    did = search(tmp_path, seeded(4), 8, benches=[later])
    assert did.crew.made == []
    assert len(later.measured) == len(first.plans) - gone
    (note,) = did.watching.notes
    assert f"adadeep runs prune): {gone} plan" in note
    states = [did.trial(plan, later).state for plan in did.plans]
    assert states.count(TrialState.INCOMPLETE) == gone
    assert did.content.artifacts == first.content.artifacts
    both = search(tmp_path, seeded(4), 8, benches=[FakeBench(), later_box()])
    assert both.crew.made == both.bench.measured == []


def test_a_pruned_plan_asked_for_on_a_later_device_is_incomplete_and_not_made(tmp_path):
    plans = some_plans(8)
    first = search(tmp_path, ScriptedSampler(plans), 8)
    prune(tmp_path)
    gone = next(plan for plan in plans if not (tmp_path / path_of(plan)).exists())
    sampler, later = ScriptedSampler([gone]), later_box()
    did = search(tmp_path, sampler, 9, benches=[later], name="scripted")
    assert did.crew.made == []
    assert (sampler.told[-1].plan, sampler.told[-1].state) == (gone, TrialState.INCOMPLETE)
    assert "not measured on Other box" in sampler.told[-1].reason
    assert did.content.trials[gone.key] == first.content.trials[gone.key]


def test_a_lost_initial_network_is_not_made_anew_beside_old_measurements(tmp_path):
    search(tmp_path, seeded(4), 2)
    (tmp_path / path_of(INITIAL_PLAN)).unlink()
    with pytest.raises(AdaDeepError, match=r"its model has gone.* in another \(-o\)"):
        search(tmp_path, seeded(4), 2, benches=[later_box()])


def test_pruned_plans_are_neither_tested_nor_win(tmp_path):
    outcome, store = finished(tmp_path, 1)
    write(outcome, store)
    best = outcome.first.result.ranked(1)[0].trial
    assert best.plan != outcome.first.conclusion.winner.trial.plan
    prune(tmp_path)
    assert not store.has(best.model_sha256)
    demand = dataclasses.replace(LOOSE, max_accuracy_loss=0.5)  # all pass now

    def held_back(scored):
        assert store.has(scored.trial.model_sha256)
        return next(iter(journal.content.held_tests.values())).scores

    with Journal.open(tmp_path) as journal:
        record = journal.content.targets[outcome.first.scorer.target.key]
        scorer = TargetScorer.of(journal.content, record, demand)
        contest = contest_of(journal.content, store, scorer, [demand])
        assert best.plan.key in contest.gone
        (conclusion,) = conclude([contest], journal, held_back)
    assert store.has(conclusion.winner.trial.model_sha256)
    assert best.plan.key in conclusion.verdicts


# ---- where the search has not ended


def test_of_an_unfinished_search_those_stay_that_may_be_tested(tmp_path):
    did = search(tmp_path, seeded(4), 12)
    (view,) = RunView.of(KnownRun.at(tmp_path)).targets
    best = {scored.trial.model_sha256 for scored in view.standing.contest.result.ranked(5)}
    pruning = prune(tmp_path)
    assert pruning.networks == len(did.plans) - 6
    assert reasons(pruning) == {INITIAL, CANDIDATE}
    assert best < models(tmp_path)


def test_a_network_that_is_not_measured_yet_stays(tmp_path):
    plans = some_plans(9)
    bench = FakeBench()
    bench.gone_after = 9
    search(tmp_path, ScriptedSampler(plans), 9, benches=[bench], may_leave=True)
    assert UNDERWAY in reasons(prune(tmp_path))
    did = search(tmp_path, ScriptedSampler(plans), 9)
    assert did.crew.made == []


def test_a_search_that_was_gone_on_with_has_not_ended(run):
    search(run, lambda: ScriptedSampler(some_plans(6, seed=5)), 14, name="scripted")
    assert reasons(prune(run)) == {INITIAL, WINNER, CANDIDATE}


def test_what_some_device_has_still_to_measure_is_counted(tmp_path):
    one, other = FakeBench(), later_box()
    other.gone_after = 2
    search(tmp_path, seeded(4), 12, benches=[one, other])
    pruning = pruning_of(KnownRun.at(tmp_path))
    assert 0 < pruning.unmeasured <= pruning.networks


def test_where_nobody_can_tell_the_best_nothing_is_removed(tmp_path):
    search(tmp_path, seeded(4), 8)
    path = tmp_path / "journal.jsonl"
    path.write_text(path.read_text().replace('"latency_ms":"measured"', '"latency_ms":"their"', 1))
    with pytest.raises(ConfigError, match="come from 'their' of another package"):
        pruning_of(KnownRun.at(tmp_path))


# ---- what is refused


def test_a_folder_in_which_a_search_runs_is_left_alone(run):
    before = models(run)
    with Journal.open(run), pytest.raises(ConfigError, match="another search is running"):
        prune(run)
    assert models(run) == before


def test_a_folder_that_is_no_run_gets_no_lock(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no search.*adadeep runs list"):
        prune(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["plan.json", "journal.jsonl"])
def test_a_damaged_run_is_left_alone(run, name):
    before = models(run)
    (run / name).write_text("{}\n[]\n{}\n")
    with pytest.raises(ConfigError, match=name):
        prune(run)
    assert models(run) == before


def test_models_behind_a_link_are_left_alone(run, tmp_path):
    (run / "models").rename(tmp_path / "elsewhere")
    (run / "models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="behind a link"):
        prune(run)


def test_a_link_among_the_models_costs_nothing_elsewhere(run, tmp_path):
    (tmp_path / "mine").write_text("mine")
    (run / "models" / f"{'0' * 64}.tflite").symlink_to(tmp_path / "mine")
    prune(run)
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_run_of_version_0_1_keeps_what_deploy_may_want(tmp_path):
    folder = of_version_0_1(tmp_path / "old")
    plan = RunFolder(folder).plan.targets[0]
    store = ArtifactStore(folder / "models")
    loser = store.put(b"loser")
    assert {store.put(b"best"), store.put(b"initial")} == {
        plan.best.model_sha256, plan.initial.model_sha256,
    }  # fmt: skip
    prune(folder)
    assert len(models(folder)) == 2
    assert not store.has(loser)
    (folder / "plan.json").unlink()
    with pytest.raises(ConfigError, match=r"unfinished search of version 0\.1"):
        prune(folder)
