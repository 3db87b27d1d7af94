"""What a device gives for real samples is compared only if it can be."""

import dataclasses
import json
import types

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.core import rows
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError, DeviceError
from adadeep.core.noise import PRIOR
from adadeep.core.rows import Several
from adadeep.storage.run_folder import RunFolder
from adadeep.study import deploy
from adadeep.testing.measurements import together
from adadeep.training.metrics.accuracy import ACCURACY
from fakes import good_files, run_folder
from fakes.mutations import with_value

HERE = np.array([[0.0, 1.0], [1.0, 0.0]], "f4")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(deploy, "run_tflite", lambda model, inputs: HERE)
    port = types.SimpleNamespace(decode=rows.together)
    return types.SimpleNamespace(
        best=b"", inputs=HERE, port=port, precision=FLOAT32, metric=ACCURACY
    )


def compared(run, outputs):
    measured = types.SimpleNamespace(outputs=[outputs, []])  # of the winner, and of the other
    return deploy._compared(run, measured, "toy-1")


def test_outputs_as_they_are_here_agree(run):
    agreed = compared(run, [[row[np.newaxis]] for row in HERE])
    assert (agreed.max_abs_difference, agreed.by_metric) == (0.0, 1.0)


@pytest.mark.parametrize(
    "outputs",
    [
        [], [[]], [[], []], [[HERE[:1]]], [[HERE[:1]], [HERE]], [[HERE[:1]], [HERE[0]]],
        [[HERE[:1], HERE[:1]]] * 2,
        [[np.zeros((1, 3), "f4")]] * 2,
    ],
)  # fmt: skip
def test_outputs_of_other_shapes_are_an_error_of_the_device(run, outputs):
    with pytest.raises(DeviceError, match=r"toy-1: .*other shapes"):
        compared(run, outputs)


def test_outputs_of_several_ends_are_compared_one_by_one(run, monkeypatch):
    both = Several((HERE, HERE[:, :1] + 5))
    monkeypatch.setattr(deploy, "run_tflite", lambda model, inputs: both)
    run.metric = types.SimpleNamespace(title="", agreement=lambda a, b: 1.0, least_agreement=1.0)
    given = [[array[n : n + 1] for array in both.arrays] for n in range(len(both))]
    assert compared(run, given).max_abs_difference == 0
    given[1][1] = given[1][1] + 0.5
    with pytest.raises(DeviceError, match=r"differ by up to 0\.5"):
        compared(run, given)


def test_outputs_that_are_near_but_decide_otherwise_do_not_agree(run):
    run.precision = types.SimpleNamespace(tolerance=1.0)
    with pytest.raises(DeviceError, match=r"toy-1: .*agree to 50% by accuracy \(at least 95%\)"):
        compared(run, [[HERE[:1]], [HERE[:1]]])


@pytest.mark.parametrize(
    ("write", "path", "kind"),
    [
        (good_files.write_run, ("targets", 0, "best", "plan", "precision"), "precision"),
        (good_files.write_run, ("targets", 0, "metric"), "metric"),
        (good_files.write_run_of_0_1, ("best", "plan", "precision"), "precision"),
    ],
)
def test_a_run_that_needs_a_package_which_is_not_installed_says_so(tmp_path, write, path, kind):
    folder = write(tmp_path / "run")
    deploy.load_run(folder)
    plan = json.loads((folder / "plan.json").read_text())
    value = '"theirs"' if kind == "precision" else '{"name": "theirs"}'
    (folder / "plan.json").write_bytes(with_value(plan, path, value))
    with pytest.raises(ConfigError, match=f"unknown {kind} 'theirs'.*There are: "):
        deploy.load_run(folder)


def test_a_device_of_the_search_gets_its_own_winner_and_another_the_first(tmp_path):
    inputs = np.zeros((4, 64), "f4")
    models = good_files.MODEL, good_files.OTHER_MODEL
    run_folder.write_run(tmp_path, *models, inputs, other=good_files.OTHER_MODEL)
    assert deploy.load_run(tmp_path, run_folder.OTHER_FINGERPRINT).best == good_files.OTHER_MODEL
    assert deploy.load_run(tmp_path, "of no search").best == good_files.MODEL


def verdicts(folder, **limits):
    """Of a winner that takes 0.5 ms now; the initial network takes 3 ms."""
    target = RunFolder(folder).plan.targets[0]
    target = dataclasses.replace(target, limits=dataclasses.replace(target.limits, **limits))
    session = together([b"best", b"initial"], [500_000, 3_000_000])
    return deploy.deployed_verdicts(target, session, PRIOR)


@pytest.mark.parametrize("write", [good_files.write_run, good_files.write_run_of_0_1])
def test_the_limit_of_time_is_held_against_what_is_measured_now(tmp_path, write):
    folder = write(tmp_path / "run")
    given, own = verdicts(folder), verdicts(folder, max_latency_ms=1.5)  # the initial network's T
    assert given.latency_ms.limit == 2.0
    assert given.latency_ms.estimate == pytest.approx(0.5)
    assert own.latency_ms.limit == pytest.approx(3.0)
    assert own.latency_ms.estimate == pytest.approx(0.5)
    assert "measured now" in own.latency_ms.basis
    assert all(one.latency_ms.low < 0.5 < one.latency_ms.high for one in (given, own))


def test_a_limit_of_a_percentile_is_held_against_that_of_the_winner(tmp_path):
    target = RunFolder(good_files.write_run(tmp_path)).plan.targets[0]
    demand = UserDemand(max_latency_ms=2.0, latency_statistic="p95")
    target = dataclasses.replace(target, demand=demand)
    session = together([b"best", b"initial"], [500_000, 3_000_000])
    verdict = deploy.deployed_verdicts(target, session, PRIOR).latency_ms
    assert verdict.basis.endswith(", p95")
    cold = dataclasses.replace(demand, latency_statistic="cold")
    target = dataclasses.replace(target, demand=cold)
    assert deploy.deployed_verdicts(target, session, PRIOR).latency_ms.estimate is None


def test_other_verdicts_are_those_of_the_search_and_of_0_1_without_an_interval(tmp_path):
    now = verdicts(good_files.write_run(tmp_path / "now"))
    old = verdicts(good_files.write_run_of_0_1(tmp_path / "old"))
    assert (now.accuracy_loss.estimate, now.accuracy_loss.basis) == (0.01, "by hand")
    assert old.accuracy_loss.estimate == 0.0
    assert old.accuracy_loss.limit == pytest.approx(0.07)
    assert old.accuracy_loss.high is None
    assert (old.energy_mj.text, old.storage_bytes.text) == ("met", "broken")


def test_outputs_that_are_no_numbers_do_not_agree(run):
    with pytest.raises(DeviceError, match=r"toy-1: .*something else"):
        compared(run, [[np.full((1, 2), np.nan, "f4")]] * 2)
