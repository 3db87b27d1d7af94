"""The DQN with a model of its world: what it learns in imagination."""

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import Stop
from adadeep.core.space import build_space
from adadeep.search import moves
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.dqn.planning import PlanningDqnSampler
from adadeep.search.world import World
from adadeep.testing.spaces import GAP, MODEL, PRECISIONS, SPACE, SVD
from fakes.simulated import Simulated
from fakes.worlds import DEEP, DEEP_LAYERS

FOUR = build_space(ModelSpec("four", (64,), DEEP_LAYERS[:4]), [SVD], PRECISIONS)
QUICK = ImaginationConfig(first_batches=4, later_batches=1, steps=2, proposals=8)


def quick(truth, seed=0):
    return PlanningDqnSampler(truth.context(seed), QUICK)


def identity(space, wanted):
    """A truth in which one choice is best wherever it fits, and costs nothing of the accuracy."""
    truth = Simulated(space, seed=5)
    truth.kept[:, 1:], truth.lost[:, 1:], truth.pace[:] = 0.9, 0.02, 1.0
    truth.kept[:, wanted], truth.lost[:, wanted] = 0.1, 0.0
    truth.lost[-1] = 0.0  # no precision loses anything
    return truth


@pytest.mark.parametrize("wanted", [1, 2])
def test_one_choice_that_is_always_best_is_learned_by_q_alone(wanted):
    """On four layers, the belief told of a third of all plans; no model helps the walk."""
    truth = identity(FOUR, wanted)
    sampler = PlanningDqnSampler(truth.context(1), ImaginationConfig(first_batches=0))
    world = sampler._explorer.world
    for row in truth.every_plan()[::3].tolist():
        world.tell(tuple(row), truth.scored(FOUR.plan(row)))
    world.fit()
    best = min(truth.every_plan().tolist(), key=truth.rank)
    assert best[:-1] == [wanted] * 4
    sampler._mind.learn(80, world.mean())
    found = []
    for _ in range(5):  # a Q network that goes on learning wavers now and then
        sampler._mind.learn(8, world.mean())
        found.append(sampler.greedy()[0].tolist())
    assert found.count(best) >= 3


def test_before_it_learned_it_does_not_know():
    truth = identity(FOUR, 1)
    walks = [
        PlanningDqnSampler(truth.context(seed), ImaginationConfig(first_batches=0)).greedy()
        for seed in range(4)
    ]
    assert not any((walk[0, :-1] == 1).all() for walk in walks)


def test_every_plan_is_asked_for_once_and_then_it_stops():
    space = build_space(MODEL, [SVD, GAP], PRECISIONS)
    truth = Simulated(space, seed=1)
    sampler = quick(truth)
    asked = truth.play(sampler, len(truth.every_plan()) - 1)
    everything = {tuple(row) for row in truth.every_plan().tolist()}
    assert sorted(asked) == sorted(everything - {moves.initial_decisions(space)})
    assert isinstance(sampler.ask(), Stop)


def test_the_same_seed_gives_the_same_plans_and_another_one_others():
    truth = Simulated(DEEP, seed=1)
    first, again, other = (truth.play(quick(truth, seed), 6) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_no_plan_that_breaks_a_known_limit_is_proposed_while_one_keeps_it():
    plain = Simulated(seed=1)
    limit = plain.known(CompressionPlan()).storage_bytes / 12
    truth = Simulated(seed=1, demand=UserDemand(max_accuracy_loss=0.03, max_storage_bytes=limit))
    plans = truth.every_plan().tolist()
    kept = {tuple(r) for r in plans if truth.known(SPACE.plan(r)).storage_bytes <= limit}
    assert 3 < len(kept) < 20
    assert set(truth.play(quick(truth), len(kept))) == kept


@pytest.fixture
def mind():
    truth = Simulated(seed=2)
    world = World(truth.context())
    for row in truth.every_plan()[::3].tolist():
        world.tell(tuple(row), truth.scored(SPACE.plan(row)))
    world.fit()
    return Imagination(world, QUICK, np.random.default_rng(0))


def test_what_is_imagined_of_the_own_demand_is_its_reward_less_what_is_broken(mind):
    """R1 and R2 by `core.reward`'s margins, worked out anew: 2 for each limit that is broken."""
    world, plans = mind._world, Simulated(seed=2).every_plan()
    view = world.mean()
    gains, satisfactions = mind.rewards(plans, mind.own(len(plans)), view)
    violation, reward = world.judged(plans, view.weights)
    kept = violation[0] == 0
    assert kept.any()
    np.testing.assert_allclose((gains + satisfactions)[kept], reward[0][kept], atol=1e-9)
    short = (reward[0] - gains - satisfactions)[~kept]
    np.testing.assert_allclose(short, 2 * violation[0][~kept], atol=1e-9)
    wish = world.goals[0].wish
    loss, costs = world.quantities(plans, view.weights)
    accuracy = (wish.allowed_loss - loss[0]) / wish.loss_room
    energy = (wish.bounds[1] - costs[1][0]) / wish.bounds[1]
    r1 = wish.weights[0] * accuracy + wish.weights[2] * energy
    np.testing.assert_allclose(gains[kept], r1[kept], atol=1e-9)


def test_half_of_the_wishes_are_the_users_own_and_the_rest_differ(mind):
    wishes = mind.wishes(400, own=0.5)
    own = mind.own(1)
    is_own = (wishes.weights == own.weights).all(axis=1)
    assert 0.35 < is_own.mean() < 0.65
    for name in ("allowed_loss", "bounds"):
        np.testing.assert_array_equal(
            getattr(wishes, name)[is_own], np.repeat(getattr(own, name), is_own.sum(), axis=0)
        )
    assert len(np.unique(wishes.allowed_loss[~is_own])) == (~is_own).sum()
    assert ((wishes.bounds > 0) & (wishes.bounds <= 1.0 + 1e-9)).all()
    initial = mind._world.initial_costs[0]
    np.testing.assert_allclose(wishes.known_bounds.T, wishes.bounds[:, 1:] * initial[1:])


def test_an_episode_is_remembered_with_its_reward_at_the_end(mind):
    plans = Simulated(seed=2).every_plan()[:5]
    view = mind._world.mean()
    wishes = mind.own(5)
    mind.remember(plans, wishes, view)
    assert len(mind._memory) == 5 * len(SPACE.points)
    batch = mind._memory.sample(400, np.random.default_rng(0))
    assert batch.done.mean() == pytest.approx(1 / len(SPACE.points), abs=0.1)
    assert not batch.gains[~batch.done].any()
    gains, satisfactions = mind.rewards(plans, wishes, view)
    assert set(batch.gains[batch.done]) <= set(gains.astype(np.float32))
    assert set(batch.satisfactions[batch.done]) <= set(satisfactions.astype(np.float32))


def test_two_goals_are_wished_for_each_with_its_own_limits():
    truth = Simulated(seed=2)
    goal = truth.context().goals[0]
    tight = replace(goal, target="b", limits=replace(goal.limits, max_latency_ms=1e-3))
    world = World(replace(truth.context(), goals=(goal, tight)))
    wishes = Imagination(world, QUICK, np.random.default_rng(0)).own(50)
    assert len(np.unique(wishes.bounds[:, 0])) == 2
