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
from adadeep.search.dqn.outlook import Outlook
from adadeep.search.dqn.planning import PlanningDqnSampler
from adadeep.search.schedules import LinearSchedule
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


# Of a Q network that is told nothing of what is ahead: it has everything to learn.
BLIND = replace(
    ImaginationConfig(),
    network=replace(ImaginationConfig().network, learning_rate=2e-3),
    most_learned=np.inf, epsilon=LinearSchedule(1.0, 0.3, 40), rows=64, first_batches=0,
)  # fmt: skip


def blindfolded(sampler):
    """With an outlook in which all choices look alike."""
    points, actions = len(FOUR.points), len(FOUR.actions)
    alike = Outlook(np.array([[0.0, 1.0, 1.0, 1.0]] * 2), np.zeros((2, points, actions, 4)))
    sampler._mind._lookout.of = lambda view, initial: alike
    return sampler


def told_a_third(truth, sampler):
    """The belief, told of every third of the plans in any order."""
    world = sampler._explorer.world
    for row in np.random.default_rng(7).permutation(truth.every_plan())[::3].tolist():
        world.tell(tuple(row), truth.scored(FOUR.plan(row)))
    world.fit()
    return world.mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("wanted", [1, 2])
def test_one_choice_that_is_always_best_is_learned_by_q_alone(wanted, seed):
    """On four layers; neither the outlook nor the model helps the walk."""
    truth = identity(FOUR, wanted)
    sampler = blindfolded(PlanningDqnSampler(truth.context(seed), BLIND))
    view = told_a_third(truth, sampler)
    plans = truth.every_plan()
    best = min(plans.tolist(), key=truth.rank)
    assert best[:-1] == [wanted] * 4
    assert plans[view.worth(plans).argmax()].tolist() == best  # what is told is enough to tell
    assert sampler.greedy()[0].tolist() != best
    sampler._mind.learn(100, view)
    looks = []
    for _ in range(5):
        looks.append(sampler.greedy()[0].tolist())
        sampler._mind.learn(3, view)
    assert looks.count(best) >= 4  # a network that goes on learning wavers


def test_before_it_learned_it_does_not_know():
    truth = identity(FOUR, 1)
    walks = [
        blindfolded(PlanningDqnSampler(truth.context(seed), BLIND)).greedy() for seed in range(4)
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
    """R1 and R2 by `core.reward`'s margins, worked out anew: for each limit that is broken 1, and
    2 for each whole that it is broken by."""
    world, plans = mind._world, Simulated(seed=2).every_plan()
    view = world.mean()
    gains, satisfactions = mind.rewards(plans, mind.own(len(plans)), view).T
    violation, reward = world.judged(plans, view.weights)
    kept = violation[0] == 0
    assert kept.any()
    np.testing.assert_allclose((gains + satisfactions)[kept], reward[0][kept], atol=1e-9)
    wish = world.goals[0].wish
    loss, costs = world.quantities(plans, view.weights)
    accuracy = (wish.allowed_loss - loss[0]) / wish.loss_room
    latency, energy, storage = (
        (wish.bounds[place] - costs[place][0]) / wish.bounds[place] for place in range(3)
    )
    margins = np.stack([accuracy, latency, energy, storage])
    assert margins.min() > -1.5
    broken = np.where(margins < -1e-9, 1 - 2 * margins, 0.0).sum(axis=0)
    np.testing.assert_allclose(reward[0] - gains - satisfactions, broken, atol=1e-9)
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


def test_the_rewards_of_an_episode_are_what_it_brought_over_what_was_expected_at_first(mind):
    plans = Simulated(seed=2).every_plan()[:5]
    view, wishes, points = mind._world.mean(), mind.own(5), len(SPACE.points)
    mind.remember(plans, wishes, view)
    assert len(mind._memory) == 5
    kept = mind._memory._columns
    prospects = mind._prospects(wishes, view)
    first = prospects.look(
        plans, 0, mind.episodes.masks(mind.episodes.begun(plans, 0), wishes)
    ).worth
    brought = kept["rewards"][:5].sum(axis=1) + first
    np.testing.assert_allclose(brought, mind.rewards(plans, wishes, view), atol=1e-5)
    drawn = mind._memory.sample(400, np.random.default_rng(0))
    assert drawn.batch.done.mean() == pytest.approx(1 / points, abs=0.1)
    is_last = (kept["states"][:5, -1][:, np.newaxis] == drawn.batch.states).all(axis=2).any(axis=0)
    np.testing.assert_array_equal(is_last, drawn.batch.done)


def test_what_advice_told_and_what_is_learned_on_top_make_the_target_of_eq_10(mind):
    plans = Simulated(seed=2).every_plan()
    mind.remember(plans, mind.own(len(plans)), mind._world.mean())
    mind._most_learned = np.inf
    drawn = mind._memory.sample(200, np.random.default_rng(0))
    batch = drawn.batch
    q = sum(mind.weights.columns(batch.next_states)) + drawn.next_advice.sum(axis=2)
    best = np.where(batch.next_masks, q, -np.inf).max(axis=1)
    expected = batch.gains + batch.satisfactions + np.where(batch.done, 0.0, best)
    found = (mind._targets(drawn) + drawn.advice).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_learned_on_top_is_bounded(mind):
    plans = Simulated(seed=2).every_plan()
    mind.remember(plans, mind.wishes(len(plans), own=0.0), mind._world.mean())
    most = mind._config.most_learned / len(SPACE.points)
    targets = mind._targets(mind._memory.sample(500, np.random.default_rng(0)))
    assert np.abs(targets).max() == pytest.approx(most)
    assert (np.abs(targets) < most).any()


def test_two_goals_are_wished_for_each_with_its_own_limits():
    truth = Simulated(seed=2)
    goal = truth.context().goals[0]
    tight = replace(goal, target="b", limits=replace(goal.limits, max_latency_ms=1e-3))
    world = World(replace(truth.context(), goals=(goal, tight)))
    wishes = Imagination(world, QUICK, np.random.default_rng(0)).own(50)
    assert len(np.unique(wishes.bounds[:, 0])) == 2
