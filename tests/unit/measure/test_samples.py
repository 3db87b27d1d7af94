"""A user's own input values: matched to the model's inputs, checked, bounded."""

import io
import zipfile

import numpy as np
import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.measure_settings import MeasureSettings
from adadeep.measure import samples
from adadeep.measure.samples import model_inputs, with_samples
from fakes.tflite_models import Input, add, gather, relu

TWO = add(Input("left", "FLOAT32", (1, 2)), Input("serving_default_right:0", "FLOAT32", (1, 2)))
ONE, OTHER = np.ones((1, 2), "f4"), np.full((1, 2), 5, "f4")
INDICES = np.array([[1, 2, 3]], "i4")


@pytest.fixture
def npz(tmp_path):
    def write(**members):
        np.savez(tmp_path / "x.npz", **members)
        return tmp_path / "x.npz"

    return write


@pytest.mark.parametrize(
    "members",
    [
        {"serving_default_right:0": OTHER, "left": ONE},
        {"right": OTHER, "left": ONE},
        {"arg1": OTHER, "arg0": ONE},
        {"arg_0": ONE, "right": OTHER},
    ],
)
def test_members_are_found_by_name_or_number_and_put_in_order(npz, members):
    _, arrays = with_samples(MeasureSettings(), TWO, npz(**members))
    assert [array[0, 0] for array in arrays] == [1, 5]


def test_a_single_member_may_have_any_name(npz):
    settings, [array] = with_samples(MeasureSettings(), gather(), npz(whatever=INDICES))
    assert array.tolist() == [[1, 2, 3]]
    assert settings.input_file
    assert settings.input_shapes == ()


def test_other_values_are_another_measurement(npz):
    keys = {
        with_samples(MeasureSettings(), gather(), npz(x=values))[0].key
        for values in (INDICES, INDICES + 1, INDICES + 1)
    }
    assert len(keys | {MeasureSettings().key}) == 3


def test_an_open_size_is_that_of_the_file(npz):
    model = relu(Input("x", "FLOAT32", (1, 1, 1, 3), (-1, -1, -1, 3)))
    settings, _ = with_samples(MeasureSettings(), model, npz(x=np.zeros((1, 6, 8, 3), "f4")))
    assert settings.input_shapes == (("x", (1, 6, 8, 3)),)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"left": ONE}, "the model takes left"),
        ({"left": ONE, "other": OTHER}, "holds left, other"),
        ({"left": ONE, "right": OTHER, "third": ONE}, "arg0, arg1"),
        ({"left": ONE, "right": np.ones((1, 3), "f4")}, r"float32 \(1, 3\)"),
        ({"left": ONE, "right": np.ones(2, "f4")}, "with the batch"),
        ({"left": ONE, "right": np.ones((1, 2))}, "is float64"),
        ({"left": ONE, "right": np.full((1, 2), np.nan, "f4")}, "not finite"),
        ({"left": ONE, "right": np.array([["a", "b"]])}, "str"),
        ({}, "holds nothing"),
    ],
)
def test_what_the_model_does_not_take_is_refused_in_a_sentence(npz, members, words):
    with pytest.raises(ConfigError, match=words) as caught:
        with_samples(MeasureSettings(), TWO, npz(**members))
    assert "\n" not in str(caught.value)


def damaged(data):
    return data[: len(data) // 2]


def encrypted(data):
    flags = data.index(b"PK\x01\x02") + 8
    return data[:flags] + bytes([data[flags] | 1]) + data[flags + 1 :]


def of_objects(_):
    file = io.BytesIO()
    np.savez(file, x=np.array([{}], dtype=object))
    return file.getvalue()


def with_a_giant_header(_):
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 50,)}
    np.lib.format.write_array_header_1_0(file, header)
    array, out = file.getvalue(), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.npy", array)
    return out.getvalue()


def single_array(_):
    file = io.BytesIO()
    np.save(file, INDICES)
    return file.getvalue()


@pytest.mark.parametrize(
    "harm",
    [damaged, encrypted, of_objects, with_a_giant_header, single_array, lambda _: b""],
)
def test_a_file_that_is_no_npz_of_numbers_is_refused(npz, harm):
    path = npz(x=INDICES)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(FormatError, match="no \\.npz of numbers"):
        with_samples(MeasureSettings(), gather(), path)


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "MAX_FILE_BYTES", 1000)
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros(100_000))
    with pytest.raises(FormatError, match="unpacks to more"):
        with_samples(MeasureSettings(), gather(), tmp_path / "x.npz")


def test_the_inputs_of_a_damaged_model_are_an_error_and_never_something_else():
    random = np.random.default_rng(7)
    refused = 0
    for _ in range(500):
        content = bytearray(TWO)
        for place in random.integers(0, len(content), 6):
            content[place] = random.integers(0, 256)
        try:
            model_inputs(bytes(content))
        except FormatError:
            refused += 1
    assert refused > 20


def test_an_input_of_text_is_refused_by_its_type():
    with pytest.raises(FormatError, match="takes string"):
        model_inputs(relu(Input("words", "STRING", (1,))))
