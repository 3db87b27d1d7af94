import numpy as np

from adadeep.search import moves
from adadeep.search.neighbours import Moves
from adadeep.testing.spaces import SPACE
from fakes.simulated import Simulated

PLANS = Simulated().every_plan()


def test_neighbours_are_those_of_each_plan_written_out():
    """With choices that replace later layers, before and behind other ones."""
    found, owners = Moves(SPACE).neighbours(PLANS)
    assert any(SPACE.ending.intersection(row) for row in PLANS.tolist())
    for number, plan in enumerate(PLANS.tolist()):
        own = [tuple(row) for row in found[owners == number].tolist()]
        assert len(own) == len(set(own))
        assert set(own) == set(moves.neighbours(SPACE, plan))


def test_far_plans_are_those_after_a_precision_s_change_or_a_choice_that_ends():
    near = Moves(SPACE).around(PLANS)
    owners, numbers = near.far_at
    assert near.is_open[owners, numbers].all()
    np.testing.assert_array_equal(near.far, Moves(SPACE).made(PLANS[owners], numbers))
    is_far = np.zeros(near.is_open.shape, np.bool_)
    is_far[owners, numbers] = True
    every, every_owner = Moves(SPACE).neighbours(PLANS)
    changed = every != PLANS[every_owner]
    ends = [bool(SPACE.ending.intersection(row)) for row in np.where(changed, every, 0).tolist()]
    assert (changed[:, -1] | ends).tolist() == is_far[near.is_open].tolist()
