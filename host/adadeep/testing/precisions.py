"""What every precision does: what it says of itself is true of what it converts to."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from adadeep.convert.verify import max_difference, run_tflite
from adadeep.core.errors import ConversionError
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.precision import Precision
from adadeep.core.rows import each
from adadeep.training.metrics.accuracy import ACCURACY

X = np.random.default_rng(0).uniform(size=(40, 96)).astype(np.float32)
SIZES = 96, 512, 128, 10
SPEC = ModelSpec(
    "three dense layers",
    SIZES[:1],
    tuple(
        LayerSpec(
            f"d{to}",
            LayerKind.DENSE,
            (of,),
            (to,),
            weights=of * to,
            nonzero_weights=of * to,
            inputs=(before,),
        )
        for of, to, before in zip(SIZES, SIZES[1:], ("", "d512", "d128"), strict=False)
    ),
)

_CONVERTED: dict[tuple[int, bool], tuple[Precision, bytes]] = {}


@cache
def network() -> Any:
    """The network of `SPEC`."""
    import keras

    start = [keras.initializers.GlorotUniform(seed=seed) for seed in range(3)]
    x = inputs = keras.Input(SIZES[:1])
    for size, kernel in zip(SIZES[1:], start, strict=True):
        ending = "softmax" if size == SIZES[-1] else "relu"
        x = keras.layers.Dense(size, ending, kernel_initializer=kernel)(x)
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


def converted(precision: Precision, is_sparse: bool = False) -> bytes:
    """`network`, or `half_empty`, in a precision; converted once."""
    from adadeep.convert.tflite import convert

    key = id(precision), is_sparse
    if key not in _CONVERTED:
        model = half_empty() if is_sparse else network()
        _CONVERTED[key] = precision, convert(model, precision, X, sparse=is_sparse)
    return _CONVERTED[key][1]


class PrecisionKit:
    """The contract of `Precision` in `core/precision.py`."""

    @pytest.fixture
    def precision(self) -> Precision:
        """The precision; to be overridden."""
        raise NotImplementedError

    def test_its_name_is_one_that_plans_may_hold(self, precision: Precision) -> None:
        assert CompressionPlan(precision=precision.name).precision == precision.name
        assert precision.title

    def test_its_numbers_can_be(self, precision: Precision) -> None:
        assert 1 <= precision.weight_bits <= 64
        assert 1 <= precision.activation_bits <= 64
        assert 0 < precision.tolerance < 1

    def test_computes_nearly_what_keras_does(self, precision: Precision) -> None:
        [outputs] = each(run_tflite(converted(precision), X))
        expected = np.asarray(network()(X))
        assert outputs.dtype == np.float32
        assert max_difference(outputs, expected) <= precision.tolerance
        assert ACCURACY.agreement(outputs, expected) == 1.0 or not precision.runs_as_trained

    def test_input_and_output_are_float32(self, precision: Precision) -> None:
        from ai_edge_litert.interpreter import Interpreter

        model = Interpreter(model_content=converted(precision))
        for detail in (*model.get_input_details(), *model.get_output_details()):
            assert detail["dtype"] is np.float32

    def test_a_weight_takes_as_many_bits_as_it_says(self, precision: Precision) -> None:
        size = SPEC.in_precision(precision).parameter_storage_bytes
        assert size <= len(converted(precision)) < 1.1 * size + 8000

    def test_zeros_are_left_out_exactly_if_it_says_so(self, precision: Precision) -> None:
        dense, sparse = (len(converted(precision, empty)) for empty in (False, True))
        assert (sparse < 0.6 * dense) == precision.stores_sparse
        outputs = run_tflite(converted(precision, is_sparse=True), X)
        found = max_difference(outputs, np.asarray(half_empty()(X)))
        assert found <= precision.tolerance

    def test_one_that_needs_samples_is_refused_without(self, precision: Precision) -> None:
        from adadeep.convert.tflite import convert

        for nothing in (None, X[:0]):
            if precision.needs_samples:
                with pytest.raises(ConversionError, match=f"{precision.name} needs"):
                    convert(network(), precision, nothing, sparse=False)
            else:
                assert convert(network(), precision, nothing, sparse=False)
