import pytest

from adadeep.core.plan import CompressionPlan
from adadeep.core.space import NOTHING, build_space
from adadeep.search.moves import (
    count_plans,
    initial_decisions,
    merged,
    neighbours,
    nth_plan,
    precision_plans,
    repaired,
    uniform_plans,
)
from adadeep.testing.spaces import (
    DENSE,
    FIRE,
    GAP,
    MODEL,
    PRECISIONS,
    SPACE,
    SVD,
    ToyTechnique,
    toy_choice,
)
from fakes.search_space import every_list

NO_FLOAT = build_space(MODEL, [SVD], ("int8", "int4"))
SPACES = [
    SPACE,
    build_space(MODEL, [FIRE], ()),
    build_space(MODEL, [SVD, GAP], ()),
    build_space(MODEL, [GAP, SVD, FIRE], PRECISIONS),  # what ends comes before what does not
    build_space(MODEL, [], PRECISIONS),
    build_space(MODEL, [], ()),
    NO_FLOAT,
]


def labels(space, plans):
    return [space.plan(plan).label for plan in plans]


class Uneven(ToyTechnique):
    """Does not offer fc2 what it offers fc1."""

    def choices(self, layer):
        small = (1,) if self.title == "fewer" else (1, 2, 5)
        values = small if layer.name == "fc2" else (1, 3, 4, 5)
        return [toy_choice(self.name, value) for value in values]


def test_the_initial_plan_is_the_one_that_changes_nothing():
    assert SPACE.plan(initial_decisions(SPACE)) == CompressionPlan()
    assert labels(NO_FLOAT, [initial_decisions(NO_FLOAT)]) == ["int8"]


@pytest.mark.parametrize("space", SPACES)
def test_plans_are_counted_and_numbered_in_the_order_of_their_decisions(space):
    every = every_list(space)
    assert count_plans(space) == len(every)
    assert [nth_plan(space, number) for number in range(len(every))] == every


@pytest.mark.parametrize("space", SPACES)
def test_neighbours_are_all_plans_of_another_choice_at_one_point(space):
    """And of nothing on the layers that it takes with it."""
    every = every_list(space)
    for plan in every:
        found = list(neighbours(space, plan))
        assert len(found) == len(set(found))
        wanted = {
            repaired(space, (*plan[:place], number, *plan[place + 1 :]))
            for place, point in enumerate(space.points)
            for number in point.options
        }
        assert set(found) == wanted.intersection(every) - {plan}


def test_what_replaces_later_layers_leaves_nothing_on_them_but_the_precision():
    svd, gap = (SPACE.actions.index(one) for one in (toy_choice("W1f", 12), GAP.settings[0]))
    int8 = SPACE.points[-1].options[1]
    assert repaired(SPACE, (NOTHING, gap, svd, int8)) == (NOTHING, gap, NOTHING, int8)
    assert (NOTHING, gap, NOTHING, int8) in set(neighbours(SPACE, (NOTHING, svd, svd, int8)))


def test_uniform_plans_have_each_setting_wherever_it_fits():
    assert labels(SPACE, uniform_plans(SPACE)) == [
        "conv:L1(value=0.25)",
        "fc1:W1f(value=12) fc2:W1f(value=12)",
        "fc1:W1f(value=6) fc2:W1f(value=6)",
        "fc1:L3",
    ]


def test_where_a_layer_lacks_a_setting_it_has_that_of_the_same_rank_or_nothing():
    space = build_space(MODEL, [Uneven("U", DENSE, ())], ())
    assert labels(space, uniform_plans(space)) == [
        "fc1:U(value=1) fc2:U(value=1)",
        "fc1:U(value=3) fc2:U(value=5)",
        "fc1:U(value=4) fc2:U(value=2)",
        "fc1:U(value=5) fc2:U(value=5)",
    ]
    fewer = build_space(MODEL, [Uneven("U", DENSE, (), title="fewer")], ())
    assert labels(fewer, uniform_plans(fewer))[1:] == [
        "fc1:U(value=3)",
        "fc1:U(value=4)",
        "fc1:U(value=5)",
    ]


def test_precisions_alone_are_all_but_the_unchanged_one():
    assert labels(SPACE, precision_plans(SPACE)) == ["int8"]
    assert labels(NO_FLOAT, precision_plans(NO_FLOAT)) == ["int4"]
    assert precision_plans(build_space(MODEL, [SVD], ())) == []


def test_merging_gives_the_first_plan_its_way_and_the_second_what_is_left():
    fire, w12, w6, *_ = uniform_plans(SPACE)
    (int8,) = precision_plans(SPACE)
    assert labels(SPACE, [merged(SPACE, int8, fire)]) == ["conv:L1(value=0.25) int8"]
    assert merged(SPACE, w6, w12) == w6
    assert merged(SPACE, fire, initial_decisions(SPACE)) == fire
