"""A search with what a package brings that is no part of adadeep: its entry points are enough.

The package is in tests/plugin_package; tests/contract/test_plugin_package.py runs kits over it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.device_profile import ProfileReference
from adadeep.core.measurement import Measurement
from adadeep.core.trial import TrialState
from adadeep.profiles import files
from adadeep.storage.journal import read_journal
from adadeep.study.trials import trial_on
from fakes.own_profile import save_own_profile

PACKAGE = Path(__file__).parents[1] / "plugin_package"
Run = tuple[Path, dict[str, Any]]
BROUGHT = {
    "task cells", "network perceptron", "data set cells", "recipe cells", "metric brier",
    "technique P1", "precision half", "sampler singles", "cost source power",
    "executor networks-first", "agent their-agent",
}  # fmt: skip
CHOICES = (
    "-d", "local", "--sampler", "singles", "--preset", "backwards", "--cost-source", "power",
    "--executor", "networks-first",
)  # fmt: skip
SEARCH = ("search", "cells", *CHOICES, "--agent", "their-agent")


def adadeep(*words: str, installed: bool) -> subprocess.CompletedProcess[str]:
    folders = [str(PACKAGE)] * installed + [part for part in sys.path if part]
    return subprocess.run(
        [sys.executable, "-m", "adadeep", *words], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of this computer's profile, in a library of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADADEEP_LIBRARY", str(tmp_path_factory.mktemp("library")))
        yield save_own_profile()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, profile: str) -> Run:
    """A finished search: its folder, and its document."""
    folder = tmp_path_factory.mktemp("run")
    done = adadeep(*SEARCH, "--episodes", "8", "-o", str(folder), "--json", installed=True)
    assert done.returncode in (0, 4), done.stderr  # by what was measured
    return folder, json.loads(done.stdout)


def measured_models(folder: Path) -> list[Measurement]:
    """Of all sessions of a run, each model of each."""
    sessions = read_journal(folder).measured.values()
    return [one for session in sessions for one in session.measurements]


@pytest.mark.tf
@pytest.mark.slow
class TestSearch:
    def test_all_of_it_takes_part(self, run: Run) -> None:
        _, document = run
        assert (document["sampler"], document["preset"]) == ("singles", "backwards")
        assert document["look_ahead"] == 2  # of networks-first
        (target,) = document["targets"]
        assert target["agent"] == "their-agent"
        assert target["provenances"] == {"latency_ms": "measured", "energy_mj": "fitted"}
        assert target["metric"]["title"] == "Brier score"
        on = {trial["label"]: trial["on"][target["key"]] for trial in document["trials"]}
        for label in ("half", "fc2:P1(share=0.25)", "fc2:P1(share=0.5)"):
            cost = on[label]["cost"]
            assert cost["energy_mj"]["value"] == pytest.approx(2 * cost["latency_ms"]["value"])
        whole = on["initial"]["cost"]["storage_bytes"]
        assert whole == 4 * (31 * 64 + 65 * 64 + 65 * 2)  # of the perceptron
        assert on["half"]["cost"]["storage_bytes"] == whole / 2
        assert on["fc2:P1(share=0.5)"]["cost"]["storage_bytes"] < 0.7 * whole

    def test_the_run_says_what_took_part(self, run: Run) -> None:
        folder, document = run
        expected = dict.fromkeys(BROUGHT, "their-plugins 1.2")
        assert document["plugins"] == expected
        assert read_journal(folder).sessions[-1].session.plugins == expected

    def test_it_is_one_session_of_the_devices_profile(self, run: Run, profile: str) -> None:
        folder, document = run
        (session,) = files.load(profile).sessions
        (target,) = document["targets"]
        content = read_journal(folder)
        assert (session.command, session.study) == ("search cells", content.id)
        measured = measured_models(folder)
        assert session.models == len(measured)
        assert session.suspect == len([one for one in measured if one.disturbed])
        sha256 = target["initial"]["model_sha256"]
        initial = [one for one in measured if one.model_sha256 == sha256 and not one.disturbed]
        kept = ProfileReference.of(initial[-1]) if initial else None
        assert session.reference == kept

    def test_its_winner_is_deployed(self, run: Run, profile: str) -> None:
        words = ("deploy", str(run[0]), "-d", "local", "--agent", "their-agent", "--json")
        done = adadeep(*words, installed=True)
        assert done.returncode == 0, done.stderr
        (deployment,) = json.loads(done.stdout)["deployments"]
        assert deployment["agreement"]["argmax_agreement"] == 1.0
        session = files.load(profile).sessions[-1]
        assert (session.command, session.models) == ("deploy", 2)

    def test_with_it_the_search_goes_on(self, run: Run, profile: str) -> None:
        folder, _ = run
        before = files.load(profile).sessions
        measured = len(measured_models(folder))
        done = adadeep(*SEARCH, "--episodes", "9", "-o", str(folder), "--json", installed=True)
        assert done.returncode in (0, 4), done.stderr
        assert json.loads(done.stdout)["episodes_asked"] == 9
        assert "otherwise" not in done.stderr
        new = len(measured_models(folder)) - measured
        sessions = files.load(profile).sessions[len(before) :]
        assert [one.models for one in sessions] == [new] * bool(new)

    def test_without_the_package_the_journal_is_read(self, run: Run) -> None:
        folder, document = run
        content = read_journal(folder)
        labels = {record.plan.label for record in content.trials.values()}
        assert {trial["label"] for trial in document["trials"]} <= labels
        (target,) = content.targets.values()
        trials = [trial_on(content, record, target) for record in content.trials.values()]
        assert {trial.state for trial in trials} == {TrialState.INCOMPLETE}
        assert "'power' of their-plugins 1.2" in (trials[0].reason or "")
        done = adadeep("runs", "show", str(folder), installed=False)
        assert done.returncode == 0
        assert "Brier score" in done.stdout
        assert "'power' of their-plugins 1.2, which is not installed here" in done.stderr

    @pytest.mark.parametrize(
        ("words", "unknown"),
        [(("search", "cells", "-o"), "task 'cells'"), (("deploy",), "metric 'brier'")],
    )
    def test_without_the_package_what_is_missing_is_said(
        self, run: Run, words: tuple[str, ...], unknown: str
    ) -> None:
        done = adadeep(*words, str(run[0]), "-d", "local", installed=False)
        assert (done.returncode, done.stdout) == (2, "")
        error, missing = done.stderr.splitlines()
        assert error.startswith("error: unknown ")
        assert unknown in error or "precision 'half'" in error
        assert missing.startswith(
            "their-plugins 1.2 took part in this run and is not installed here: "
        )


def test_an_entry_that_is_not_installed_is_an_unknown_name() -> None:
    done = adadeep("search", "cells", *CHOICES, installed=False)
    assert done.returncode == 2
    wanted = ("task 'cells", "sampler 'singles", "cost source 'power", "executor 'networks")
    assert [words for words in wanted if f"unknown {words}" not in done.stderr] == []


def test_doctor_lists_what_the_package_adds() -> None:
    done = adadeep("doctor", "-d", "no-such-device", "--json", installed=True)
    listed = json.loads(done.stdout)["plugins"]
    assert {f"{one['kind']} {one['name']}" for one in listed} == BROUGHT
    assert {(one["package"], one["version"]) for one in listed} == {("their-plugins", "1.2")}
    assert [one["problem"] for one in listed if one["problem"]] == []


def test_help_lists_what_the_package_adds() -> None:
    text = " ".join(adadeep("search", "--help", installed=True).stdout.split())
    for words in ("singles", "forwards backwards", "power (2 W for", "networks-first (every"):
        assert words in text
