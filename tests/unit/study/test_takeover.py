"""Networks that runs beside one have made are taken over, if they are just what it would make."""

import json
import os
import random
import threading
from pathlib import Path

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.storage.journal import read_journal
from adadeep.storage.siblings import SiblingRuns
from fakes.mutations import mutated
from fakes.search_parts import FakeBench, model_of
from unit.study.test_study import INITIAL, ScriptedSampler, some_plans
from unit.study.test_study import search as search_as_is

PLANS = [plan for plan in some_plans(12) if plan.choices][:3]
STUDY = {"task": "fake"}


def search(folder, plans=PLANS, **options):
    options = {"takes_over": True, "name": "scripted", **options}
    return search_as_is(folder, ScriptedSampler(plans), len(plans), **options)


@pytest.fixture
def first(tmp_path):
    """A run of three plans, with nothing beside it."""
    return search(tmp_path / "first")


def journal(folder):
    return folder / "journal.jsonl"


def edited(folder, change):
    """Changes the artifacts of a run's journal that are no initial network's."""
    lines = []
    for line in journal(folder).read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "artifact" and record["plan_key"] != INITIAL.key:
            change(record)
        lines.append(json.dumps(record, separators=(",", ":")))
    journal(folder).write_text("\n".join(lines) + "\n")


def files(folder, kind):
    return sorted((folder / "models").glob(f"*.{kind}"))


def test_what_another_run_made_is_measured_and_not_made_again(first, tmp_path):
    assert len(first.crew.made) == 4
    device = FakeBench("Other box", "e" * 16)
    second = search(tmp_path / "second", benches=[device])
    assert second.crew.made == [INITIAL.key]
    assert len(device.measured) == 4
    origins = {a.plan_key: a.taken_from for a in second.content.artifacts.values()}
    assert origins == {INITIAL.key: None, **{plan.key: "first" for plan in PLANS}}
    for plan in PLANS:
        mine, theirs = (one.content.artifact_of(plan.key) for one in (second, first))
        assert (mine.scores, mine.spec) == (theirs.scores, theirs.spec)
        assert second.trial(plan, device).taken_from == "first"
        assert second.trial(plan, device).seconds == 1.0  # of measuring
    for kind in ("tflite", "keras"):
        here, there = (files(tmp_path / name, kind) for name in ("second", "first"))
        assert [f.read_bytes() for f in here] == [f.read_bytes() for f in there]
        assert not any(a.samefile(b) for a, b in zip(here, there, strict=True))


def test_of_two_runs_each_plan_is_made_once(first, tmp_path):
    other = CompressionPlan((("fc", LayerChoice("T9")),))
    second = search(tmp_path / "second", [*PLANS, other])
    third = search(tmp_path / "third", [*PLANS, other])
    assert second.crew.made == [INITIAL.key, other.key]
    assert third.crew.made == [INITIAL.key]
    assert third.trial(other).taken_from == "second"


def test_taken_networks_outlive_their_run(first, tmp_path):
    search(tmp_path / "second")
    for path in (*files(tmp_path / "first", "tflite"), *files(tmp_path / "first", "keras")):
        path.unlink()
    again = search(tmp_path / "second", benches=[FakeBench("Other box", "e" * 16)])
    assert again.crew.made == []
    assert len(again.bench.measured) == 4


def test_measurements_are_not_taken_over_even_of_the_same_device(first, tmp_path):
    assert len(search(tmp_path / "second").bench.measured) == 4


@pytest.mark.parametrize("options", [{"basis": "of another seed"}, {"takes_over": False}])
def test_another_basis_or_a_wish_for_fresh_ones_makes_them(first, tmp_path, options):
    assert len(search(tmp_path / "second", **options).crew.made) == 4


def damage_model(folder):
    for path in files(folder, "tflite"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def damage_network(folder):
    for path in files(folder, "keras"):
        path.write_bytes(path.read_bytes() + b"?")


def prune(folder):
    for path in (*files(folder, "tflite"), *files(folder, "keras")):
        path.unlink()


def pipe_in_place_of_models(folder):
    for path in files(folder, "tflite"):
        path.unlink()
        os.mkfifo(path)


def pipe_in_place_of_the_journal(folder):
    journal(folder).unlink()
    os.mkfifo(journal(folder))


def no_journal(folder):
    journal(folder).write_bytes(b"\x00" * 1000)


def journal_of_another_study(folder):
    journal(folder).write_text(journal(folder).read_text().replace('"task":"fake"', '"task":"o"'))


def newer_journal(folder):
    text = journal(folder).read_text()
    journal(folder).write_text(text.replace('"schema_version":3', '"schema_version":4'))


def every_line_cut(folder):
    lines = journal(folder).read_text().splitlines()
    journal(folder).write_text("\n".join([lines[0], *(line[:-9] for line in lines[1:])]) + "\n")


def no_hash_of_the_network(folder):
    edited(folder, lambda record: record.pop("network_sha256"))


def another_plan(folder):
    edited(folder, lambda record: record.update(plan_key="0" * 16))


def another_size(folder):
    edited(folder, lambda record: record.update(file_bytes=record["file_bytes"] + 1))


def a_better_quality_than_its_scores(folder):
    edited(folder, lambda record: record.update(accuracy=1.0))


def a_path_as_hash(folder):
    edited(folder, lambda record: record.update(model_sha256="../" * 21 + "x"))


def fewer_samples(folder):
    packed = {"count": 8, "packed": "/w=="}
    edited(folder, lambda record: record.update(scores=packed, accuracy=1.0))


def no_initial_network(folder):
    lines = [line for line in journal(folder).read_text().splitlines()
             if f'"plan_key":"{INITIAL.key}"' not in line]  # fmt: skip
    journal(folder).write_text("\n".join(lines) + "\n")


def other_validation_data(folder):
    lines = journal(folder).read_text().splitlines()
    for place, line in enumerate(lines):
        record = json.loads(line)
        if record["kind"] == "artifact" and record["plan_key"] == INITIAL.key:
            packed = record["scores"]["packed"]
            record["scores"]["packed"] = "A" + packed[1:]
            lines[place] = json.dumps(record, separators=(",", ":"))
    journal(folder).write_text("\n".join(lines) + "\n")


DAMAGES = [
    damage_model, damage_network, prune, pipe_in_place_of_models, pipe_in_place_of_the_journal,
    no_journal, journal_of_another_study, newer_journal, every_line_cut, no_hash_of_the_network,
    another_plan, another_size, a_better_quality_than_its_scores, a_path_as_hash, fewer_samples,
    no_initial_network, other_validation_data,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_pruned_or_no_match_is_passed_over_and_made(first, tmp_path, damage):
    damage(tmp_path / "first")
    second = search(tmp_path / "second")
    assert len(second.crew.made) == 4
    assert second.watching.notes == []
    assert not any(a.taken_from for a in second.content.artifacts.values())


def test_a_damaged_run_does_not_hide_a_whole_one(first, tmp_path):
    search(tmp_path / "second", takes_over=False)
    damage_model(tmp_path / "first")
    third = search(tmp_path / "third")
    assert third.crew.made == [INITIAL.key]
    assert third.trial(PLANS[0]).taken_from == "second"


def test_what_a_run_adds_while_another_searches_is_taken_too(tmp_path):
    """The first run makes its last plan after the second one has begun."""
    started, done = threading.Event(), threading.Event()
    others = [CompressionPlan((("fc", LayerChoice("T9")),))]

    def both(plan):
        if plan == others[0]:
            started.set()
            assert done.wait(30)

    thread = threading.Thread(
        target=search, args=(tmp_path / "second", [*others, *PLANS]), kwargs={"make": both}
    )
    thread.start()
    assert started.wait(30)
    search(tmp_path / "first")
    done.set()
    thread.join()
    origins = {a.taken_from for a in read_journal(tmp_path / "second").artifacts.values()}
    assert origins == {None, "first"}
    assert len(read_journal(tmp_path / "second").trials) == 5


def test_a_line_that_is_being_written_is_found_when_it_is_whole(first, tmp_path):
    whole = journal(tmp_path / "first").read_bytes()
    (tmp_path / "own").mkdir()
    siblings = SiblingRuns(tmp_path / "own", STUDY)
    key = next(k for k, a in first.content.artifacts.items() if a.plan_key == PLANS[-1].key)
    found = []
    for size in range(0, len(whole), 97):
        journal(tmp_path / "first").write_bytes(whole[:size])
        found.append(len(list(siblings.networks(key))))
    journal(tmp_path / "first").write_bytes(whole)
    assert set(found) <= {0, 1}
    assert not found[0]
    assert sorted(found) == found
    assert [one.artifact.plan_key for one in siblings.networks(key)] == [PLANS[-1].key]


def test_a_journal_that_is_begun_anew_is_looked_through_anew(first, tmp_path):
    (tmp_path / "own").mkdir()
    siblings = SiblingRuns(tmp_path / "own", STUDY)
    key = next(k for k, a in first.content.artifacts.items() if a.plan_key == PLANS[0].key)
    assert list(siblings.networks(key))
    journal(tmp_path / "first").write_text("{}\n")
    assert not list(siblings.networks(key))


def test_runs_of_another_owner_and_ones_own_behind_a_link_are_passed_over(
    first, tmp_path, monkeypatch
):
    key, real = next(iter(first.content.artifacts)), Path.stat
    (tmp_path / "link").symlink_to(tmp_path / "first")
    assert not list(SiblingRuns(tmp_path / "first", STUDY).networks(key))
    (tmp_path / "own").mkdir()
    assert list(SiblingRuns(tmp_path / "own", STUDY).networks(key))

    def of_another(path, **options):
        status = list(real(path, **options))
        status[4] += path.name == "journal.jsonl"
        return os.stat_result(status)

    monkeypatch.setattr(Path, "stat", of_another)
    assert not list(SiblingRuns(tmp_path / "own", STUDY).networks(key))


def test_initial_networks_are_those_of_the_seed_that_trained_them(first, tmp_path):
    (tmp_path / "own").mkdir()
    siblings = SiblingRuns(tmp_path / "own", STUDY)
    assert siblings.initials(0) == []  # the file is not there
    (tmp_path / "first" / "initial.keras").write_bytes(b"")
    (one,) = siblings.initials(0)
    assert one.path == str(tmp_path / "first" / "initial.keras")
    assert first.content.artifacts[one.key].plan_key == INITIAL.key
    assert siblings.initials(1) == []


def test_a_full_disk_ends_the_search_and_the_next_one_takes_what_is_missing(
    first, tmp_path, monkeypatch
):
    real, whole = os.fsync, []

    def full(handle):
        size = os.fstat(handle).st_size
        whole.append(size)
        if len(whole) > 8:
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="free some space"):
            search(tmp_path / "second")
    second = search(tmp_path / "second")
    assert set(second.crew.made) <= {INITIAL.key}
    assert len(second.content.trials) == 4
    assert model_of(PLANS[2]) in second.bench.measured


def test_how_a_run_is_called_can_not_steer_a_terminal(tmp_path):
    name = "a\x1b[31m\n\u202erun"
    search(tmp_path / name)
    second = search(tmp_path / "second")
    taken_from = second.trial(PLANS[0]).taken_from
    assert taken_from.endswith("run")
    assert taken_from.isprintable()


def test_mutated_journals_cost_no_search(first, tmp_path):
    whole, rng = journal(tmp_path / "first").read_bytes(), random.Random(0)
    (tmp_path / "own").mkdir()
    keys = list(first.content.artifacts)
    found = 0
    for _ in range(150):
        journal(tmp_path / "first").write_bytes(mutated(whole, rng))
        siblings = SiblingRuns(tmp_path / "own", STUDY)
        for key in keys:
            some = list(siblings.networks(key))
            assert all(one.artifact.key == key for one in some)
            found += len(some)
        assert {one.key for one in siblings.initials(0)} <= set(keys)
    assert 0 < found < 150 * len(keys)
