import numpy as np

from adadeep.search import moves
from adadeep.search.moves import repaired
from adadeep.search.neighbours import Moves, distinct
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


def test_leaps_take_the_best_moves_each_of_another_decision():
    rng = np.random.default_rng(5)
    climbs = Moves(SPACE, leap=4)
    raised = np.where(
        climbs.around(PLANS).is_open, rng.normal(size=(len(PLANS), climbs.count)), -np.inf
    )
    singles = [(place, one) for place, point in enumerate(SPACE.points) for one in point.options]
    size = 1
    for found, is_taken in climbs.leaps(PLANS, raised):
        size *= 2
        after = iter(found.tolist())
        for plan, gains, is_one in zip(PLANS.tolist(), raised, is_taken, strict=True):
            best = {}
            for number in np.argsort(-gains):
                if gains[number] > 0:
                    best.setdefault(singles[number][0], singles[number][1])
            assert is_one == (len(best) > size // 2)
            if is_one:
                chosen = dict(list(best.items())[:size])
                changed = [chosen.get(place, one) for place, one in enumerate(plan)]
                assert tuple(next(after)) == repaired(SPACE, changed)
    assert size >= 4


def test_distinct_plans_come_once_in_the_order_of_decisions():
    twice = np.concatenate([PLANS[::-1], PLANS, [[0] * (PLANS.shape[1] - 1) + [300]]])
    places = distinct(twice)
    plans, firsts = np.unique(twice, axis=0, return_index=True)
    assert places.tolist() == firsts.tolist()
    assert twice[places].tolist() == plans.tolist()
