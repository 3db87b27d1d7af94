"""What networks of all kinds of layers cost, against counts by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.layers import LayerKind

pytestmark = pytest.mark.tf


def spec_of(model: Any) -> Any:
    from adadeep.compress.describe import model_spec

    return model_spec(model)


def of_one(shape: tuple[int, ...], kind: str, arguments: dict[str, Any]) -> Any:
    import keras

    inputs = keras.Input(shape)
    if kind == "TimeDistributed":  # of which nothing here knows a formula
        arguments = {"layer": keras.layers.Dense(4)}
    return keras.Model(inputs, getattr(keras.layers, kind)(name="odd", **arguments)(inputs))


@pytest.mark.parametrize(
    ("shape", "kind", "arguments", "macs"),
    [
        ((9, 9, 4), "Conv2D", {"filters": 6, "kernel_size": 3, "groups": 2}, 49 * 9 * 2 * 6),
        ((9, 9, 4), "Conv2D", {"filters": 6, "kernel_size": 3, "strides": 2}, 16 * 9 * 4 * 6),
        ((9, 9, 4), "Conv2D", {"filters": 6, "kernel_size": 3, "dilation_rate": 2}, 25 * 36 * 6),
        ((9, 4), "Conv1D", {"filters": 6, "kernel_size": 3}, 7 * 3 * 4 * 6),
        ((9, 4), "DepthwiseConv1D", {"kernel_size": 3}, 7 * 3 * 4),
        ((9, 9, 4), "DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, 49 * 9 * 8),
        ((9, 9, 4), "SeparableConv2D", {"filters": 6, "kernel_size": 3}, 49 * (36 + 24)),
        ((9, 4), "SeparableConv1D", {"filters": 6, "kernel_size": 3}, 7 * (12 + 24)),
        ((5, 5, 4), "Conv2DTranspose", {"filters": 6, "kernel_size": 3, "strides": 2}, 25 * 216),
        ((5, 4), "Conv1DTranspose", {"filters": 6, "kernel_size": 3, "strides": 2}, 5 * 72),
        ((5, 5, 5, 4), "Conv3D", {"filters": 6, "kernel_size": 3}, 27 * 27 * 4 * 6),
        ((4, 4, 4, 3), "Conv3DTranspose", {"filters": 2, "kernel_size": 2}, 64 * 8 * 6),
        ((7, 5), "LSTM", {"units": 4}, 7 * 4 * 4 * (5 + 4)),
        ((7, 5), "GRU", {"units": 4}, 7 * 3 * 4 * (5 + 4)),
        ((7, 5), "Dense", {"units": 4}, 7 * 5 * 4),
        ((7, 5), "EinsumDense", {"equation": "abc,cd->abd", "output_shape": (7, 4)}, 140),
        ((7, 5), "TimeDistributed", {"layer": "Dense"}, 7 * 5 * 4),
        ((9, 9, 4), "UpSampling2D", {}, 0),
        ((9, 9, 4), "LayerNormalization", {}, 0),
    ],
)
def test_the_multiplications_of_any_layer_are_counted(
    shape: tuple[int, ...], kind: str, arguments: dict[str, Any], macs: int
) -> None:
    model = of_one(shape, kind, arguments)
    spec = spec_of(model)
    assert spec.macs == macs
    assert spec.weights == model.count_params()


def test_both_directions_of_a_recurrent_layer_count() -> None:
    import keras
    from keras import layers

    x = keras.Input((7, 5))
    spec = spec_of(keras.Model(x, layers.Bidirectional(layers.LSTM(4))(x)))
    assert spec.macs == 2 * 7 * 4 * 4 * (5 + 4)


def test_attention_counts_projections_and_scores() -> None:
    import keras
    from keras import layers

    x = keras.Input((6, 8))
    spec = spec_of(keras.Model(x, layers.MultiHeadAttention(2, 3)(x, x)))
    assert spec.macs == 6 * 8 * 6 * 4 + 2 * 6 * 6 * 2 * 3


def test_a_layer_that_is_called_twice_computes_twice_and_is_stored_once() -> None:
    import keras
    from keras import layers

    first, second = keras.Input((9, 9, 4), name="first"), keras.Input((9, 9, 4), name="second")
    conv = layers.Conv2D(6, 3, name="conv")
    model = keras.Model([first, second], layers.Add(name="sum")([conv(first), conv(second)]))
    spec = spec_of(model)
    assert [one.name for one in spec.layers] == ["conv", "conv@2", "sum"]
    assert (spec.layer("conv@2").repeats, spec.layer("conv@2").group) == ("conv", "conv")
    assert spec.layer("sum").inputs == ("conv", "conv@2")
    assert spec.weights == model.count_params()
    assert spec.macs == 2 * 49 * 9 * 4 * 6
    assert spec.parameter_storage_bytes == 4 * model.count_params()
    assert spec.input_shapes == ((9, 9, 4), (9, 9, 4))


def test_operations_that_look_alike_are_told_apart() -> None:
    import keras
    from keras import ops

    x = keras.Input((4, 4, 3))
    factors = np.array([1.0, 2.0, 3.0], np.float32)
    for value, kind in (
        (x * 2.0, LayerKind.ACTIVATION),
        (2.0 - x, LayerKind.ACTIVATION),
        (x * factors, LayerKind.OTHER),
        (ops.relu(x), LayerKind.ACTIVATION),
        (ops.concatenate([x, x], axis=-1), LayerKind.CONCAT),
        (ops.concatenate([x, x], axis=1), LayerKind.OTHER),
        (x + ops.sum(x, axis=-1, keepdims=True), LayerKind.OTHER),
        (x + ops.sum(x, axis=1, keepdims=True), LayerKind.ADD),
    ):
        last = spec_of(keras.Model(x, value)).layers[-1]
        assert last.kind is kind, last


def test_an_output_that_is_read_too_is_known_as_one() -> None:
    import keras
    from keras import layers

    x = keras.Input((4,))
    first = layers.Dense(3, name="first")(x)
    second = layers.Dense(2, name="second")(first)
    both = spec_of(keras.Model(x, [first, second]))
    assert both.outputs == ("first", "second")
    assert both.gives_output("first")
    alone = spec_of(keras.Model(x, second))
    assert alone.outputs == ()
    assert alone.gives_output("second")
    assert not alone.gives_output("first")


def test_an_open_size_within_a_network_is_refused() -> None:
    import keras
    from keras import layers

    x = keras.Input((None, 4))
    with pytest.raises(ConfigError, match=r"has an open size \(None, 4\)"):
        spec_of(keras.Model(x, layers.Conv1D(3, 3, name="conv")(x)))
