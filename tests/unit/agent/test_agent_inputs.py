"""What a model is fed: indices, open sizes, ranges, and what can't be fed at all."""

import numpy as np
import pytest

from adadeep_agent import wire
from adadeep_agent.wire import ErrorCode, WireError
from fakes.tflite_models import ROWS, Input, add, embedding, gather, relu

IMAGE = Input("serving_default_image:0", "FLOAT32", (1, 1, 1, 3), (-1, -1, -1, 3))


@pytest.fixture
def measured(asks):
    """Measures a model and returns what is said of it."""

    def measure(content, samples=(), **settings):
        told = asks(content, samples=samples, settings=settings).result
        return {**told["models"][0], "settings": told["settings"]}

    return measure


def fed(result):
    return [(i["dtype"], i["shape"], i["fed"]) for i in result["inputs"]]


@pytest.mark.parametrize("model", [gather(), embedding()], ids=["gather", "embedding"])
def test_indices_are_fed_zeros_that_any_table_has(measured, model):
    assert fed(measured(model))[0][2] == "zeros"


def test_floats_and_quantised_data_are_fed_random_values_of_their_range(measured):
    assert fed(measured(relu(Input("x", "FLOAT32", (1, 5))))) == [
        ("float32", [1, 5], "random 0..1")
    ]
    data = Input("x", "INT8", (1, 5), scale=0.1)
    assert fed(measured(relu(data))) == [("int8", [1, 5], "random -128..127")]


def test_a_range_is_kept_and_names_one_input_or_all(measured):
    two = add(Input("a", "INT32", (1, 50)), Input("b", "INT32", (1, 50)))
    ranges = [["b", 7, 7], [None, 3, 3]]
    result = measured(two, input_ranges=ranges)
    assert [i["fed"] for i in result["inputs"]] == ["range 3..3", "range 7..7"]
    assert result["settings"]["input_ranges"] == ranges
    spread = measured(gather(), input_ranges=[[None, 0, ROWS - 1]])
    assert spread["inputs"][0]["fed"] == f"range 0..{ROWS - 1}"


def test_an_index_out_of_range_is_not_called_a_corrupt_model(measured):
    with pytest.raises(WireError, match="out of bounds") as caught:
        measured(gather(), input_ranges=[[None, ROWS, ROWS]])
    assert caught.value.code == ErrorCode.RUN_FAILED


def test_an_open_batch_is_one_and_told_apart_from_a_fixed_one(measured):
    free = measured(relu(Input("x", "FLOAT32", (1, 4), (-1, 4))))["inputs"][0]
    fixed = measured(relu(Input("x", "FLOAT32", (1, 4))))["inputs"][0]
    assert (free["shape"], free["signature"]) == ([1, 4], [-1, 4])
    assert (fixed["shape"], fixed["signature"]) == ([1, 4], [1, 4])


def test_any_other_open_size_has_to_be_named(measured):
    with pytest.raises(WireError, match=r"-1, -1, -1, 3") as caught:
        measured(relu(IMAGE))
    assert caught.value.code == ErrorCode.OPEN_SHAPE


@pytest.mark.parametrize("name", [None, "image", "serving_default_image:0"])
def test_a_shape_that_is_named_is_the_one_measured(measured, name):
    result = measured(relu(IMAGE), input_shapes=[[name, [2, 8, 6, 3]]])
    assert fed(result) == [("float32", [2, 8, 6, 3], "random 0..1")]


@pytest.mark.parametrize(
    "settings",
    [
        {"input_shapes": [[None, [1, 8, 8, 4]]]},
        {"input_shapes": [[None, [8, 8, 3]]]},
        {"input_shapes": [["nobody", [1, 8, 8, 3]]]},
        {"input_shapes": [[None, [1, 30000, 30000, 3]]]},
        {"input_shapes": [[None, [1, 8, 8, 3]]], "input_ranges": [["nobody", 0, 1]]},
    ],
)
def test_a_shape_or_name_that_does_not_fit_is_refused(measured, settings):
    with pytest.raises(WireError) as caught:
        measured(relu(IMAGE), **settings)
    assert caught.value.code == ErrorCode.BAD_INPUT


@pytest.mark.parametrize("ends", [(0, 300), (-1, 5), (0.5, 2)])
def test_a_range_that_the_type_does_not_hold_is_refused(measured, ends):
    with pytest.raises(WireError, match="does not fit") as caught:
        measured(relu(Input("a", "UINT8", (1,), scale=0.1)), input_ranges=[["a", *ends]])
    assert caught.value.code == ErrorCode.BAD_INPUT


def test_text_can_not_be_fed_and_is_named(measured):
    with pytest.raises(WireError, match="'words' takes") as caught:
        measured(relu(Input("words", "STRING", (1,))))
    assert caught.value.code == ErrorCode.BAD_INPUT


@pytest.mark.parametrize("model", [gather(Input("XYZW")), add(Input("XYZW"), Input("b"))])
def test_a_name_that_is_no_utf_8_is_a_corrupt_model(measured, model):
    with pytest.raises(WireError) as caught:
        measured(model.replace(b"XYZW", b"\xff\xfeZW"))
    assert caught.value.code == ErrorCode.MODEL_CORRUPT


def test_given_values_are_fed_and_said_to_come_from_the_file(measured):
    values = np.array([[2, 0, 9]], "<i4")
    tensor = wire.encode_tensor("int32", values.shape, values.tobytes())
    result = measured(gather(), [[tensor]], input_file="ab")
    assert fed(result) == [("int32", [1, 3], "file")]
    rows = np.frombuffer(wire.decode_tensor(result["outputs"][0][0])[2], "<f4").reshape(3, 4)
    assert rows[:, 0].tolist() == [8.0, 0.0, 36.0]
    assert fed(measured(gather(), [[tensor]]))[0][2] == "given"
