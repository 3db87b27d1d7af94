"""The contract of every data set: four parts that share nothing, the same for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.task import Data, DataSet
from adadeep.training.registry import DATA_SETS
from fakes.task_parts import data_of

PARTS = ("train", "val", "held", "test")


@pytest.fixture(params=list(DATA_SETS))
def data_set(request: pytest.FixtureRequest) -> DataSet:
    return DATA_SETS.get(request.param)


@pytest.fixture
def data(data_set: DataSet) -> Data:
    return data_of(data_set.name)


def samples(data: Data, part: str) -> tuple[np.ndarray, np.ndarray]:
    return getattr(data, f"x_{part}"), getattr(data, f"y_{part}")


def test_a_data_set_has_the_name_that_it_is_registered_by(data_set: DataSet) -> None:
    assert DATA_SETS.get(data_set.name) is data_set
    assert data_set.title
    assert isinstance(data_set.split, int)


def test_every_sample_is_finite_of_one_shape_and_has_a_label(data: Data) -> None:
    for part in PARTS:
        x, y = samples(data, part)
        assert len(x) == len(y) > 0
        assert x.dtype == np.float32
        assert x.shape[1:] == data.input_shape
        assert np.isfinite(x).all()
    assert data.source


def test_labels_that_are_classes_are_among_the_named_ones(data: Data) -> None:
    assert data.classes == len(set(data.class_names)) > 0
    for part in PARTS:
        _, y = samples(data, part)
        if y.dtype.kind in "iu":
            assert 0 <= y.min() <= y.max() < data.classes


def test_no_sample_is_in_two_parts(data: Data) -> None:
    seen: dict[bytes, str] = {}
    for part in PARTS:
        for sample in samples(data, part)[0]:
            assert seen.setdefault(sample.tobytes(), part) == part


def test_a_third_of_what_validates_is_held_back(data: Data) -> None:
    assert len(data.x_held) / (len(data.x_held) + len(data.x_val)) == pytest.approx(
        1 / 3, abs=0.01
    )


def test_everybody_gets_the_same_split(data_set: DataSet, data: Data) -> None:
    again = data_set.load()
    for part in PARTS:
        pairs = zip(samples(data, part), samples(again, part), strict=True)
        assert all(np.array_equal(first, second) for first, second in pairs)
