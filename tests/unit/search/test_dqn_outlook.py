"""What the Q network is told of a view, against the view itself on all plans of small spaces."""

import numpy as np
import pytest

from adadeep.core.layers import ModelSpec
from adadeep.core.space import build_space
from adadeep.search.dqn import outlook
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.episodes import EpisodeBatch
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.dqn.memory import EpisodeMemory
from adadeep.search.dqn.network import QNetwork
from adadeep.search.dqn.outlook import Lookout, Prospects
from adadeep.search.world import World
from adadeep.testing.spaces import PRECISIONS, SPACE, SVD
from fakes.simulated import Simulated
from fakes.worlds import DEEP_LAYERS

FOUR = build_space(ModelSpec("four", (64,), DEEP_LAYERS[:4]), [SVD], PRECISIONS)
CONFIG = ImaginationConfig(first_batches=0)


def told(space, seed=2):
    truth = Simulated(space, seed=seed)
    world = World(truth.context())
    for row in np.random.default_rng(0).permutation(truth.every_plan())[:12].tolist():
        world.tell(tuple(row), truth.scored(space.plan(row)))
    world.fit()
    return world, Imagination(world, CONFIG, np.random.default_rng(0)), truth.every_plan()


@pytest.mark.parametrize("space", [SPACE, FOUR])
def test_the_outlook_of_a_plan_that_changes_one_thing_is_what_the_view_says(space):
    world, _, plans = told(space)
    initial, view = np.array(world.initial_costs), world.sample(np.random.default_rng(1))
    lookout = Lookout(world)
    found = lookout.of(view, initial)
    single = plans[(plans[:, :-1] != 0).sum(axis=1) == 1]
    assert len(single) > 5
    exact = lookout.quantities(single, view, initial)[0]
    for plan, quantities in zip(single, exact, strict=True):
        place = int(np.flatnonzero(plan[:-1])[0])
        number = lookout.precisions.index(plan[-1])
        total = found.base[number] + found.added[number, place, plan[place]]
        total[0] = outlook.unbent(total[0])
        np.testing.assert_allclose(total, quantities, atol=1e-12)


def test_quantities_are_relative_to_each_goals_initial_network():
    world, _, plans = told(FOUR)
    initial, view = np.array(world.initial_costs), world.mean()
    loss, costs = world.quantities(plans, view.weights)
    found = Lookout(world).quantities(plans, view, np.concatenate([initial, 2 * initial])[:1])
    np.testing.assert_allclose(found[0, :, 0], loss[0])
    for place in range(3):
        np.testing.assert_allclose(found[0, :, 1 + place] * initial[0, place], costs[place][0])


def test_before_the_last_decision_advice_is_exact_where_decisions_add_up():
    _world, mind, plans = told(FOUR)
    view, wishes = mind._world.mean(), mind.wishes(len(plans), own=0.3)
    prospects = mind._prospects(wishes, view)
    last = len(FOUR.points) - 1
    look = prospects.look(
        plans, last, mind.episodes.masks(mind.episodes.begun(plans, last), wishes)
    )
    for option in FOUR.points[last].options:
        of_option = plans.copy()
        of_option[:, last] = option
        expected = mind.rewards(of_option, wishes, view)
        np.testing.assert_allclose(look.worth + look.advice[:, option], expected, atol=1e-9)


def untaught_walks(mind, wishes):
    return mind.decided(wishes, mind._world.mean())


def behind(mind, wishes, plans, every):
    """Of each demand: the best reward of all plans less that of the walk's."""
    view, found = mind._world.mean(), []
    for row in range(len(plans)):
        own = one_wish(wishes, row, len(every))
        rewards = mind.rewards(every, own, view).sum(axis=1)
        walked = mind.rewards(plans[row : row + 1], one_wish(wishes, row, 1), view).sum()
        found.append(rewards.max() - walked)
    return np.array(found)


def one_wish(wishes, row, times):
    return wishes.some(np.full(times, row))


def test_prices_of_limits_are_what_keeps_them(monkeypatch):
    """Random demands on a space of 162 plans, each compared with the best of all plans."""
    _, mind, every = told(FOUR, seed=3)
    wishes = mind.wishes(60, own=0.0)
    priced = behind(mind, wishes, untaught_walks(mind, wishes), every)
    monkeypatch.setattr(outlook, "_PRICINGS", 0)
    plain = behind(mind, wishes, untaught_walks(mind, wishes), every)
    assert priced.mean() < 0.02
    assert plain.mean() > 1.5 * priced.mean()


def test_nothing_is_expected_behind_a_choice_that_replaces_the_later_layers():
    _, mind, plans = told(SPACE)
    (ending,) = SPACE.ending
    ended = plans[(plans[:, :-1] == ending).any(axis=1)]
    wishes, view = mind.own(len(ended)), mind._world.mean()
    prospects = mind._prospects(wishes, view)
    for position in range(1, len(SPACE.points) - 1):
        is_over = (ended[:, :position] == ending).any(axis=1)
        so_far = prospects.so_far(ended, position)
        totals = prospects._totals(ended, position, so_far)[:, is_over, 0]
        outlook = mind._lookout.of(view, mind._initial)
        expected = outlook.base[:, np.newaxis] + sum(
            outlook.added[:, place, ended[is_over, place]] for place in range(position)
        )
        np.testing.assert_allclose(totals, expected, atol=1e-12)


def test_the_last_episodes_are_kept():
    _, mind, plans = told(FOUR)
    points = len(FOUR.points)
    memory = EpisodeMemory(3 * points + 1, points)
    with pytest.raises(ValueError, match="empty"):
        memory.sample(1, np.random.default_rng(0))
    wishes, view = mind.own(2), mind._world.mean()
    prospects = mind._prospects(wishes, view)
    for start in (0, 2, 4):
        own = plans[start : start + 2]
        trace = mind.episodes.retrace(own, wishes, prospects)
        memory.extend(trace, mind.rewards(own, wishes, view))
    assert len(memory) == 3
    kept = {tuple(row) for row in memory._columns["actions"].tolist()}
    assert kept == {tuple(row) for row in plans[3:6].tolist()}


def test_a_network_that_starts_at_zero_adds_nothing_and_the_advice_decides():
    _, mind, _ = told(FOUR)
    states = np.random.default_rng(0).random((50, mind.episodes.size), np.float32)
    assert not mind.weights.values(states).any()
    mind.learn(2)
    assert mind.weights.values(states).any()


def test_weights_move_a_share_of_the_way():
    batch = EpisodeBatch(FOUR, ())
    config = CONFIG.network
    first, second = (QNetwork(batch.size, 5, config, seed).weights for seed in (0, 1))
    moved = first.towards(second, 0.25)
    for (a, _), (b, _), (c, _) in zip(first.layers, second.layers, moved.layers, strict=True):
        np.testing.assert_allclose(c, 0.75 * a + 0.25 * b, atol=1e-6)


def test_each_demand_is_priced_once():
    _, mind, _ = told(FOUR)
    wishes = mind.wishes(30, own=0.5)
    some, of = wishes.distinct()
    assert 1 < len(some.weights) < 30
    for name in ("weights", "allowed_loss", "loss_room", "bounds", "device"):
        np.testing.assert_array_equal(getattr(some, name)[of], getattr(wishes, name))
    np.testing.assert_array_equal(some.known_bounds[:, of], wishes.known_bounds)


def test_prospects_look_at_open_actions_only():
    _, mind, plans = told(FOUR)
    wishes = mind.own(1)
    prospects = Prospects(
        mind._lookout, mind._lookout.of(mind._world.mean(), mind._initial), wishes
    )
    every = np.zeros((1, len(FOUR.actions)), np.bool_)
    every[0, list(FOUR.points[0].options)] = True
    best = int(prospects.look(plans[:1], 0, every).advice.sum(axis=2)[0].argmax())
    less = every.copy()
    less[0, best] = False
    look = prospects.look(plans[:1], 0, less)
    assert look.advice[0, best].sum() > 0
    assert look.advice.sum(axis=2)[less].max() == pytest.approx(0)


def test_what_decisions_add_up_to_grows_by_what_each_adds():
    _, mind, plans = told(SPACE)
    prospects = mind._prospects(mind.own(len(plans)), mind._world.mean())
    so_far = prospects.so_far(plans, 0)
    for position in range(1, len(SPACE.points)):
        so_far = so_far + prospects.added(position - 1, plans[:, position - 1])
        np.testing.assert_allclose(so_far, prospects.so_far(plans, position), atol=1e-12)
