"""Rows that replacements are fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf


@pytest.mark.parametrize("size", [(3, 3), (6, 6), (12, 5)])
def test_rows_come_from_all_positions_of_a_map(size: tuple[int, int]) -> None:
    """A step of 3 through maps of 3x3 would see their first column alone."""
    import keras
    from keras import layers

    from adadeep.compress.regress import rows_into

    inputs = keras.Input((*size, 1), name="x")
    model = keras.Model(inputs, layers.Conv2D(1, 1, name="conv")(inputs))
    positions = size[0] * size[1]
    numbers = np.arange(positions, dtype=np.float32).reshape(1, *size, 1)
    for times in (1, 3, 4, 6, 9):
        samples = np.repeat(numbers, times * 2_000 // positions, axis=0)
        rows = rows_into(model, model.get_layer("conv"), samples, lambda maps: maps)
        counts = np.unique(rows, return_counts=True)[1]
        assert len(counts) == positions
        assert counts.max() - counts.min() <= 2
        assert 700 <= len(rows) <= 2_000


def test_a_function_that_is_asked_twice_of_the_same_maps_is_called_once() -> None:
    from adadeep.compress.regress import once

    asked: list[Any] = []

    def double(maps: Any) -> Any:
        asked.append(maps)
        return 2 * maps

    of = once(double)
    first, second = np.ones(3, np.float32), np.zeros(3, np.float32)
    for maps in (first, first, second, first):
        assert np.array_equal(of(maps), 2 * maps)
    assert [maps is first for maps in asked] == [True, False, True]


@pytest.mark.parametrize("features", [8, 600])
def test_least_squares_finds_the_map_that_made_the_targets(features: int) -> None:
    from adadeep.compress.regress import least_squares

    rng = np.random.default_rng(0)
    given = rng.normal(size=(3_000, features)).astype(np.float32) + 5
    kernel, bias = rng.normal(size=(features, 4)), rng.normal(size=4)
    found, level = least_squares(given, (given @ kernel + bias).astype(np.float32))
    wanted = given @ kernel + bias
    assert np.abs(given @ found + level - wanted).max() < 0.01 * np.abs(wanted).max()
