"""What a device gives for real samples is compared only if it can be."""

import types

import numpy as np
import pytest

from adadeep.core.errors import DeviceError
from adadeep.study import deploy

HERE = np.array([[0.0, 1.0], [1.0, 0.0]], "f4")


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(deploy, "run_tflite", lambda model, inputs: HERE)
    port = types.SimpleNamespace(decode=lambda outputs: outputs)
    return types.SimpleNamespace(best=b"", inputs=HERE, port=port, tolerance=1e-3)


def compared(run, outputs):
    return deploy._compared(run, types.SimpleNamespace(outputs=outputs), "toy-1")


def test_outputs_as_they_are_here_agree(run):
    agreed = compared(run, [[row[np.newaxis]] for row in HERE])
    assert (agreed.max_abs_difference, agreed.argmax_agreement) == (0.0, 1.0)


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


def test_outputs_that_are_no_numbers_do_not_agree(run):
    with pytest.raises(DeviceError, match=r"toy-1: .*something else"):
        compared(run, [[np.full((1, 2), np.nan, "f4")]] * 2)
