import pytest

from adadeep.core.plan import CompressionPlan
from adadeep.core.space import build_space
from adadeep.search.moves import (
    initial_decisions,
    merged,
    neighbours,
    precision_plans,
    uniform_plans,
)
from adadeep.search.sweep import SWEEP
from adadeep.testing.spaces import MODEL, SPACE
from fakes.search_space import every_list
from fakes.worlds import DEEP, asks, context, scored

INITIAL = initial_decisions(SPACE)
INT8 = precision_plans(SPACE)[0]
FIRE_ALONE, SVD_12, SVD_6, GAP_ALONE = uniform_plans(SPACE)
ALONE = [INT8, FIRE_ALONE, SVD_12, SVD_6, GAP_ALONE]


def made(seed=0, preset="default", space=SPACE):
    return SWEEP.make(context(space, seed, preset))


def of(*good, otherwise=-1.0):
    """A reward by plan: the first named is the best."""
    return lambda plan: 1.0 - 0.1 * good.index(plan) if plan in good else otherwise


def test_everything_is_tried_alone_first_precisions_before_techniques():
    asked, _ = asks(made(), SPACE, count=5)
    assert asked == ALONE


def test_the_preset_first_tries_the_first_setting_of_a_technique_alone():
    asked, _ = asks(made(preset="first"), SPACE, count=4)
    assert asked == [INT8, FIRE_ALONE, SVD_12, GAP_ALONE]


@pytest.mark.parametrize(
    ("ranked", "both"),
    [
        ((SVD_6, INT8), (SVD_6, INT8)),
        ((FIRE_ALONE, GAP_ALONE), (FIRE_ALONE, GAP_ALONE)),
        ((SVD_6, SVD_12, INT8), (SVD_6, INT8)),  # two settings don't add up
        ((GAP_ALONE, SVD_12, SVD_6, FIRE_ALONE), (GAP_ALONE, FIRE_ALONE)),
    ],
)
def test_then_the_best_two_that_add_up(ranked, both):
    asked, _ = asks(made(), SPACE, of(*ranked), count=6)
    assert asked[5] == merged(SPACE, *both)


def test_then_it_changes_one_thing_at_a_time_of_the_best_so_far():
    goal = merged(SPACE, merged(SPACE, INT8, FIRE_ALONE), SVD_6)

    def alike(plan):
        return float(sum(a == b for a, b in zip(plan, goal, strict=True)))

    asked, _ = asks(made(), SPACE, alike, count=30)
    best = max([INITIAL, *asked[:6]], key=alike)
    for plan in asked[6 : asked.index(goal) + 1]:
        assert plan in set(neighbours(SPACE, best))
        best = max(best, plan, key=alike)
    assert best == goal


def test_a_plan_that_breaks_a_limit_is_no_base_as_long_as_one_keeps_them():
    def worth(plan):
        return (1.0, 0.5) if plan[-1] == INT8[-1] else (-0.5, 0.0)

    asked, _ = asks(made(), SPACE, worth, count=9)
    assert set(asked[6:9]) <= set(neighbours(SPACE, INITIAL))


def in_a_hole(of_start, count, of_third=-9.0):
    """What is asked for in a deep space after all around the initial network, which is the best.

    Args:
        of_start: what the plan earns that is drawn then.
        count: of asks after it.
        of_third: what the third of them earns; all others are worse.
    """
    near = {*neighbours(DEEP, initial_decisions(DEEP))}
    seen = []

    def worth(plan):
        if plan not in near and plan not in first:
            seen.append(plan)
        return {1: of_start, 3: of_third}.get(len(seen), -9.0) if plan in seen else -9.0

    first = asks(made(space=DEEP), DEEP, count=4)[0]
    asks(made(space=DEEP), DEEP, worth, count=len(near) + 2 + count)
    return seen


def test_in_a_hole_it_draws_a_plan_and_changes_that():
    start, *others = in_a_hole(of_start=-1.0, count=8)
    assert len(others) > 5
    assert set(others) <= set(neighbours(DEEP, start))


def test_it_climbs_on_from_a_change_for_the_better():
    start, *others = in_a_hole(of_start=-5.0, count=12, of_third=-4.0)
    third = others[1]
    assert set(others[:2]) <= set(neighbours(DEEP, start))
    assert set(others[2:]) <= set(neighbours(DEEP, third))
    assert not set(others[2:]) <= set(neighbours(DEEP, start))


def test_it_does_not_change_a_plan_that_failed():
    start, *others = in_a_hole(of_start=(-1.0, None), count=8)
    assert len(others) > 5
    assert not set(others[:1]) & set(neighbours(DEEP, start))


@pytest.mark.parametrize("ahead", [1, 3])
def test_every_plan_is_asked_for_once_and_then_it_stops(ahead):
    asked, reason = asks(made(), SPACE, lambda plan: -float(sum(plan)), ahead=ahead)
    assert sorted([*asked, INITIAL]) == sorted(every_list(SPACE))
    assert reason == "every plan was tried"


def test_a_space_of_one_plan_has_nothing_to_try():
    space = build_space(MODEL, [], ())
    assert asks(made(space=space), space) == ([], "every plan was tried")


def test_what_an_earlier_search_found_is_not_tried_again_and_built_on():
    sampler = made()
    for plan in ALONE:
        sampler.tell(scored(SPACE.plan(plan), of(SVD_6, FIRE_ALONE)(plan)))
    assert SPACE.decisions(sampler.ask()) == merged(SPACE, SVD_6, FIRE_ALONE)


def test_seeds_differ_in_the_order_of_changes_alone():
    first, second = (asks(made(seed), SPACE, count=12)[0] for seed in (1, 2))
    assert first[:5] == second[:5]
    assert first != second


def test_asks_ahead_do_not_wait_for_the_best_two():
    asked, _ = asks(made(), SPACE, of(SVD_6, INT8), count=12, ahead=3)
    assert merged(SPACE, SVD_6, INT8) in asked
    assert CompressionPlan() not in [SPACE.plan(plan) for plan in asked]
