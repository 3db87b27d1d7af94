"""What is told of run folders: whole, unfinished, old and damaged ones."""

import json
import random
import shutil

import pytest

from adadeep.core.cost import Provenance
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.storage.journal import read_journal
from adadeep.study.run_json import run_as_json, view_as_json
from adadeep.study.run_view import RunView
from adadeep.study.runs import KnownRun, RunState, find_runs, winner_text
from adadeep.study.table import plan_rows
from fakes.mutations import mutated, mutated_json
from fakes.runs import of_now, of_version_0_1
from fakes.search_parts import FakeBench
from unit.study.test_study import INITIAL, search, seeded


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished search on two devices; not to be written to."""
    folder = tmp_path_factory.mktemp("made") / "run"
    return folder, of_now(folder, 2)


@pytest.fixture
def run(made, tmp_path):
    """A copy of it, to be damaged."""
    return shutil.copytree(made[0], tmp_path / "run")


# ---- states


def test_a_finished_search(made):
    known = KnownRun.at(made[0])
    assert (known.state, known.problem) == (RunState.FINISHED, None)
    assert (known.task, known.titles) == ("digits", ("Fake box", "Other box"))
    assert known.plans_tried == len(read_journal(made[0]).trials)
    assert [winner_text(target) for target in known.concluded] == ["met", "met"]
    sizes = sum(path.stat().st_size for path in made[0].rglob("*") if path.is_file())
    assert known.size_bytes == sizes


def test_an_unfinished_one(tmp_path):
    search(tmp_path, seeded(0), 3)
    known = KnownRun.at(tmp_path)
    assert (known.state, known.task, known.concluded) == (RunState.UNFINISHED, "fake", ())


def test_one_that_was_gone_on_with(run):
    search(run, seeded(9), 12)
    known = KnownRun.at(run)
    assert known.state is RunState.UNFINISHED
    assert known.concluded


def test_one_of_version_0_1(tmp_path):
    known = KnownRun.at(of_version_0_1(tmp_path))
    assert (known.state, known.problem) == (RunState.OLD, None)
    assert (known.task, known.titles, known.plans_tried) == ("toy", ("Another box",), 2)
    assert winner_text(known.concluded[0]) == "within, untested"


def test_an_unfinished_one_of_version_0_1(tmp_path):
    (of_version_0_1(tmp_path) / "plan.json").unlink()
    known = KnownRun.at(tmp_path)
    assert (known.state, known.problem, known.task) == (RunState.OLD, None, None)


def test_one_without_its_journal(run):
    tried = len(read_journal(run).trials)
    (run / "journal.jsonl").unlink()
    known = KnownRun.at(run)
    assert (known.state, known.plans_tried) == (RunState.FINISHED, tried)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("plan.json", "{", "plan.json can't be used"),
        ("plan.json", '{"schema_version": 99}', "upgrade adadeep"),
        ("journal.jsonl", '{"kind":"header","schema_version":99}\n{"kind":"x"}\n', "newer"),
        ("journal.jsonl", "{}\n{}\n{}\n", "line 1"),
    ],
)
def test_a_damaged_one_says_what_is_wrong_and_what_is_left(run, name, text, reason):
    (run / name).write_text(text)
    known = KnownRun.at(run)
    assert known.state is RunState.DAMAGED
    assert reason in known.problem
    assert "\n" not in known.problem
    assert known.task is not None
    assert RunView.of(known).targets


def test_another_folder_is_none(tmp_path):
    with pytest.raises(ConfigError, match="holds no search"):
        KnownRun.at(tmp_path)


# ---- finding them


def test_runs_are_found_at_every_level_and_not_among_models(made, tmp_path):
    for name in ("b", "deep/er/a"):
        shutil.copytree(made[0], tmp_path / name)
    of_version_0_1(tmp_path / "b" / "inner")
    of_version_0_1(tmp_path / "b" / "models" / "x")
    (tmp_path / "notes").mkdir()
    (tmp_path / "link").symlink_to(made[0])
    (tmp_path / "loop").symlink_to(tmp_path)
    found, problems = find_runs(tmp_path)
    names = [str(known.folder.path.relative_to(tmp_path)) for known in found]
    assert (names, problems) == (["b", "b/inner", "deep/er/a", "link"], [])
    itself, _ = find_runs(tmp_path / "b")
    assert [known.folder.path.name for known in itself] == ["b", "inner"]


# ---- what is shown


def test_the_tables_are_those_of_the_search(made):
    folder, outcome = made
    view = RunView.of(KnownRun.at(folder))
    assert [target.title for target in view.targets] == ["Fake box", "Other box"]
    for target, was in zip(view.targets, outcome.targets, strict=True):
        assert target.rows(5) == plan_rows(outcome, was, 5)
        assert target.standing.conclusion == was.conclusion
        assert target.states == {"complete": len(was.result.trials)}
        assert target.record.provenances["latency_ms"] == Provenance.MEASURED
    (finalist,) = view.finalists
    assert finalist.loss == outcome.first.conclusion.of_winner.accuracy_loss


def test_the_front_holds_what_nothing_beats_in_everything_the_best_accuracy_first(made):
    for target in RunView.of(KnownRun.at(made[0])).targets:
        result, rows = target.standing.contest.result, target.front
        assert len(rows) == len(result.front) > 1
        assert [row.accuracy for row in rows] == sorted((r.accuracy for r in rows), reverse=True)
        on = view_as_json(RunView.of(KnownRun.at(made[0])))["targets"][0]
        assert on["front"] == [scored.trial.plan.key for scored in result.front]


def test_the_last_demand_on_a_device_is_what_counts(tmp_path):
    search(tmp_path, seeded(0), 3)
    tight = UserDemand(max_latency_ms=0.1)
    search(tmp_path, seeded(0), 4, demand=tight)
    (target,) = RunView.of(KnownRun.at(tmp_path)).targets
    assert target.demand == tight
    assert target.standing.contest.result.limits.max_latency_ms == 0.1


def test_the_demand_of_a_search_that_asked_for_nothing_new_is_that_of_its_plan(run):
    document = json.loads((run / "plan.json").read_text())
    for target in document["targets"]:
        target["demand"]["max_storage_bytes"] = 1500.0
    (run / "plan.json").write_text(json.dumps(document))
    for target in RunView.of(KnownRun.at(run)).targets:
        assert target.standing.contest.result.limits.max_storage_bytes == 1500.0


def test_a_demand_that_is_none_is_refused_with_its_file(run):
    document = json.loads((run / "plan.json").read_text())
    document["targets"][0]["demand"]["max_latency_ms"] = -1
    (run / "plan.json").write_text(json.dumps(document))
    assert "plan.json can't be used" in KnownRun.at(run).problem
    assert "a limit must be a number greater than 0" in KnownRun.at(run).problem


def test_a_device_without_the_initial_network_has_no_table_and_says_so(tmp_path):
    one, other = FakeBench(), FakeBench("Other box", "e" * 16)
    other.gone_after = 0
    search(tmp_path, seeded(0), 3, benches=[one, other])
    first, second = RunView.of(KnownRun.at(tmp_path)).targets
    assert first.rows(5)
    assert (second.rows(5), second.standing) == ([], None)
    assert "initial network is not measured" in second.problem


def test_costs_of_a_source_that_is_not_installed_are_said_and_plan_json_fills_in(run):
    path = run / "journal.jsonl"
    path.write_text(path.read_text().replace('"latency_ms":"measured"', '"latency_ms":"their"', 1))
    first, second = RunView.of(KnownRun.at(run)).targets
    assert "come from 'their' of another package, which is not installed here" in first.problem
    initial, winner = first.rows(5)
    assert initial.label == "initial network"
    assert winner.label.startswith("winner ")
    assert second.problem is None


def test_a_run_of_version_0_1_shows_what_its_plan_has(tmp_path):
    view = RunView.of(KnownRun.at(of_version_0_1(tmp_path)))
    (target,) = view.targets
    assert target.front == []
    initial, winner = target.rows(5)
    assert (initial.label, initial.test_accuracy, initial.demand) == ("initial network", 0.96, "-")
    assert (winner.label, winner.reward) == ("winner fc1:W1f", 0.3)
    assert winner.settings == "winner: fc1:W1f(rank_divisor=12)"
    assert winner.cost.energy_mj.provenance is Provenance.ANALYTIC


def test_json_holds_every_trial_of_every_device(made):
    document = json.loads(json.dumps(view_as_json(RunView.of(KnownRun.at(made[0])))))
    assert document["state"] == "finished"
    assert document["asked"] == document["concluded"]["episodes_asked"] == 8
    assert document["networks"] == document["networks_kept"] == document["plans_tried"]
    for target in document["targets"]:
        assert len(target["trials"]) == document["plans_tried"]
        tested = [trial["key"] for trial in target["trials"] if trial["test_accuracy"]]
        assert tested == [INITIAL.key, target["winner"]]
        assert target["facts"]["model"] == "Fake box"


# ---- foreign folders


def shown(folder):
    """Everything that the commands do with a folder; a folder may be damaged, never a command."""
    known = KnownRun.at(folder)
    json.dumps(run_as_json(known), allow_nan=False)
    view = RunView.of(known)
    json.dumps(view_as_json(view), allow_nan=False)
    for target in view.targets:
        target.rows(5)
    return known.state, tuple(target.problem for target in view.targets)


def test_any_damage_to_a_line_of_the_journal_is_survived(run):
    lines = (run / "journal.jsonl").read_text().splitlines()
    rng, seen = random.Random(0), set()
    for _ in range(150):
        changed = list(lines)
        at = rng.randrange(len(lines))
        changed[at] = mutated_json(json.loads(lines[at]), rng).decode()
        (run / "journal.jsonl").write_text("\n".join(changed) + "\n")
        seen.add(shown(run))
    assert {state for state, _ in seen} >= {RunState.FINISHED, RunState.DAMAGED}


@pytest.mark.parametrize("name", ["journal.jsonl", "plan.json"])
def test_any_damage_to_a_file_is_survived(run, name):
    data, rng = (run / name).read_bytes(), random.Random(name)
    for _ in range(80):
        (run / name).write_bytes(mutated(data, rng))
        shown(run)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"nonzero_weights":1000', '"nonzero_weights":-9000000'),
        ('"kind":"dense"', '"kind":"conv"'),
        ('"output_shape":[10]', '"output_shape":[]'),
    ],
)
def test_a_network_that_is_none_is_refused_with_its_line_and_the_plan_is_shown(run, old, new):
    path = run / "journal.jsonl"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    known = KnownRun.at(run)
    assert known.state is RunState.DAMAGED
    assert "journal.jsonl, line " in known.problem
    views = RunView.of(known).targets
    assert [target.title for target in views] == ["Fake box", "Other box"]
    assert all(target.rows(5) for target in views)


def test_a_technique_of_any_name_is_shown(run):
    document = json.loads((run / "plan.json").read_text())
    layers = {"b": {"technique": "no name"}, "a": {"x": 1}}
    document["targets"][0]["best"]["plan"]["layers"] = layers
    (run / "plan.json").write_text(json.dumps(document))
    (first, _) = KnownRun.at(run).concluded
    assert first.best.plan.short_label == "a:? b:no name"


def test_a_name_in_a_folder_can_not_pretend_to_be_a_line(run):
    document = json.loads((run / "plan.json").read_text())
    for target in document["targets"]:
        target["device_title"] = "a\nb\x1b[2J"
    (run / "plan.json").write_text(json.dumps(document))
    known = KnownRun.at(run)
    assert "a b\\x1b[2J" in known.titles
