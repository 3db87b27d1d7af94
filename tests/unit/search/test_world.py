"""What a world says of plans is what `core.reward` says of the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits, reward
from adadeep.core.scores import SampleScores
from adadeep.core.search import Goal, GoalScore, ScoredTrial, TargetKnowledge
from adadeep.core.trial import Trial, TrialState
from adadeep.search.cost_model import KnownCost, LearnedCost
from adadeep.search.neighbours import Moves
from adadeep.search.view import View, joined
from adadeep.search.wishes import worth
from adadeep.search.world import World
from adadeep.testing.spaces import SPACE
from fakes.metrics import ERROR
from fakes.simulated import QUALITY, Simulated

TRUTH = Simulated(seed=3)
PLANS = TRUTH.every_plan()
DEMANDS = [
    UserDemand(max_accuracy_loss=0.03),
    UserDemand(0.9, 0.1, 0.2, 0.8, 0.005, 4e-4, 2e-3, 2000.0),
    UserDemand(0.3, 0.7, 1.0, 0.0, 0.0, None, 1e-3, 500.0),
]


def limits_of(demand, scale=ACCURACY_SCALE, quality=QUALITY):
    own = TRUTH.cost(CompressionPlan())
    return Limits(
        scale.worsened(quality, demand.max_accuracy_loss),
        demand.max_energy_mj or own.energy_mj.value,
        demand.max_latency_ms or own.latency_ms.value,
        demand.max_storage_bytes or own.storage_bytes,
    )


def context(demands, keys=("",), **changes):
    goals = [Goal(t, d, limits_of(d)) for t, d in zip(keys, demands, strict=True)]
    return replace(TRUTH.context(), goals=tuple(goals), **changes)


def told_all(context):
    world = World(context)
    for row in PLANS[::3].tolist():
        world.tell(tuple(row), TRUTH.scored(SPACE.plan(row)))
    world.fit()
    return world


def expected(demand, limits, loss, costs, scale=ACCURACY_SCALE, quality=QUALITY):
    """Of one plan: by the reward's own formula."""
    accuracy = scale.worsened(quality, loss) if loss >= 0 else quality - loss * scale.span * (
        1 if scale.higher_is_better else -1
    )  # fmt: skip
    cost = replace(
        TRUTH.cost(CompressionPlan()),
        latency_ms=Quantity(costs[0], Provenance.MEASURED),
        energy_mj=Quantity(costs[1], Provenance.ANALYTIC),
        storage_bytes=costs[2],
    )
    earned = reward(demand, limits, accuracy, cost, scale)
    return earned.violation, earned.total


@pytest.mark.parametrize("demand", DEMANDS)
def test_plans_are_judged_as_the_reward_judges_the_same_numbers(demand):
    world = told_all(context([demand]))
    view = world.mean()
    violations, rewards = world.judged(PLANS, view.weights)
    loss, costs = world.quantities(PLANS, view.weights)
    own = [
        expected(demand, limits_of(demand), loss[0, n], [float(cost[0, n]) for cost in costs])
        for n in range(len(PLANS))
    ]
    np.testing.assert_allclose(np.stack([violations[0], rewards[0]], axis=1), own, atol=1e-9)
    assert (violations > 0).any() or demand is DEMANDS[0]
    np.testing.assert_array_equal(view.worth(PLANS), worth(violations[0], rewards[0]))


def test_of_two_goals_it_is_the_mean():
    two = context(DEMANDS[:2], ("a", "b"))
    world = told_all(two)
    both = world.judged(PLANS, world.mean().weights)
    loss, costs = world.quantities(PLANS, world.mean().weights)
    for n in range(0, len(PLANS), 5):
        own = [
            expected(
                d, limits_of(d), loss[0, n], [float(c[0, n]) for c in costs[3 * g : 3 * g + 3]]
            )
            for g, d in enumerate(DEMANDS[:2])
        ]
        np.testing.assert_allclose([both[0][0, n], both[1][0, n]], np.mean(own, axis=0), atol=1e-9)


def test_where_lower_is_better_a_loss_is_what_rises():
    scale = Scale.of(ERROR)
    quality, demand = 1.5, UserDemand(max_accuracy_loss=0.02)
    initial = Trial(CompressionPlan(), TrialState.COMPLETE, quality, TRUTH.cost(CompressionPlan()))
    goal = Goal("", demand, limits_of(demand, scale, quality))
    history = (
        ScoredTrial((GoalScore(initial, reward(demand, goal.limits, 1.5, initial.cost, scale)),)),
    )
    world = World(replace(TRUTH.context(), goals=(goal,), scale=scale, history=history))
    worse = PLANS[20]
    trial = replace(initial, plan=SPACE.plan(worse.tolist()), accuracy=1.8)
    world.tell(tuple(worse.tolist()), ScoredTrial((GoalScore(trial, history[0].reward),)))
    world.fit()
    loss, costs = world.quantities(PLANS, world.mean().weights)
    assert loss[0, 20] == pytest.approx(0.03, rel=0.05)  # 0.3 of 10
    found = world.judged(PLANS, world.mean().weights)
    for n in (0, 20, 33):
        own = expected(
            demand, goal.limits, loss[0, n], [float(c[0, n]) for c in costs], scale, quality
        )
        np.testing.assert_allclose([found[0][0, n], found[1][0, n]], own, atol=1e-9)


def test_a_plan_within_its_limits_is_worth_more_than_any_that_breaks_one():
    values = worth(np.array([0.0, 1e-12, 0.01, 0.5]), np.array([-2.0, -1.0, 2.0, 2.0]))
    assert values[1] > values[0] > values[2] > values[3]


def test_scores_are_heard_by_the_key_of_their_target():
    """A plan that is slow on a and quick on b; the order of its scores does not matter."""
    world = World(context(DEMANDS[:2], ("a", "b")))
    plan = PLANS[20]
    scored = TRUTH.scored(SPACE.plan(plan.tolist())).scores[0]

    def on(target, latency_ms):
        cost = replace(scored.trial.cost, latency_ms=Quantity(latency_ms, Provenance.MEASURED))
        return GoalScore(replace(scored.trial, cost=cost), scored.reward, target)

    slow, quick = 1.3 * times(world)[20], 0.7 * times(world)[20]
    scores = (on("b", quick), on("a", slow), on("c", 5.0))
    world.tell(tuple(plan.tolist()), ScoredTrial(scores))
    world.fit()
    _, costs = world.quantities(plan[np.newaxis], world.mean().weights)
    assert costs[0][0, 0] == pytest.approx(slow, rel=0.05)
    assert costs[3][0, 0] == pytest.approx(quick, rel=0.05)


def with_samples(right):
    """A trial whose samples were right or wrong."""
    scores = SampleScores.of(right)
    return Trial(
        CompressionPlan(), TrialState.COMPLETE, scores.quality, TRUTH.cost(CompressionPlan()),
        scores=scores,
    )  # fmt: skip


def test_the_loss_is_paired_and_its_variance_that_of_the_differences():
    """100 samples, the same 40 wrong; 3 more wrong, 1 less: a difference in 4 of 100."""
    before = np.ones(100, np.bool_)
    before[:40] = False
    after = before.copy()
    after[40:43], after[0] = False, True
    initial, tried = with_samples(before), with_samples(after)
    one = GoalScore(initial, TRUTH.scored(CompressionPlan()).reward)
    world = World(replace(TRUTH.context(), history=(ScoredTrial((one,)),)))
    differences = before.astype(float) - after
    expected = (differences.var() + 1 / 100) / 100  # and that of a sample, at least
    assert world._loss_variance(tried) == pytest.approx(expected)
    unpaired = before.var() / 100 + after.var() / 100
    assert world._loss_variance(tried) < 0.2 * unpaired
    assert world._loss_variance(initial) == pytest.approx(1e-4)  # no difference is not no doubt
    assert world._loss_variance(replace(tried, scores=None)) == 0.0


def weights(world):
    return np.concatenate([one.ravel() for one in world.mean().weights])


def test_what_has_no_network_and_the_initial_network_itself_teach_nothing():
    world = told_all(context([DEMANDS[0]]))
    before = weights(world)
    failed = Trial(SPACE.plan(PLANS[1].tolist()), TrialState.FAILED, reason="of a test")
    earned = TRUTH.scored(CompressionPlan()).scores[0].reward
    world.tell(tuple(PLANS[1].tolist()), ScoredTrial((GoalScore(failed, earned),)))
    world.tell(tuple(PLANS[0].tolist()), TRUTH.scored(CompressionPlan()))
    assert len(world.loss.smoothed()) == len(PLANS[::3]) - 1  # not the initial network

    view = replace(world.mean())
    np.testing.assert_array_equal(weights(world), before)
    assert view.world is world


def test_formulas_are_known_and_the_rest_is_learned():
    world = World(context([DEMANDS[0]]))
    kinds = [type(cost) for cost in world.goals[0].costs]
    assert kinds == [LearnedCost, KnownCost, KnownCost]
    assert world.known_places == (1, 2)
    _, costs = world.quantities(PLANS, world.mean().weights)
    known = [TRUTH.known(SPACE.plan(row)) for row in PLANS.tolist()]
    np.testing.assert_allclose(costs[1][0], [one.energy_mj for one in known])
    np.testing.assert_allclose(costs[2][0], [one.storage_bytes for one in known])
    unknown = World(context([DEMANDS[0]], known_costs=lambda plan: None))
    assert unknown.known_tables == ()
    own = TRUTH.cost(CompressionPlan())
    np.testing.assert_allclose(
        unknown.initial_costs[0], [own.latency_ms.value, own.energy_mj.value, own.storage_bytes]
    )


def test_what_the_initial_network_is_believed_to_cost_follows_each_fit():
    world = World(context([DEMANDS[0]]))
    for row in PLANS[3::9].tolist():
        before = world.initial_costs[0][0]
        world.tell(tuple(row), TRUTH.scored(SPACE.plan(row)))
        assert world.initial_costs[0][0] == before
        world.fit()
        _, costs = world.quantities(PLANS[:1], world.mean().weights)
        assert world.initial_costs[0].tolist() == [cost[0, 0] for cost in costs]
        assert world.initial_costs[0][0] != before


def test_an_energy_that_is_measured_is_learned():
    def known(plan):
        return replace(TRUTH.known(plan), energy_mj=None)

    world = World(context([DEMANDS[0]], known_costs=known))
    assert [type(cost) for cost in world.goals[0].costs] == [LearnedCost, LearnedCost, KnownCost]


def times(world):
    return world.quantities(PLANS, world.mean().weights)[1][0][0]


def test_a_profile_s_times_are_a_better_start_than_macs_and_none_of_them_no_worse():
    truth = np.array([TRUTH.latency_ms(SPACE.plan(row)) for row in PLANS.tolist()])

    def error(prior):
        targets = (TargetKnowledge(None, None, prior),)
        return np.abs(np.log(times(World(context([DEMANDS[0]], targets=targets))) / truth)).mean()

    of_macs = error(None)
    assert error(TRUTH.latency_ms) < 0.7 * of_macs
    assert error(lambda plan: None) == of_macs


def test_dreams_scatter_around_the_mean_and_strays_are_of_each_plan():
    world = told_all(context([DEMANDS[0]]))
    violations, rewards = world.sample(np.random.default_rng(0), 400).dreams(
        PLANS, np.random.default_rng(1)
    )
    assert violations.shape == rewards.shape == (400, len(PLANS))
    found = np.array([TRUTH.scored(SPACE.plan(row)).reward.total for row in PLANS.tolist()])
    assert np.abs(rewards.mean(axis=0) - found).max() < 0.1
    assert (rewards.std(axis=0) > 0).all()
    same = world.sample(np.random.default_rng(0), 400).dreams(PLANS, np.random.default_rng(1))
    np.testing.assert_array_equal(rewards, same[1])
    twice = np.repeat(PLANS[20:21], 2, axis=0)
    _, pair = world.mean().dreams(twice, np.random.default_rng(2))
    assert pair[0, 0] != pair[0, 1]


def test_dreams_around_a_plan_are_those_of_its_neighbours():
    world, climbs = told_all(context([DEMANDS[0]])), Moves(SPACE)
    view, near = world.sample(np.random.default_rng(0), 20), climbs.around(PLANS[:1])
    after, _ = climbs.neighbours(PLANS[:1])
    is_wanted = near.is_open[0].copy()
    is_wanted[np.flatnonzero(is_wanted)[::2]] = False
    for most, ways in ((None, 20), (7, 7)):
        found = view.dreams_around(near, is_wanted, np.random.default_rng(1), most)
        some = View(world, tuple(weights[:ways] for weights in view.weights))
        expected = some.dreams(after[1::2], np.random.default_rng(1))
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_views_joined_are_worth_in_each_way_what_each_is_worth():
    world, rng = told_all(context([DEMANDS[1]])), np.random.default_rng(3)
    views = [world.mean(), world.sample(rng), world.sample(rng)]
    both = joined(views)
    for way, view in enumerate(views):
        found = both.worth(PLANS, np.full(len(PLANS), way))
        np.testing.assert_allclose(found, view.worth(PLANS), atol=1e-12)


def test_an_interval_of_a_time_is_the_doubt_about_it():
    wide, narrow = World(context([DEMANDS[0]])), World(context([DEMANDS[0]]))
    plan = PLANS[20]
    before = times(wide)[20]
    value = 0.8 * before
    for world, half in ((wide, 3.0), (narrow, 1.0001)):
        scored = TRUTH.scored(SPACE.plan(plan.tolist())).scores[0]
        latency = Quantity(value, Provenance.MEASURED, low=value / half, high=value * half)
        trial = replace(scored.trial, cost=replace(scored.trial.cost, latency_ms=latency))
        world.tell(tuple(plan.tolist()), ScoredTrial((GoalScore(trial, scored.reward),)))
        world.fit()
    assert times(narrow)[20] < 1.05 * value
    assert times(narrow)[20] < times(wide)[20] < before
