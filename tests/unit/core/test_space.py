import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.space import NOTHING, PrecisionChoice, build_space, restricted
from adadeep.testing.spaces import MODEL, PRECISIONS, SPACE, SVD, toy_choice
from fakes.search_space import every_list


def test_decides_every_layer_that_a_technique_applies_to_then_the_precision():
    assert [point.title for point in SPACE.points] == ["conv", "fc1", "fc2", "precision"]
    assert SPACE.actions[NOTHING] == LayerChoice()
    assert len(SPACE.actions) == len(set(SPACE.actions)) == 7


def test_an_action_has_one_number_wherever_it_is_open():
    fc1, fc2 = SPACE.points[1], SPACE.points[2]
    assert fc1.options == fc2.options
    assert set(SPACE.points[0].options) == {NOTHING, SPACE.actions.index(toy_choice("L1", 0.25))}


def test_masks_open_what_applies_and_nothing_else():
    mask = SPACE.mask(())
    assert [SPACE.actions[n] for n in np.flatnonzero(mask)] == [
        LayerChoice(),
        toy_choice("L1", 0.25),
    ]
    last = SPACE.mask((0, 0, 0))
    assert [SPACE.actions[n] for n in np.flatnonzero(last)] == [
        PrecisionChoice(name) for name in PRECISIONS
    ]


def test_a_technique_that_replaces_the_later_layers_leaves_nothing_to_decide_on_them():
    gap = SPACE.actions.index(LayerChoice("L3"))
    assert list(np.flatnonzero(SPACE.mask((0, gap)))) == [NOTHING]
    assert SPACE.mask((0, gap, 0)).sum() == 2  # the precision stays open


def test_every_list_of_decisions_is_another_plan_and_comes_back_from_it():
    lists = every_list(SPACE)
    plans = [SPACE.plan(decisions) for decisions in lists]
    assert len({plan.key for plan in plans}) == len(plans) == 2 * (3 * 4 + 1) * 2
    assert [SPACE.decisions(plan) for plan in plans] == lists


def test_no_decision_is_the_initial_network():
    assert SPACE.plan(SPACE.decisions(CompressionPlan())) == CompressionPlan()


@given(st.lists(st.integers(0, 6), min_size=0, max_size=5))
def test_refuses_every_list_that_the_masks_do_not_allow(decisions):
    if tuple(decisions) in every_list(SPACE):
        SPACE.plan(decisions)
    else:
        with pytest.raises(ValueError, match=r"not open|decisions for"):
            SPACE.plan(decisions)


@pytest.mark.parametrize(
    "choices",
    [
        (("fc1", LayerChoice("W9")),),
        (("nowhere", toy_choice("W1f", 12)),),
        (("conv", toy_choice("W1f", 12)),),
        (("fc1", LayerChoice("L3")), ("fc2", toy_choice("W1f", 12))),
    ],
)
def test_refuses_a_plan_of_another_space(choices):
    with pytest.raises(ValueError, match=r"not a plan of this space|not in|not open"):
        SPACE.decisions(CompressionPlan(choices))


def test_one_precision_is_no_decision():
    space = build_space(MODEL, [SVD], ("float32",))
    assert [point.title for point in space.points] == ["fc1", "fc2"]
    combinations = itertools.product(range(3), repeat=2)
    assert {space.plan(d).precision for d in combinations} == {"float32"}


# ---- a part of it


def plans(space):
    return {space.plan(decisions) for decisions in every_list(space)}


def test_without_a_wish_the_space_is_the_same():
    assert restricted(SPACE) == SPACE


@pytest.mark.parametrize("kept", [["conv"], ["fc1"], ["fc2"], ["conv", "fc2"], ["pool"]])
def test_a_kept_layer_is_left_as_it_is_and_nothing_takes_it_out(kept):
    names = [layer.name for layer in MODEL.layers]

    def leaves(plan):
        ends = [names.index(name) for name, choice in plan.choices if choice.technique == "L3"]
        return not set(kept) & {name for name, _ in plan.choices} and not any(
            names.index(name) > end for name in kept for end in ends
        )

    part = restricted(SPACE, kept)
    assert plans(part) == {plan for plan in plans(SPACE) if leaves(plan)}
    for plan in plans(part):
        assert part.plan(part.decisions(plan)) == plan


def test_only_what_is_named_may_be_chosen_and_to_change_nothing_always():
    part = restricted(SPACE, only=["W1f", "int8"])
    wanted = {plan for plan in plans(SPACE) if {c.technique for _, c in plan.choices} <= {"W1f"}}
    assert plans(part) == wanted
    assert {plan.precision for plan in plans(part)} == {"float32", "int8"}
    assert {plan.precision for plan in plans(restricted(SPACE, only=["W1f"]))} == {"float32"}
    assert part.actions[NOTHING] == LayerChoice()
    open_somewhere = {number for point in part.points for number in point.options}
    assert open_somewhere | {NOTHING} == set(range(len(part.actions)))


def test_a_space_of_one_plan_has_nothing_to_decide():
    kept = ["conv", "fc1", "fc2"]
    for part in (restricted(SPACE, kept, ["W1f"]), restricted(SPACE, only=["x"])):
        assert part.points == ()
        assert part.plan(()) == CompressionPlan()


def test_a_layer_that_is_not_there_can_not_be_kept():
    with pytest.raises(ConfigError, match=r"unknown layer 'fcl'. Did you mean 'fc\d'\? There are"):
        restricted(SPACE, ["fcl"])
