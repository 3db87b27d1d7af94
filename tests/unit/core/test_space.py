import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.space import NOTHING, PrecisionChoice, build_space
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
