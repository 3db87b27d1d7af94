import dataclasses

import numpy as np
import pytest

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.space import build_space
from adadeep.search.ascent import random_plans
from adadeep.search.known_tables import additive_table
from adadeep.study.known import KnownBeforehand
from adadeep.testing.spaces import MODEL, SPACE, SVD
from fakes.lenet_spec import lenet_spec
from fakes.simulated import Simulated

TRUTH = Simulated()
PLANS = TRUTH.every_plan()


def storage(plan):
    return TRUTH.known(plan).storage_bytes


def values(formula, space=SPACE, plans=PLANS):
    return np.array([formula(space.plan(row)) for row in plans.tolist()])


def test_it_equals_the_formula_for_every_plan():
    """With a choice that takes later layers out, and in two precisions."""
    assert any(SPACE.ending.intersection(row) for row in PLANS.tolist())
    table = additive_table(SPACE, storage)
    assert table.is_known.all()
    np.testing.assert_allclose(table.values(PLANS), values(storage), rtol=1e-12)


def test_the_formula_is_asked_about_once_or_twice_for_each_decision_and_precision():
    asked = []
    additive_table(SPACE, lambda plan: asked.append(plan.key) or storage(plan))
    choices = sum(len(point.options) - 1 for point in SPACE.points if point.layer)
    assert len(asked) == len(set(asked))
    assert 2 * (1 + choices) < len(asked) <= 2 * (1 + 2 * choices)


def test_a_layer_that_is_made_narrower_changes_what_the_next_ones_choices_add():
    """As C2 with alpha 0.5 does: fc1 has half the inputs and costs half, whatever is chosen."""

    def formula(plan):
        is_half = bool(plan.choice("conv").parameters)
        fc1 = {"none": 100.0, "W1f": 40.0, "L3": 10.0}[plan.choice("fc1").technique]
        ends = plan.choice("fc1").technique == "L3"
        fc2 = 0.0 if ends else {"none": 30.0, "W1f": 20.0, "L3": 7.0}[plan.choice("fc2").technique]
        return fc1 * (0.5 if is_half else 1.0) + fc2

    table = additive_table(SPACE, formula)
    np.testing.assert_allclose(table.values(PLANS), values(formula))
    assert table.joint[:, 1].any()
    assert not table.joint[:, 2].any()


def test_a_space_without_precisions_has_one_base():
    space = build_space(MODEL, [SVD], ())
    truth = Simulated(space)
    table = additive_table(space, lambda plan: truth.known(plan).energy_mj)
    assert table.precision_point is None
    assert table.base.shape == (1,)
    found = table.values(truth.every_plan())
    expected = values(lambda plan: truth.known(plan).energy_mj, space, truth.every_plan())
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_there_is_none_where_not_even_the_initial_network_is_known():
    assert additive_table(SPACE, lambda plan: None) is None
    assert additive_table(SPACE, lambda plan: 1.0 if plan.choices else None) is None


def test_a_choice_that_nobody_can_tell_is_learned_from_a_plan_with_it():
    place = 1
    option = SPACE.points[place].options[1]
    label = SPACE.actions[option]
    hidden = SPACE.points[place].layer.name

    def formula(plan):
        return None if plan.choice(hidden) == label else storage(plan)

    table = additive_table(SPACE, formula)
    assert not table.is_known[:, place, option].any()
    assert table.is_known.sum() == table.is_known.size - 2
    has_it = PLANS[:, place] == option
    np.testing.assert_allclose(table.values(PLANS[~has_it]), values(storage)[~has_it])
    assert not np.isclose(table.values(PLANS), values(storage))[has_it].any()
    tried = PLANS[has_it & (table.precision.of(PLANS) == 1)][3]
    table.learn(tried, storage(SPACE.plan(tried)))
    is_learned = ~has_it | (table.precision.of(PLANS) == 1)
    np.testing.assert_allclose(table.values(PLANS[is_learned]), values(storage)[is_learned])


def test_two_unknown_choices_share_what_a_plan_is_missing_and_what_is_known_stays():
    fc1, fc2 = 1, 2
    option = SPACE.points[fc1].options[1]
    unknown = SPACE.actions[option]

    def formula(plan):
        return None if unknown in [choice for _, choice in plan.choices] else 100.0

    table = additive_table(SPACE, formula)
    both = PLANS[(PLANS[:, fc1] == option) & (PLANS[:, fc2] == option)][0]
    table.learn(both, 60.0)
    assert table.values(both[np.newaxis]).tolist() == [60.0]
    assert table.added[0, [fc1, fc2], option].tolist() == [-20.0, -20.0]
    known = PLANS[(PLANS[:, fc1] == 0) & (PLANS[:, fc2] == 0)][0]
    table.learn(known, 12.0)
    assert table.values(known[np.newaxis]).tolist() == [100.0]


@pytest.fixture(scope="module")
def lenet():
    spec = lenet_spec(16)
    techniques = [*TECHNIQUES.usable().values()]
    return spec, build_space(spec, techniques, of_a_search())


@pytest.mark.parametrize("what", ["storage_bytes", "macs", "energy_mj"])
def test_of_a_lenet_it_is_what_outlines_give(lenet, what):
    spec, space = lenet
    known = KnownBeforehand(spec, knows_energy=True)

    def formula(plan):
        found = known(plan)
        return None if found is None else float(getattr(found, what))

    table = additive_table(space, formula)
    plans = random_plans(space, np.random.default_rng(0), 60)
    told = [(row, formula(space.plan(row))) for row in plans.tolist()]
    told = [(row, value) for row, value in told if value is not None]
    assert len(told) > 30
    assert sum(bool(space.ending.intersection(row)) for row, _ in told) > 5
    found = table.values(np.array([row for row, _ in told]))
    # MACs of sparse layers are rounded to whole numbers
    np.testing.assert_allclose(found, [value for _, value in told], atol=1e-6 * table.base.max())
    narrowed = [row for row, _ in told if "alpha=0.5" in space.plan(row).label and row[1]]
    assert len(narrowed) > 3  # conv2 and fc1 depend on each other there


def test_a_technique_without_an_outline_is_unknown_on_its_layers_alone(lenet):
    spec, space = lenet
    known = KnownBeforehand(spec, knows_energy=True)
    table = additive_table(space, lambda plan: getattr(known(plan), "storage_bytes", None))
    unknown = {space.actions[n].label for n in np.argwhere(~table.is_known)[:, 2]}
    assert unknown
    assert all("threshold" in label for label in unknown)
    assert dataclasses.is_dataclass(table)
