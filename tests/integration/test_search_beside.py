"""Searches beside each other train nothing twice, whatever ends them; a toy worker counts."""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from adadeep.storage.artifacts import ArtifactStore
from adadeep.storage.journal import read_journal
from fakes.documented import undocumented

_MAIN = """
import sys
from adadeep.study import trainer
trainer.WORKER = "fakes.toy_worker"
from adadeep.cli.main import cli, run
sys.exit(run(cli, sys.argv[1:]))
"""
PLANS = 5


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


class Runs:
    """Searches in folders beside each other, and what they trained."""

    def __init__(self, folder):
        self.folder, self.notes = folder / "runs", folder / "notes"
        self.notes.touch()

    def start(self, name, *more, training_s=0.0):
        words = ["search", "digits", "-d", "local", "--sampler", "random", "--episodes", PLANS,
                 "-o", self.folder / name, "--max-accuracy-loss", "9%", *more]  # fmt: skip
        environment = {
            **os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
            "TOY_HABIT": "whole study", "TOY_NOTES": str(self.notes),
            "TOY_TRAINING_S": str(training_s), "COLUMNS": "200",
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN, *map(str, words)], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def search(self, name, *more):
        """Runs it to its end; returns stdout, stderr and what was trained."""
        before = len(self.trained)
        out, err = self.end(self.start(name, *more))
        return out, err, self.trained[before:]

    def end(self, process):
        out, err = process.communicate(timeout=300)
        assert process.returncode in (0, 4), err
        return out, err

    def show(self, name, *more):
        words = ["runs", "show", str(self.folder / name), *more]
        done = subprocess.run(
            [sys.executable, "-c", _MAIN, *words], capture_output=True, text=True, check=True,
            timeout=100, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        return done.stdout

    def kill_at(self, name, artifacts, *more):
        """Ends it without warning as soon as so many networks are journalled."""
        process = self.start(name, *more, training_s=0.2)
        until = time.monotonic() + 200
        while self.networks(name) < artifacts:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)

    def networks(self, name):
        path = self.folder / name / "journal.jsonl"
        return path.read_text().count('"kind":"artifact"') if path.exists() else 0

    @property
    def trained(self):
        return self.notes.read_text().splitlines()

    def origins(self, name):
        content = read_journal(self.folder / name)
        return collections.Counter(one.taken_from for one in content.artifacts.values())

    def require_whole(self, name):
        """A finished run holds each of its networks, whoever trained it."""
        content = read_journal(self.folder / name)
        store = ArtifactStore(self.folder / name / "models")
        plans = {trial.plan.key: trial.plan for trial in content.trials.values()}
        assert (self.folder / name / "plan.json").exists()
        for artifact in content.artifacts.values():
            assert store.get(artifact.model_sha256)
            plan, network = plans[artifact.plan_key], store.path(artifact.model_sha256, "keras")
            if plan.choices:
                assert network.read_bytes() == plan.canonical_json.encode()


def again(runs, name):
    """Labels of the plans that a run has made again by the full recipe."""
    return {one.plan.label for one in read_journal(runs.folder / name).remade.values()}


def test_a_second_run_for_another_demand_trains_nothing_and_says_whose_networks_it_has(runs):
    _, err, trained = runs.search("first")
    assert trained[0] == "the initial network"
    made = len(set(trained)) - 1  # the winner is made twice: for the search, and in full
    assert made >= 3
    assert "taken" not in err
    out, err, trained = runs.search("second", "--max-storage", "9MB", "--json")
    assert set(trained) <= again(runs, "second")
    assert "the initial network is taken from run first, not trained again" in err
    assert err.count(", taken from run first; ") == made + 1
    found = [trial["taken_from"] for trial in json.loads(out)["trials"]]
    assert found.count("first") >= made + 1 - len(again(runs, "second"))
    runs.require_whole("second")
    assert "all kept" in runs.show("second")
    document = json.loads(runs.show("second", "--json"))
    assert document["networks_taken"]["first"] >= made + 1
    assert undocumented(document) == []
    for name in ("first", "second"):  # each has measured all by itself
        content = read_journal(runs.folder / name)
        assert len(content.units) == 1
        assert all(trial.measurements for trial in content.trials.values())
        assert len(content.trials) == made + 1
    _, err, trained = runs.search("third", "--fresh")
    assert len(set(trained)) == made + 1
    assert "taken" not in err
    _, _, trained = runs.search("fourth", "--seed", 1)
    assert trained[0] == "the initial network"


def test_kill_9_in_either_of_two_runs_loses_nothing(runs):
    runs.kill_at("first", 3)
    runs.kill_at("second", 4)
    runs.search("second")
    _, _, trained = runs.search("first")
    full = again(runs, "first") | again(runs, "second")
    assert set(trained) <= full
    twice = [what for what, count in collections.Counter(runs.trained).items()
             if count > 1 and what not in full]  # fmt: skip
    assert len(twice) <= 2  # what was underway at each kill
    assert "the initial network" not in twice
    assert set(runs.origins("first")) == {None, "second"}
    assert runs.origins("second")["first"] >= 3  # the initial one among them
    for name in ("first", "second"):
        runs.require_whole(name)


def test_two_searches_at_once_end_as_if_alone(runs):
    both = [runs.start(name, training_s=0.1) for name in ("first", "second")]
    for process in both:
        runs.end(process)
    for name in ("first", "second"):
        runs.require_whole(name)
    plans = [list(read_journal(runs.folder / name).trials) for name in ("first", "second")]
    assert plans[0] == plans[1]
