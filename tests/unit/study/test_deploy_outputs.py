"""What a device gives for real samples is compared only if it can be."""

import json
import types

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.core.errors import ConfigError, DeviceError
from adadeep.study import deploy
from adadeep.training.metrics.accuracy import ACCURACY
from fakes import good_files
from fakes.mutations import with_value

HERE = np.array([[0.0, 1.0], [1.0, 0.0]], "f4")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(deploy, "run_tflite", lambda model, inputs: HERE)
    port = types.SimpleNamespace(decode=lambda outputs: outputs)
    return types.SimpleNamespace(
        best=b"", inputs=HERE, port=port, precision=FLOAT32, metric=ACCURACY
    )


def compared(run, outputs):
    return deploy._compared(run, types.SimpleNamespace(outputs=outputs), "toy-1")


def test_outputs_as_they_are_here_agree(run):
    agreed = compared(run, [[row[np.newaxis]] for row in HERE])
    assert (agreed.max_abs_difference, agreed.by_metric) == (0.0, 1.0)


@pytest.mark.parametrize(
    "outputs",
    [
        [], [[]], [[], []], [[HERE[:1]]], [[HERE[:1]], [HERE]], [[HERE[:1]], [HERE[0]]],
        [[np.zeros((1, 3), "f4")]] * 2,
    ],
)  # fmt: skip
def test_outputs_of_other_shapes_are_an_error_of_the_device(run, outputs):
    with pytest.raises(DeviceError, match=r"toy-1: .*other shapes"):
        compared(run, outputs)


def test_outputs_that_are_near_but_decide_otherwise_do_not_agree(run):
    run.precision = types.SimpleNamespace(tolerance=1.0)
    with pytest.raises(DeviceError, match=r"toy-1: .*agree to 50% by accuracy \(at least 95%\)"):
        compared(run, [[HERE[:1]], [HERE[:1]]])


@pytest.mark.parametrize(
    ("path", "kind"), [(("best", "plan", "precision"), "precision"), (("metric",), "metric")]
)
def test_a_run_that_needs_a_package_which_is_not_installed_says_so(tmp_path, path, kind):
    folder = good_files.write_run(tmp_path / "run")
    deploy.load_run(folder)
    plan = json.loads((folder / "plan.json").read_text())
    value = '"theirs"' if kind == "precision" else '{"name": "theirs"}'
    (folder / "plan.json").write_bytes(with_value(plan, ("targets", 0, *path), value))
    with pytest.raises(ConfigError, match=f"unknown {kind} 'theirs'.*There are: "):
        deploy.load_run(folder)


def test_outputs_that_are_no_numbers_do_not_agree(run):
    with pytest.raises(DeviceError, match=r"toy-1: .*something else"):
        compared(run, [[np.full((1, 2), np.nan, "f4")]] * 2)
