"""Networks of several inputs and outputs: the file has them in the network's order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.convert.precisions.int8 import INT8
from adadeep.convert.verify import ModelPort, max_difference, run_tflite
from adadeep.core.errors import ConversionError
from adadeep.core.rows import Rows, Several, each, together
from adadeep.measure.samples import model_inputs

pytestmark = pytest.mark.tf

COUNT = 20


def ends() -> tuple[list[Any], list[Any]]:
    """Three inputs, of two types, and three outputs of different sizes and ranges."""
    import keras

    start = [keras.initializers.GlorotUniform(seed=seed) for seed in range(4)]
    words = keras.Input((6,), name="words", dtype="int32")
    image = keras.Input((4,), name="image")
    unused = keras.Input((3,), name="unused")
    word = keras.layers.Embedding(20, 5, embeddings_initializer=start[0])(words)
    word = keras.layers.GlobalAveragePooling1D()(word)
    h = keras.layers.Concatenate()([image, word])
    h = keras.layers.Dense(8, "relu", kernel_initializer=start[1])(h)
    one = keras.layers.Dense(2, "tanh", kernel_initializer=start[2], name="z")(h)
    two = keras.layers.Dense(3, "softmax", kernel_initializer=start[3], name="y")(h)
    return [words, image, unused], [one, two, one * 2 - 1]


def as_lists(inputs: list[Any], outputs: list[Any]) -> Any:
    return inputs, outputs


def turned_round(inputs: list[Any], outputs: list[Any]) -> Any:
    return inputs[::-1], outputs[::-1]


def as_dictionaries(inputs: list[Any], outputs: list[Any]) -> Any:
    """Keras sorts keys: neither is in the order in which it was written."""
    return {end.name: end for end in inputs}, dict(zip("bca", outputs, strict=True))


def nested(inputs: list[Any], outputs: list[Any]) -> Any:
    return [inputs[1], {"words": inputs[0], "unused": inputs[2]}], (outputs[2], outputs[:2])


def with_an_output_twice(inputs: list[Any], outputs: list[Any]) -> Any:
    return inputs, [*outputs, outputs[0]]


SHAPES = [as_lists, turned_round, as_dictionaries, nested, with_an_output_twice]


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.__name__)
def network(request: pytest.FixtureRequest) -> Any:
    import keras

    return keras.Model(*request.param(*ends()))


def samples(model: Any) -> Rows:
    """In the order of the network's inputs."""
    rng = np.random.default_rng(0)
    return together(
        rng.integers(0, 20, (COUNT, *end.shape[1:])).astype("i4")
        if end.dtype == "int32"
        else rng.uniform(-1, 1, (COUNT, *end.shape[1:])).astype("f4")
        for end in model.inputs
    )


@pytest.fixture(scope="module")
def float_model(network: Any) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(network, FLOAT32, None, sparse=False)


@pytest.fixture(scope="module")
def int8_model(network: Any) -> bytes:
    from adadeep.convert.tflite import convert

    return convert(network, INT8, samples(network), sparse=False)


def by_keras(model: Any, x: Rows) -> Rows:
    """Of the function from flat inputs to flat outputs that Keras itself knows."""
    import keras

    flat = keras.Function(model.inputs, model.outputs)
    return together(np.asarray(array) for array in flat(list(each(x))))


def test_outputs_are_keras_own_in_the_order_of_the_network(
    network: Any, float_model: bytes, int8_model: bytes
) -> None:
    x = samples(network)
    expected = by_keras(network, x)
    for model, most in ((float_model, 1e-5), (int8_model, 0.05)):
        given = run_tflite(model, x)
        assert [a.shape for a in each(given)] == [a.shape for a in each(expected)]
        assert all(array.dtype == np.float32 for array in each(given))
        assert max_difference(given, expected) < most


def test_inputs_keep_the_networks_names_and_types(network: Any, float_model: bytes) -> None:
    found = model_inputs(float_model)
    assert [(end.name.partition(":")[0], end.dtype) for end in found] == [
        (end.name, end.dtype) for end in network.inputs
    ]


def test_names_that_a_file_cannot_hold_are_numbered() -> None:
    import keras

    from adadeep.convert.tflite import convert

    names = ["same", "Same", "left eye 2", "1st"]
    inputs = [keras.Input((2,), name=name) for name in names]
    model = keras.Model(inputs, keras.layers.Add()(inputs))
    found = model_inputs(convert(model, FLOAT32, None, sparse=False))
    assert [end.name for end in found] == ["input_0", "input_1", "left_eye_2", "input_3"]


def test_a_network_may_give_an_input_back() -> None:
    import keras

    from adadeep.convert.tflite import convert

    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    model = keras.Model([a, b], [b, keras.layers.Dense(2)(a)])
    x = samples(model)
    given = run_tflite(convert(model, FLOAT32, None, sparse=False), x)
    assert max_difference(given, by_keras(model, x)) < 1e-5


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_rows_are_the_same_however_many_compute_them(
    network: Any, float_model: bytes, workers: int
) -> None:
    x = together(np.repeat(array, 3, axis=0) for array in each(samples(network)))
    given = run_tflite(float_model, x, workers)
    for row in (0, len(x) - 1):
        assert max_difference(given[row : row + 1], run_tflite(float_model, x[row : row + 1])) == 0
    assert max_difference(given, run_tflite(float_model, x, 1)) == 0


def test_samples_of_too_few_inputs_or_of_other_shapes_are_refused(
    network: Any, float_model: bytes
) -> None:
    from adadeep.convert.tflite import convert

    x = samples(network)
    arrays = each(x)
    for wrong in (arrays[0], Several(arrays[:2]), Several((*arrays[:2], arrays[2][:, :1]))):
        with pytest.raises(ConversionError, match=r"takes samples of shape .* and .*, not"):
            run_tflite(float_model, wrong)
    with pytest.raises(ConversionError, match="needs representative samples"):
        convert(network, INT8, x[:0], sparse=False)


def test_a_port_says_what_it_takes_and_turns_outputs_back(network: Any, int8_model: bytes) -> None:
    x = samples(network)
    port = ModelPort(int8_model)
    assert port.sample_shapes == tuple(end.shape[1:] for end in network.inputs)
    assert [array.dtype.name for array in port.encode(x)] == [end.dtype for end in network.inputs]
    room = port.room(COUNT)
    port.run(iter(range(COUNT)), port.encode(x), room)
    assert max_difference(port.decode(room), by_keras(network, x)) < 0.05
