"""The contract of every precision: what it says of itself is true of what it converts to."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.verify import max_difference, run_tflite
from adadeep.core.errors import ConversionError
from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan
from adadeep.core.precision import Precision
from adadeep.training.metrics.accuracy import ACCURACY

X = np.random.default_rng(0).uniform(size=(40, 96)).astype(np.float32)
WEIGHTS = 96 * 512 + 512 * 10


@cache
def network() -> Any:
    import keras

    start = [keras.initializers.GlorotUniform(seed=seed) for seed in (1, 2)]
    inputs = keras.Input((96,))
    x = keras.layers.Dense(512, "relu", kernel_initializer=start[0])(inputs)
    x = keras.layers.Dense(10, "softmax", kernel_initializer=start[1])(x)
    return keras.Model(inputs, x)


@cache
def half_empty() -> Any:
    """The same with three quarters of the weights removed, in the blocks that kernels know."""
    import keras

    model = keras.models.clone_model(network())
    for layer, original in zip(model.layers[1:], network().layers[1:], strict=True):
        kernel = np.asarray(original.kernel).copy()
        kernel[np.arange(len(kernel)) // 4 % 4 > 0] = 0
        layer.kernel.assign(kernel)
    return model


@cache
def converted(name: str, is_sparse: bool = False) -> bytes:
    from adadeep.convert.tflite import convert

    model = half_empty() if is_sparse else network()
    return convert(model, PRECISIONS.get(name), X, sparse=is_sparse)


@pytest.fixture(params=list(PRECISIONS))
def precision(request: pytest.FixtureRequest) -> Precision:
    return PRECISIONS.get(request.param)


def test_a_precision_has_the_name_that_it_is_registered_by(precision: Precision) -> None:
    assert PRECISIONS.get(precision.name) is precision
    assert precision.title
    assert CompressionPlan(precision=precision.name).precision == precision.name


def test_its_numbers_can_be(precision: Precision) -> None:
    assert 1 <= precision.weight_bits <= 64
    assert 1 <= precision.activation_bits <= 64
    assert 0 < precision.tolerance < 1


def test_there_is_the_one_of_a_plan_that_names_none() -> None:
    unchanged = PRECISIONS.get(UNCHANGED_PRECISION)
    assert unchanged.runs_as_trained
    assert (unchanged.weight_bits, unchanged.activation_bits) == (32, 32)


@pytest.mark.tf
class TestConverted:
    def test_computes_nearly_what_keras_does(self, precision: Precision) -> None:
        outputs = run_tflite(converted(precision.name), X)
        expected = np.asarray(network()(X))
        assert outputs.dtype == np.float32
        assert max_difference(outputs, expected) <= precision.tolerance
        assert ACCURACY.agreement(outputs, expected) == 1.0 or not precision.runs_as_trained

    def test_input_and_output_are_float32(self, precision: Precision) -> None:
        from ai_edge_litert.interpreter import Interpreter

        model = Interpreter(model_content=converted(precision.name))
        for detail in (*model.get_input_details(), *model.get_output_details()):
            assert detail["dtype"] is np.float32

    def test_a_weight_takes_as_many_bits_as_it_says(self, precision: Precision) -> None:
        size = WEIGHTS * precision.weight_bits / 8
        assert size <= len(converted(precision.name)) < 1.1 * size + 8000

    def test_zeros_are_left_out_exactly_if_it_says_so(self, precision: Precision) -> None:
        dense, sparse = (len(converted(precision.name, empty)) for empty in (False, True))
        assert (sparse < 0.6 * dense) == precision.stores_sparse
        x, model = X, converted(precision.name, is_sparse=True)
        found = max_difference(run_tflite(model, x), np.asarray(half_empty()(x)))
        assert found <= precision.tolerance

    def test_one_that_needs_samples_is_refused_without(self, precision: Precision) -> None:
        from adadeep.convert.tflite import convert

        for nothing in (None, X[:0]):
            if precision.needs_samples:
                with pytest.raises(ConversionError, match=f"{precision.name} needs"):
                    convert(network(), precision, nothing, sparse=False)
            else:
                assert convert(network(), precision, nothing, sparse=False)


def test_listing_them_imports_no_tensorflow() -> None:
    code = (
        "import sys; from adadeep.convert.precisions.registry import PRECISIONS as known;"
        "print(*(known.get(name).name for name in known));"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(PRECISIONS)
