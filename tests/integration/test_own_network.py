"""A network and data of the user's own by real commands: searched, compressed, looked at.

The first search is as a user runs it, with a worker process; what follows works in this one, in
which TensorFlow is there already.
"""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from adadeep.cli.main import cli, run
from adadeep.storage.journal import read_journal
from fakes.documented import undocumented
from fakes.interrupts import take_interrupts
from fakes.own_models import samples, write_data, write_model
from fakes.trainer_here import work_here

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SEARCH = (
    "search", "bars.keras", "-d", "local", "--episodes", "1", "--try", "fc1=W1f", "--train",
    "quick:recipe", "--max-accuracy-loss", "10%", "--max-latency", "10ms", "-o", "run",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a network and data."""
    folder = tmp_path_factory.mktemp("own")
    write_model(folder / "bars.keras")
    write_data(folder / "bars.npz")
    images, labels = samples(900, seed=9)
    np.savez(folder / "other.npz", x=images, y=labels)
    (folder / "quick.py").write_text("def recipe():\n    return {'steps': 10}\n")
    return folder


@pytest.fixture(scope="module")
def start(place):
    """Starts the search in a process of its own."""
    path = os.pathsep.join(filter(None, sys.path))
    environment = {
        **os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200",
        "XDG_CACHE_HOME": str(place / "cache"),
    }  # fmt: skip
    words = [sys.executable, "-m", "adadeep", *SEARCH, "--data", "bars.npz", "--json"]

    def begin():
        return subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            cwd=place, preexec_fn=take_interrupts,
        )  # fmt: skip

    return begin


@pytest.fixture(scope="module")
def interrupted(start, place):
    """The search, until the initial network was measured; what is in the journal then."""
    process, journal = start(), place / "run" / "journal.jsonl"
    until = time.monotonic() + 200
    while not (journal.exists() and '"kind":"trial"' in journal.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    return ended(process), journal.read_text()


@pytest.fixture(scope="module")
def searched(interrupted, start):
    """The search, taken up again and run to its end."""
    return ended(start())


def ended(process):
    out, said = process.communicate(timeout=400)
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)


@pytest.fixture
def adadeep(place, monkeypatch, capfd):
    """Runs a command there in this process, its worker too."""
    work_here(monkeypatch)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))

    def call(*words):
        capfd.readouterr()
        code = run(cli, list(words))
        said = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return call


def refused(done, *words):
    """One sentence, exit code 2."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    [message] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert all(word in message for word in words), message


def test_a_search_that_is_interrupted_goes_on_where_it_was(interrupted, searched, place):
    done, before = interrupted
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    assert "the same command goes on from there" in done.stderr
    assert "Traceback" not in done.stderr
    after = (place / "run" / "journal.jsonl").read_text()
    assert after.startswith(before)
    records = [json.loads(line) for line in after.splitlines()]
    made = [record["key"] for record in records if record["kind"] == "artifact"]
    assert len(made) == len(set(made))


def test_a_search_of_an_own_network_ends_with_one_that_was_made_again(searched, place):
    assert searched.returncode == 0, searched.stderr
    document = json.loads(searched.stdout)
    assert document["task"] == "bars"
    [target] = document["targets"]
    assert undocumented(document) == [target["key"]]  # of `front` and `on`
    best = target["best"]
    assert list(best["plan"]["layers"]) == ["fc1"]
    assert best["as_searched"] is not None
    study = read_journal(place / "run").study
    assert study["network"].startswith("own:")
    assert study["data_set"].startswith("own:")
    assert (place / "run" / "best.keras").exists()
    assert "trained by" in searched.stderr  # what was inferred is said


def test_the_same_command_makes_nothing_again(searched, adadeep, place):
    before = (place / "run" / "journal.jsonl").read_text().count('"kind":"artifact"')
    again = adadeep(*SEARCH, "--data", "bars.npz", "--json")
    assert again.returncode == 0, again.stderr
    assert (place / "run" / "journal.jsonl").read_text().count('"kind":"artifact"') == before
    first, second = json.loads(searched.stdout), json.loads(again.stdout)
    name = "model_sha256"
    assert first["targets"][0]["best"][name] == second["targets"][0]["best"][name]


def test_other_data_in_the_same_folder_are_another_study(searched, adadeep):
    refused(adadeep(*SEARCH, "--data", "other.npz"), "another search", "data_set", "-o")


def test_a_plan_is_carried_out_with_data_and_without(adadeep, place):
    done = adadeep("compress", "bars.keras", "--data", "bars.npz", "--train", "quick:recipe",
                   "--plan", "conv2=C2,fc1=W3:0.95", "-o", "small.tflite", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert undocumented(document) == []
    assert document["plan"]["layers"]["fc1"]["sparsity"] == 0.95
    assert document["after"]["storage_bytes"] < document["before"]["storage_bytes"] / 4
    assert document["after"]["test_accuracy"] > 0.8
    assert "fc1=W3:0.95 is taken for" in done.stderr
    bare = adadeep("compress", "bars.keras", "--plan", "fc1=W1f", "-o", "bare.tflite", "--json")
    assert bare.returncode == 0, bare.stderr
    assert json.loads(bare.stdout)["after"]["test_accuracy"] is None
    assert "nothing is trained" in bare.stderr
    assert (place / "bare.keras").exists()


def test_what_applies_to_which_layer_is_listed(adadeep):
    done = adadeep("techniques", "bars.keras", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert undocumented(document) == []
    found = {(one["layer"], one["technique"]) for one in document["network"]["offers"]}
    assert {("conv2", "C2"), ("fc1", "W1f"), ("fc1", "W3")} <= found
