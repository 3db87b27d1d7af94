"""What a user fixes of a search and what known costs show, from end to end, in one folder."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from adadeep.storage.journal import read_journal
from adadeep.study.proposal import space_of
from integration.test_search_lab import environment, run

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A search of two plans, both the user's."""
    path = tmp_path_factory.mktemp("made") / "run"
    plans = ("--try", "conv2=C2,fc1=L3", "--try", "int8")
    done = run("-d", "local", "-o", path, "--episodes", 2, *plans)
    assert done.returncode in (0, 4), done.stderr
    return path


def labels(folder):
    return [record.plan.label for record in read_journal(folder).trials.values()]


def test_own_plans_are_tried_first_and_a_resume_without_them_replays_them(folder):
    assert labels(folder) == ["initial", "conv2:C2(alpha=0.5) fc1:L3", "int8"]
    done = run("-d", "local", "-o", folder, "--episodes", 3)
    assert done.returncode in (0, 4), done.stderr
    (session,) = read_journal(folder).sessions
    assert [ask.number for ask in session.asks] == [1, 2, 3]
    assert [plan.label for plan in session.session.own_plans] == labels(folder)[1:3]
    assert "asks otherwise" not in done.stderr


def test_what_there_was_to_choose_is_told_by_the_folder_alone(folder):
    found = space_of(read_journal(folder))
    assert found is not None
    assert [point.title for point in found.points] == ["conv2", "fc1", "fc2", "precision"]


def test_a_space_of_one_plan_is_said(folder):
    wishes = ("--keep", "conv2,fc1,fc2", "--only", "none")
    done = run("-d", "local", "-o", folder, "--episodes", 9, *wishes)
    assert done.returncode in (0, 4), done.stderr
    assert "the initial network is the only plan" in done.stderr
    assert read_journal(folder).asked <= 3


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (
            ("--try", "fc1=C2"),
            "no technique for fc1 is called 'C2'. There are: none, W1f, W3, L3.",
        ),
        (("--try", "konv2=C2"), "is called 'konv2'. Did you mean 'conv2'?"),
        (("--try", "fc1=L3,fc2=W3"), "fc2 is taken out by what is chosen before it"),
        (("--try", "conv2=C2", "--keep", "conv2"), "--keep conv2 forbids it"),
        (("--keep", "conv9"), "unknown layer 'conv9'. Did you mean 'conv2'?"),
    ],
)
def test_what_is_outside_the_space_is_one_sentence(folder, wishes, message):
    done = run("-d", "local", "-o", folder, *wishes)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert done.stdout == ""


def test_a_demand_that_known_costs_show_to_be_impossible_is_told_at_once(folder):
    before = (folder / "journal.jsonl").read_bytes()
    done = run("-d", "local", "-o", folder, "--episodes", 99, "--max-storage", "1kB")
    assert done.returncode == 4, done.stderr
    assert "no plan can meet the demand: S_p would be 3.02 kB, 1 kB allowed" in done.stderr
    assert (folder / "journal.jsonl").read_bytes() == before


def test_ranking_names_a_command_that_tests_and_asks_for_nothing_new(folder):
    limits = ("--max-accuracy-loss", "30%", "--max-storage", "20kB")
    ranked = run_from(folder, *limits)
    assert ranked.returncode == 4, ranked.stderr
    document = json.loads(ranked.stdout)
    (target,) = document["targets"]
    assert target["to_test"]
    asked, words = read_journal(folder).asked, document["test_with"]
    done = run(*words[2:])
    assert done.returncode == 0, done.stderr
    content = read_journal(folder)
    assert (content.asked, target["to_test"] in content.held_tests) == (asked, True)
    assert run_from(folder, *limits).returncode == 0


def run_from(folder, *limits):
    """`adadeep search --from`, as JSON."""
    words = [sys.executable, "-m", "adadeep", "search", "--from", str(folder), "--json", *limits]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=environment()
    )
