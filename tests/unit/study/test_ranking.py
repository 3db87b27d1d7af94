"""A run's trials ranked for another demand: as a search for it would, but nothing is tested."""

import dataclasses
import json
import shutil

import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.device import hashed
from adadeep.core.errors import ConfigError
from adadeep.storage.journal import Journal, read_journal
from adadeep.storage.records import HeldTest
from adadeep.study.finalists import MAX_FINALISTS, conclude
from adadeep.study.ranking import rank_anew, ranking_as_json
from adadeep.study.run_view import RunView
from adadeep.study.runs import KnownRun
from fakes.documented import undocumented
from fakes.runs import of_now, of_version_0_1
from fakes.search_parts import FACTS, FakeBench, model_of
from unit.study.test_outcome import finished
from unit.study.test_study import INITIAL, LOOSE, search, seeded

SMALL = UserDemand(max_latency_ms=2.0, max_storage_bytes=1500.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished search on two devices; not to be written to."""
    folder = tmp_path_factory.mktemp("made") / "run"
    of_now(folder, 2)
    return KnownRun.at(folder)


@pytest.fixture
def run(made, tmp_path):
    """A copy of it, to be changed."""
    return shutil.copytree(made.folder.path, tmp_path / "run")


def test_for_the_demand_of_the_search_it_is_what_the_search_said(made):
    ranking = rank_anew(made, LOOSE)
    for target, view in zip(ranking.targets, RunView.of(made).targets, strict=True):
        assert target.conclusion == view.standing.conclusion
        assert target.rows(5) == view.rows(5)
        assert target.conclusion.meets_demand
    assert ranking.is_acceptable
    assert not ranking.gains_by_search  # its winners are in the folder


def test_another_demand_that_a_tested_plan_meets_gains_a_winner_file_by_a_search(made):
    looser = dataclasses.replace(LOOSE, max_storage_bytes=1e9)
    ranking = rank_anew(made, looser)
    assert ranking.is_acceptable
    assert [target.to_test for target in ranking.targets] == [None, None]
    assert ranking.gains_by_search


def test_for_another_demand_limits_and_rewards_are_those_of_that_demand(made):
    (target, _) = rank_anew(made, SMALL).targets
    assert target.result.limits.max_storage_bytes == 1500.0
    for scored in target.result.trials:
        within = scored.trial.cost.storage_bytes <= 1500 and scored.trial.accuracy >= 0.96
        assert scored.reward.is_feasible == within


def test_a_plan_that_was_never_tested_is_open_and_is_named_to_be_tested(made):
    tested = set(made.journal.held_tests)
    (target, _) = rank_anew(made, SMALL).targets
    assert target.to_test.trial.plan.key not in tested
    assert not target.conclusion.is_acceptable  # the one that was tested is too large
    verdicts = target.conclusion.verdicts[target.to_test.trial.plan.key]
    assert str(verdicts.accuracy_loss.state) == "open"
    assert target.conclusion.winner.trial.plan.key not in tested


def test_the_one_to_test_is_the_one_that_a_search_tests_first(run):
    (target, _) = rank_anew(KnownRun.at(run), SMALL).targets
    ranked = []
    with Journal.open(run) as journal:
        contest = dataclasses.replace(
            target.standing.contest,
            judge=dataclasses.replace(target.standing.contest.judge, content=journal.content),
        )
        scores = journal.content.held_tests[INITIAL.key].scores
        conclude([contest], journal, lambda scored: ranked.append(scored) or scores)
    assert ranked[0].trial.plan == target.to_test.trial.plan
    after = rank_anew(KnownRun.at(run), SMALL)
    assert (after.is_acceptable, after.targets[0].to_test) == (True, None)


def test_no_test_is_promised_that_the_ended_search_would_not_make_again(made):
    (target, _) = rank_anew(made, SMALL).targets
    assert target.to_test is not None
    of_small = dataclasses.replace(target.concluded, demand=SMALL)
    same = dataclasses.replace(target, concluded=of_small)
    assert same.to_test == target.to_test  # tests are left
    spent = {HeldTest: {f"{number:016x}" for number in range(MAX_FINALISTS)}}
    content = dataclasses.replace(target.standing.contest.judge.content, ended_with=spent)
    judge = dataclasses.replace(target.standing.contest.judge, content=content)
    contest = dataclasses.replace(target.standing.contest, judge=judge)
    standing = dataclasses.replace(target.standing, contest=contest)
    assert dataclasses.replace(same, standing=standing).to_test is None
    # Another demand is another search: it may test as many again.
    assert dataclasses.replace(target, standing=standing).to_test is not None


def test_nothing_is_written(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    rank_anew(KnownRun.at(run), SMALL)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_demand_that_nothing_meets_has_a_nearest_plan_and_nothing_to_test(made):
    ranking = rank_anew(made, UserDemand(max_latency_ms=1e-6))
    assert not ranking.is_acceptable
    assert not ranking.gains_by_search
    for target in ranking.targets:
        nearest = min(target.result.trials, key=lambda scored: scored.rank)
        assert target.conclusion.winner == nearest
        assert target.looser


# ---- devices


@pytest.mark.parametrize("name", ["Other box", "OTHER BOX", "key"])
def test_a_device_is_chosen_by_what_the_run_calls_it(made, name):
    keys = list(made.journal.targets)
    (target,) = rank_anew(made, SMALL, devices=[keys[1] if name == "key" else name]).targets
    assert target.record.key == keys[1]


def test_a_device_is_chosen_by_its_serial_which_a_run_holds_as_a_hash(made):
    content = made.journal
    hidden = dataclasses.replace(FACTS, serial=hashed("R58M"))
    targets = {k: dataclasses.replace(r, facts=hidden) for k, r in content.targets.items()}
    known = dataclasses.replace(made, journal=dataclasses.replace(content, targets=targets))
    assert len(rank_anew(known, SMALL, devices=["R58M"]).targets) == 2
    with pytest.raises(ConfigError, match="no device 'R59M'"):
        rank_anew(known, SMALL, devices=["R59M"])
    with pytest.raises(ConfigError, match="no device 'local'"):
        rank_anew(known, SMALL, devices=["local"])


def test_all_is_every_device(made):
    assert len(rank_anew(made, SMALL, devices=["all"]).targets) == 2


def test_a_device_may_have_a_demand_of_its_own(made):
    first, second = rank_anew(made, LOOSE, {"Other box": SMALL}).targets
    assert (first.demand, second.demand) == (LOOSE, SMALL)
    assert second.standing.contest.judge.limits.max_storage_bytes == 1500.0
    with pytest.raises(ConfigError, match="a limit is given for Other box; name it with -d, too"):
        rank_anew(made, LOOSE, {"Other box": SMALL}, ["Fake box"])


def test_a_name_that_is_none_gets_a_hint(made):
    with pytest.raises(ConfigError, match=r"no device 'Fake bx'. Did you mean 'Fake box'\?"):
        rank_anew(made, LOOSE, devices=["Fake bx"])


# ---- runs that can't be ranked


def test_a_run_of_version_0_1_or_without_a_journal_can_not_be_ranked(run, tmp_path):
    with pytest.raises(ConfigError, match="holds no trials that can be ranked"):
        rank_anew(KnownRun.at(of_version_0_1(tmp_path / "old")), LOOSE)
    (run / "journal.jsonl").write_text("{}\n[]\n{}\n")
    with pytest.raises(ConfigError, match=r"^\S+journal.jsonl, line 1: "):
        rank_anew(KnownRun.at(run), LOOSE)


def test_where_the_initial_network_can_not_run_a_limit_of_time_must_be_given(tmp_path):
    bench = FakeBench()
    bench.refused[model_of(INITIAL)] = "unsupported_op"
    search(tmp_path, seeded(0), 3, benches=[bench])
    with pytest.raises(
        ConfigError, match=r"can't be measured on Fake box.*; give --max-latency\."
    ):
        rank_anew(KnownRun.at(tmp_path), UserDemand())
    (target,) = rank_anew(KnownRun.at(tmp_path), LOOSE).targets
    assert target.result.baseline.trial.cost.latency_ms.value is None


def test_a_device_without_the_initial_network_can_not_be_ranked(tmp_path):
    one, other = FakeBench(), FakeBench("Other box", "e" * 16)
    other.gone_after = 0
    search(tmp_path, seeded(0), 3, benches=[one, other])
    known = KnownRun.at(tmp_path)
    with pytest.raises(ConfigError, match="initial network is not measured on Other box"):
        rank_anew(known, LOOSE)
    (target,) = rank_anew(known, LOOSE, devices=["Fake box"]).targets
    assert target.to_test is None  # of an unfinished search nothing was tested yet


def test_costs_of_a_source_that_is_not_installed_are_said(run):
    path = run / "journal.jsonl"
    path.write_text(path.read_text().replace('"latency_ms":"measured"', '"latency_ms":"their"'))
    with pytest.raises(ConfigError, match="come from 'their' of another package"):
        rank_anew(KnownRun.at(run), LOOSE)


# ---- as JSON


def test_json_holds_the_demand_and_every_trial(made):
    document = json.loads(json.dumps(ranking_as_json(rank_anew(made, SMALL))))
    assert (document["task"], document["acceptable"]) == ("digits", False)
    for target in document["targets"]:
        assert target["demand"]["max_storage_bytes"] == 1500.0
        assert len(target["trials"]) == document["plans_tried"] == len(made.journal.trials)
        assert target["to_test"] in {trial["key"] for trial in target["trials"]}
        assert target["initial"]["test_accuracy"] == 0.95
    assert undocumented(document) == []


def test_a_ranking_reads_what_a_search_of_now_has_written(tmp_path):
    outcome, _ = finished(tmp_path, 1)
    (target,) = rank_anew(KnownRun.at(tmp_path), LOOSE).targets
    assert target.conclusion == outcome.first.conclusion
    assert read_journal(tmp_path).asked == 8
