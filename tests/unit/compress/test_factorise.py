"""The matrix approximations behind inherited weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adadeep.compress.factorise import (
    restrict_taps,
    semi_nmf,
    separate_depthwise,
    truncated_svd,
    weighted_svd,
)


def random_matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 12), columns=st.integers(1, 12), data=st.data())
def test_truncated_svd_is_the_best_of_its_rank(
    rows: int, columns: int, data: st.DataObject
) -> None:
    rank = data.draw(st.integers(1, min(rows, columns)))
    matrix = random_matrix(rows, columns, data.draw(st.integers(0, 99)))
    left, right = truncated_svd(matrix, rank)
    assert (left.shape, right.shape) == ((rows, rank), (rank, columns))
    lost = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[rank:]
    error = np.linalg.norm(left @ right - matrix)
    assert error == pytest.approx(np.sqrt(np.sum(lost**2)), abs=1e-5)


def test_truncated_svd_shares_the_scale_between_its_factors() -> None:
    left, right = truncated_svd(random_matrix(30, 20), 5)
    assert np.linalg.norm(left, axis=0) == pytest.approx(np.linalg.norm(right, axis=1))


@pytest.mark.parametrize("shape", [(12, 30), (30, 12)])
def test_a_weighted_svd_keeps_what_inputs_excite(shape: tuple[int, int]) -> None:
    matrix, rank = random_matrix(*shape), 3
    few = random_matrix(500, rank, 1) @ random_matrix(rank, shape[0], 2)  # of as many directions
    inputs = few + 0.01 * random_matrix(500, shape[0], 3)
    left, right = weighted_svd(matrix, rank, inputs)
    assert (left.shape, right.shape) == ((shape[0], rank), (rank, shape[1]))
    plain = np.matmul(*truncated_svd(matrix, rank))
    lost, lost_by_plain = (
        np.linalg.norm(inputs @ (one - matrix)) for one in (left @ right, plain)
    )
    assert lost < 0.1 * lost_by_plain
    assert np.linalg.norm(left, axis=0) == pytest.approx(np.linalg.norm(right, axis=1))


@pytest.mark.parametrize("shape", [(12, 30), (30, 12)])
def test_of_inputs_without_a_direction_of_their_own_a_weighted_svd_is_the_plain_one(
    shape: tuple[int, int],
) -> None:
    matrix = random_matrix(*shape)
    plain = np.matmul(*truncated_svd(matrix, 4))
    for inputs in (np.eye(shape[0]), np.zeros((5, shape[0]))):
        assert np.matmul(*weighted_svd(matrix, 4, inputs)) == pytest.approx(plain, abs=1e-5)


def test_separating_a_separable_kernel_loses_nothing() -> None:
    rng = np.random.default_rng(1)
    depthwise, pointwise = rng.normal(size=(3, 3, 4)), rng.normal(size=(4, 6))
    kernel = depthwise[..., None] * pointwise
    found_depthwise, found_pointwise = separate_depthwise(kernel)
    assert found_depthwise[..., None] * found_pointwise == pytest.approx(kernel)


def test_restricting_to_the_same_size_changes_nothing() -> None:
    kernel = np.random.default_rng(2).normal(size=(3, 3, 2, 5))
    assert restrict_taps(kernel, 3) == pytest.approx(kernel)


def test_restricting_keeps_more_than_cropping_where_the_border_matters() -> None:
    # On a constant image a kernel acts by the sum of its taps.
    kernel = np.ones((5, 5, 1, 1))
    restricted = restrict_taps(kernel, 3).sum()
    assert abs(restricted - kernel.sum()) < abs(kernel[1:4, 1:4].sum() - kernel.sum())


def test_semi_nmf_has_a_positive_factor_and_recovers_a_positive_mixture() -> None:
    rng = np.random.default_rng(3)
    target = rng.uniform(size=(12, 3)) @ rng.normal(size=(3, 40))
    positive, right = semi_nmf(target, 3)
    assert (positive >= 0).all()
    assert np.linalg.norm(positive @ right - target) < 0.1 * np.linalg.norm(target)


def test_semi_nmf_loses_less_with_a_higher_rank() -> None:
    target = random_matrix(16, 50)
    errors = [np.linalg.norm(np.matmul(*semi_nmf(target, rank)) - target) for rank in (2, 4, 8)]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize(("rows", "rank"), [(63, 8), (64, 8), (96, 70)])
def test_semi_nmf_of_many_rows_is_as_near_as_of_few(rows: int, rank: int) -> None:
    """From 64 rows on by shorter ways; a factor of that rank and a little more is there."""
    rng = np.random.default_rng(4)
    target = rng.uniform(size=(rows, rank)) @ rng.normal(size=(rank, 3 * rows))
    target += 0.01 * rng.normal(size=target.shape)
    positive, right = semi_nmf(target, rank)
    assert (positive.dtype, right.dtype) == (np.float64, np.float64)
    assert (positive >= 0).all()
    best = np.linalg.norm(np.matmul(*truncated_svd(target, rank)) - target)
    lost = np.linalg.norm(positive @ right - target)
    assert best < lost < 0.15 * np.linalg.norm(target)
