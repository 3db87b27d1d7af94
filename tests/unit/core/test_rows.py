"""Rows of one array and of several are sliced alike."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.rows import Several, each, named, together

ONE, OTHER = np.arange(5), np.arange(10).reshape(5, 2)


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([4, 0]), [2]])
def test_rows_of_several_arrays_are_those_of_each(rows):
    chosen = together([ONE, OTHER])[rows]
    assert len(chosen) == len(ONE[rows])
    for part, array in zip(each(chosen), (ONE, OTHER), strict=True):
        np.testing.assert_array_equal(part, array[rows])


def test_one_array_stays_an_array():
    assert together([ONE]) is ONE
    assert each(ONE) == (ONE,)


def test_arrays_of_other_lengths_do_not_belong_together():
    with pytest.raises(ValueError, match=r"\[4, 5\] rows"):
        Several((ONE, OTHER[:4]))


def test_members_of_a_file_have_names_that_go_on() -> None:
    one, two = np.zeros((2, 1)), np.zeros((2, 3))
    assert list(named("x", one)) == ["x"]
    found = named("x", Several((one, two, one)))
    assert list(found) == ["x", "x_2", "x_3"]
    assert found["x_2"] is two
