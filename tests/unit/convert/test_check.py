"""A .tflite against its network, int8 in part, and what it costs by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.convert.precisions.registry import PRECISIONS, of_a_search
from adadeep.convert.verify import output_steps, run_tflite
from adadeep.core.errors import ConversionError
from adadeep.core.rows import Rows, Several

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(1)
X = Several((RNG.uniform(size=(40, 8, 8, 1)).astype("f4"), RNG.uniform(size=(40, 6)).astype("f4")))


@pytest.fixture(scope="module")
def network() -> Any:
    """Two inputs that meet, two outputs; the kernel of `wide` is one that int8 can't tell well."""
    import keras

    start = iter(keras.initializers.GlorotUniform(seed=seed) for seed in range(9))
    image, other = keras.Input((8, 8, 1), name="image"), keras.Input((6,), name="other")
    a = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer=next(start), name="c")(
        image
    )
    a = keras.layers.Flatten()(a)
    b = keras.layers.Dense(8, "relu", kernel_initializer=next(start), name="d")(other)
    h = keras.layers.Concatenate()([a, b])
    h = keras.layers.Dense(16, "relu", kernel_initializer=next(start), name="wide")(h)
    one = keras.layers.Dense(3, "softmax", kernel_initializer=next(start), name="one")(h)
    two = keras.layers.Dense(2, kernel_initializer=next(start), name="two")(h)
    model = keras.Model([image, other], [one, two])
    kernel = np.asarray(model.get_layer("wide").kernel).copy()
    kernel[0, 0] = 60  # one scale for all of the dense kernel: the other weights become 0
    model.get_layer("wide").kernel.assign(kernel)
    return model


def converted(model: Any, name: str, x: Rows = X) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(model, PRECISIONS.get(name), x, sparse=False)


@pytest.mark.parametrize("name", list(PRECISIONS))
def test_every_precision_passes_of_a_sound_conversion(network: Any, name: str) -> None:
    from adadeep.convert.check import check

    found = check(network, converted(network, name), PRECISIONS.get(name), X)
    assert found.samples == 32
    assert found.sqnr_db > 1


def test_the_file_of_another_network_is_refused(network: Any) -> None:
    import keras

    from adadeep.convert.check import check

    other = keras.models.clone_model(network)
    for name in of_a_search():
        with pytest.raises(ConversionError, match="does not compute what the network does"):
            check(network, converted(other, name), PRECISIONS.get(name), X)


def test_integers_have_steps_and_floats_none(network: Any) -> None:
    assert output_steps(converted(network, "float32")) == (0.0, 0.0)
    softmax, linear = output_steps(converted(network, "int8"))
    assert softmax == 1 / 256
    assert linear > 0
    assert output_steps(converted(network, "int8_inner")) == (0.0, 0.0)


def test_between_the_ends_is_what_sees_a_layer_and_is_seen_by_one(network: Any) -> None:
    from adadeep.convert.calibrated import Calibrated
    from adadeep.convert.losses import _Ranges
    from adadeep.convert.tflite import convert

    calibrated = Calibrated(convert(network, _Ranges(), X, sparse=False))
    left = {operator.kernel.size for operator in calibrated.ends if operator.kernel}
    sizes = {operator.kernel.size for operator in calibrated.heavy}
    wide = network.get_layer("wide").kernel.shape
    assert sizes - left == {wide[0] * wide[1]}


def test_the_loss_is_that_of_the_layer_which_int8_cannot_tell(network: Any) -> None:
    from adadeep.convert.losses import int8_losses

    found = {loss.layers: loss.sqnr_db for loss in int8_losses(network, X, X)}
    assert sorted(found) == [("c",), ("d",), ("one",), ("two",), ("wide",)]
    assert min(found, key=found.__getitem__) == ("wide",)
    assert found["wide",] < min(found["c",], found["d",]) - 10


def test_many_layers_are_told_in_parts_none_left_out() -> None:
    import keras

    from adadeep.convert.losses import int8_losses

    x = inputs = keras.Input((4,))
    for number in range(20):
        x = keras.layers.Dense(4 + number % 3, "tanh", name=f"d_{number}")(x)
    found = int8_losses(keras.Model(inputs, x), X.arrays[1][:, :4], X.arrays[1][:, :4])
    assert len(found) <= 16
    assert [name for loss in found for name in loss.layers] == [f"d_{n}" for n in range(20)]


def test_a_search_tries_what_it_must_be_told_to_only_if_told() -> None:
    assert of_a_search() == ("float32", "int8")
    assert of_a_search(["float16", "W3"]) == ("float32", "int8", "float16")


def test_float16_computes_as_float32_from_half_the_file(network: Any) -> None:
    whole, half = converted(network, "float32"), converted(network, "float16")
    assert len(half) < len(whole)
    given, expected = run_tflite(half, X), run_tflite(whole, X)
    for here, there in zip(given.arrays, expected.arrays, strict=True):
        assert 0 < np.abs(here - there).max() < 0.01 * np.ptp(there)
