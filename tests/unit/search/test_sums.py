"""Sums after one change are the sums of the changed plans, whatever the space is like."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.search import Goal
from adadeep.core.space import build_space
from adadeep.search.ascent import random_plans
from adadeep.search.known_tables import precision_place
from adadeep.search.neighbours import Moves
from adadeep.search.stacked import stacked
from adadeep.search.sums import Precisions, Sums
from adadeep.search.world import World
from adadeep.testing.spaces import MODEL, SPACE, SVD
from fakes.simulated import Simulated
from fakes.worlds import DEEP

WITHOUT_PRECISIONS = build_space(MODEL, [SVD], ())
SPACES = [SPACE, DEEP, WITHOUT_PRECISIONS]
IDS = ["that ends", "deep", "without precisions"]
DEMANDS = [UserDemand(max_accuracy_loss=0.03), UserDemand(0.9, 0.1, 0.2, 0.8, 0.005)]


def precisions_of(space):
    place = precision_place(space)
    options = space.points[place].options if place is not None else (0,)
    rows = np.zeros(len(space.actions), np.int64)
    rows[list(options)] = np.arange(len(options))
    return Precisions(place, rows), len(options)


def drawn(space, rng, ways=1, has_pairs=True):
    """Any sums of a space."""
    precisions, count = precisions_of(space)
    shape = (count, len(space.points), len(space.actions), ways)
    joint = rng.normal(size=(*shape[:3], shape[2], ways)) if has_pairs else None
    return Sums(precisions, rng.normal(size=(count, ways)), rng.normal(size=shape), joint)


def written_out(sums, plan, way):
    """One term after the other."""
    place = sums.precisions.point
    row = 0 if place is None else sums.precisions.row_of[plan[place]]
    total = sums.base[row, way]
    for n, option in enumerate(plan):
        total += sums.added[row, n, option, way]
        if n and sums.joint is not None:
            total += sums.joint[row, n, plan[n - 1], option, way]
    return total


@pytest.mark.parametrize("ways", [1, 3, 40])
@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_a_plan_comes_to_what_its_decisions_and_pairs_of_them_add(space, ways):
    rng = np.random.default_rng(ways)
    plans = random_plans(space, rng, 30)
    for has_pairs in (True, False):
        sums = drawn(space, rng, ways, has_pairs)
        found = sums.of(plans)
        assert found.shape == (ways, 30)
        expected = [[written_out(sums, plan, way) for plan in plans] for way in range(ways)]
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("has_pairs", [True, False])
@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_what_moves_make_of_plans_is_what_the_plans_after_them_come_to(space, has_pairs):
    rng = np.random.default_rng(0)
    sums, moves, plans = (
        drawn(space, rng, 3, has_pairs),
        Moves(space),
        random_plans(space, rng, 60),
    )
    near = moves.around(plans)
    found = sums.around(near)
    assert found.shape == (3, 60, moves.count)
    after, _ = moves.neighbours(plans)
    np.testing.assert_allclose(found[:, near.is_open], sums.of(after), atol=1e-9)


def test_stacked_quantities_are_those_of_the_way_of_each_plan():
    """One that knows pairs, one that knows no precision, one that is the same in all ways."""
    rng = np.random.default_rng(1)
    whole = Precisions(None, np.zeros(len(SPACE.actions), np.int64))
    shape = (1, len(SPACE.points), len(SPACE.actions), 3)
    parts = [
        Sums(whole, rng.normal(size=(1, 3)), rng.normal(size=shape)),
        drawn(SPACE, rng, 3),
        drawn(SPACE, rng, 1, has_pairs=False),
    ]
    plans = Simulated().every_plan()
    ways, near = rng.integers(3, size=len(plans)), Moves(SPACE).around(plans)
    for chosen in (parts, parts[::-1], parts[::2], parts[:1]):
        values = [np.broadcast_to(one.of(plans), (3, len(plans))) for one in chosen]
        expected = [one[ways, np.arange(len(plans))] for one in values]
        together = stacked(chosen)
        np.testing.assert_allclose(together.of(plans, ways), expected, atol=1e-9)
        around = together.around(near, ways)
        owners, numbers = np.nonzero(near.is_open)
        after = Moves(SPACE).made(plans[owners], numbers)
        found = around[:, owners, numbers]
        np.testing.assert_allclose(found, together.of(after, ways[owners]), atol=1e-9)


def test_the_first_ways_of_sums_are_those_of_fewer():
    sums = drawn(SPACE, np.random.default_rng(2), 5)
    plans = Simulated().every_plan()
    np.testing.assert_array_equal(sums.first(2).of(plans), sums.of(plans)[:2])
    assert sums.first(None) is sums


def narrowed(truth):
    """Known costs where a choice makes the next layer's smaller, as C2 with alpha 0.5 does."""

    def known(plan):
        found, space = truth.known(plan), truth.space
        of_layers = zip(space.points, space.decisions(plan), strict=True)
        chosen = [option for point, option in of_layers if point.layer]
        pairs = sum(1 / (2 + one) for one, other in itertools.pairwise(chosen) if one and other)
        factor = 1 - 0.02 * pairs
        return replace(found, storage_bytes=found.storage_bytes * factor)

    return known


def told(space, known):
    """A world of two goals that was told of some plans."""
    truth = Simulated(space, seed=2)
    limits = replace(truth.limits, max_latency_ms=0.7 * truth.limits.max_latency_ms)
    goals = (Goal("a", DEMANDS[0], limits), Goal("b", DEMANDS[1], truth.limits))
    world = World(replace(truth.context(), goals=goals, known_costs=known(truth)))
    for row in random_plans(space, np.random.default_rng(3), 8).tolist():
        world.tell(tuple(row), truth.scored(space.plan(row)))
    world.fit()
    return world


@pytest.mark.parametrize(
    "known", [narrowed, lambda truth: truth.known, lambda truth: lambda plan: None],
    ids=["pairs", "sums", "nothing"],
)  # fmt: skip
@pytest.mark.parametrize("space", SPACES, ids=IDS)
def test_neighbours_of_plans_are_worth_by_differences_what_they_are_as_plans(space, known):
    world, rng = told(space, known), np.random.default_rng(4)
    moves, plans = Moves(space), random_plans(space, rng, 40)
    near = moves.around(plans)
    after, _ = moves.neighbours(plans)
    for view in (world.mean(), world.sample(rng), world.sample(rng, 3)):
        found = view.worth_around(near)
        assert found.shape == near.is_open.shape
        np.testing.assert_allclose(found[near.is_open], view.worth(after), atol=1e-9)
        violation, reward = world.judged(after, view.weights)
        assert len(violation) == len(view.weights[0])
        kept = violation[0] == 0
        np.testing.assert_allclose(found[near.is_open][kept], reward[0][kept], atol=1e-9)


def test_known_costs_of_that_test_have_pairs():
    tables = told(DEEP, narrowed).known_tables
    assert any(table.joint.any() for table in tables)
