"""What follows a decision, against all that may follow it."""

import itertools

import numpy as np
import pytest

from adadeep.search.dqn import ahead
from adadeep.search.dqn.ahead import Layers, likely

PLACES, ACTIONS, PARTS = 3, 4, ahead._PARTS
EVERY = np.array([*itertools.product(range(ACTIONS), repeat=PLACES)])
OPTIONS = np.arange(ACTIONS)


def layers(ending=()):
    is_ending = np.zeros(ACTIONS, np.bool_)
    is_ending[list(ending)] = True
    return Layers(dict.fromkeys(range(PLACES), OPTIONS), is_ending)


def drawn(seed, is_whole):
    """What decisions add in two precisions, nothing by the first action; prices of five rows."""
    rng = np.random.default_rng(seed)
    added = -rng.uniform(0, 1, (2, PLACES, ACTIONS, 4))
    added[..., 0] = (
        rng.integers(0, 12, added.shape[:3]) if is_whole else rng.uniform(-2, 9, added.shape[:3])
    )
    added[:, :, 0] = 0.0
    return added, rng.uniform(0, 1, (5, 4)), np.array([4.0, 8.0, 16.0, 16.0, 32.0])


def completions(added, precision, from_place=0):
    """Of all plans from a place on; (plans, 4)."""
    places = np.arange(from_place, PLACES)
    return added[precision, places, EVERY[:, places]].sum(axis=1)


def found(added, prices, limits, lost, place=0, ending=()):
    """By precision and row, where so much of the limit is lost already; (2, 5, 4)."""
    rows = np.arange(len(limits))
    losses = np.broadcast_to(lost, (2, len(rows)))
    return likely(layers(ending), added, prices, limits).after(place, losses, rows)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("place", range(PLACES))
def test_losses_of_whole_parts_are_planned_as_well_as_can_be(seed, place):
    added, prices, _ = drawn(seed, is_whole=True)
    limits = np.full(5, float(PARTS))
    for left in (0, 1, 5, 11, PARTS):
        after = found(added, prices, limits, PARTS - left, place)
        for precision, row in itertools.product(range(2), range(5)):
            every = completions(added, precision, place)
            kept = every[every[:, 0] <= left]
            assert after[precision, row] @ prices[row] == pytest.approx((kept @ prices[row]).min())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_planned_keeps_what_is_left(seed):
    added, prices, limits = drawn(seed, is_whole=False)
    for share in (0.0, 0.3, 0.9, 1.0):
        lost = share * limits
        after = found(added, prices, limits, lost)
        assert (after[..., 0] <= limits - lost + 1e-9).all()
    prices[:, 0] = 0.0  # then it is used
    assert (found(added, prices, limits, 0.0)[..., 0] > 0.5 * limits).any()


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_left_as_little_as_can_be_is_lost(seed):
    added, prices, limits = drawn(seed, is_whole=False)
    after = found(added, prices, limits, limits + 1.0)
    for precision in range(2):
        least = completions(added, precision)[:, 0].min()
        np.testing.assert_allclose(after[precision, :, 0], least)


def test_nothing_follows_a_choice_that_replaces_the_later_layers():
    added, prices, limits = drawn(0, is_whole=False)
    added[:, 0, 1] = [0.0, -50.0, -50.0, -50.0]  # best by far
    added[:, 1:, 2] = [0.0, -1.0, -1.0, -1.0]
    plain, ended = (found(added, prices, limits, 0.0, ending=ending) for ending in ((), (1,)))
    np.testing.assert_allclose(ended, np.broadcast_to(added[:, np.newaxis, 0, 1], ended.shape))
    assert (plain[..., 1] < ended[..., 1]).all()


def test_rows_are_put_in_the_place_of_others():
    added, prices, limits = drawn(1, is_whole=False)
    one, other = (likely(layers(), added, own, limits) for own in (prices, prices[::-1]))
    before = one.rest.copy()
    one.put(np.array([3]), other, np.arange(5) == 3)
    np.testing.assert_array_equal(one.rest[:, :, 3], other.rest[:, :, 3])
    np.testing.assert_array_equal(one.rest[:, :, :3], before[:, :, :3])
