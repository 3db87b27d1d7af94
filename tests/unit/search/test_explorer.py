"""The opening, what is asked for and what never is."""

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.search import GoalScore, ScoredTrial
from adadeep.core.space import build_space
from adadeep.core.trial import Trial, TrialState
from adadeep.search import moves
from adadeep.search.explorer import Explorer, uniform_plans
from adadeep.testing.spaces import FIRE, GAP, MODEL, SPACE, SVD
from fakes.simulated import Simulated

TRUTH = Simulated(seed=1)
INITIAL = moves.initial_decisions(SPACE)


def explorer(truth=TRUTH, seed=0):
    return Explorer(truth.context(seed))


def opened(one, truth=TRUTH):
    """The plans of the opening, each told."""
    found = []
    while (plan := one.opening()) is not None:
        one.tell(truth.scored(one.ask(plan)))
        found.append(plan)
    return found


def test_it_opens_with_precisions_alone_and_then_with_what_is_uniform_or_near_it():
    space = build_space(MODEL, [SVD, GAP, FIRE], ("float32", "int8", "int4"))
    truth = Simulated(space, seed=1)
    plans = opened(explorer(truth), truth)
    assert plans[:2] == moves.precision_plans(space)
    assert len(plans) == 3
    uniform = np.array(uniform_plans(space))
    assert (uniform != plans[2]).sum(axis=1).min() <= 3  # steps from the best uniform one


def test_uniform_plans_have_one_or_two_choices_wherever_they_fit_in_each_precision():
    plans = set(uniform_plans(SPACE))
    assert {*moves.uniform_plans(SPACE), *moves.precision_plans(SPACE)} > {*plans} & {INITIAL}
    assert set(moves.uniform_plans(SPACE)) <= plans
    for first in moves.uniform_plans(SPACE):
        for second in moves.uniform_plans(SPACE):
            for precision in (INITIAL, *moves.precision_plans(SPACE)):
                both = moves.merged(SPACE, first, second)
                assert moves.merged(SPACE, precision, both) in plans


def test_precisions_that_were_told_before_are_not_asked_for():
    one = explorer()
    (alone,) = moves.precision_plans(SPACE)
    one.tell(TRUTH.scored(SPACE.plan(alone)))
    assert one.opening() != alone


def test_the_best_reward_is_of_plans_that_keep_all_limits():
    one = explorer()
    plans = TRUTH.every_plan()[[3, 20, 40]].tolist()
    scored = [TRUTH.scored(SPACE.plan(plan)) for plan in plans]
    broken = GoalScore(
        scored[0].scores[0].trial, replace(scored[0].reward, gain=9.0, violation=0.1)
    )
    for each in (ScoredTrial((broken,)), *scored[1:]):
        one.tell(each)
    own = [one.rank for one in scored[1:]] + [TRUTH.rank(INITIAL)]
    assert one.best_reward == pytest.approx(max(-rank[1] for rank in own if rank[0] == 0))


def state(one):
    weights = np.concatenate([part.ravel() for part in one.world.mean().weights])
    return weights.tolist(), one.best_reward, sorted(one._explored.known)


def test_plans_from_outside_and_incomplete_ones_teach_nothing():
    one = explorer()
    opened(one)
    before = state(one)
    outside = CompressionPlan((("gone", LayerChoice("W9")),), "float8")
    earned = TRUTH.scored(CompressionPlan()).reward
    for trial in (
        Trial(outside, TrialState.FAILED, reason="of a test"),
        Trial(
            SPACE.plan(TRUTH.every_plan()[33].tolist()), TrialState.INCOMPLETE, 0.9, reason="away"
        ),
    ):
        assert one.tell(ScoredTrial((GoalScore(trial, earned),))) is None
        assert state(one) == before
    assert not len(one.fresh(TRUTH.every_plan()[[33]]))  # it can't be measured any more


def test_a_plan_that_failed_is_known_and_not_among_the_best():
    one = explorer()
    plan = tuple(TRUTH.every_plan()[33].tolist())
    failed = Trial(SPACE.plan(plan), TrialState.FAILED, reason="of a test")
    floor = replace(TRUTH.scored(CompressionPlan()).reward, gain=-1.0, violation=None)
    losses = one.world.mean().weights[0]
    one.tell(ScoredTrial((GoalScore(failed, floor),)))
    np.testing.assert_array_equal(one.world.mean().weights[0], losses)
    assert not len(one.fresh(np.array([plan])))
    assert tuple(one.best_plans(1)[0]) == INITIAL
    assert one.best_reward == pytest.approx(-TRUTH.rank(INITIAL)[1])


def test_of_candidates_it_takes_one_that_gains_most_by_what_is_believed():
    """All but a tenth of the plans are told: it knows the truth; the best is among the rest."""
    one = explorer()
    plans = TRUTH.every_plan()
    best = min(range(len(plans)), key=lambda n: TRUTH.rank(plans[n].tolist()))
    hidden = {best, 5, 11, 17, 23}
    for number, plan in enumerate(plans.tolist()):
        if number not in hidden:
            one.tell(TRUTH.scored(SPACE.plan(plan)))
    left = plans[[5, 11, best, 17]]
    worths = [-11.0, 0.5, one.best_reward - 1, 0.0]
    bad = left, np.array(worths)
    good = left, np.array([*worths[:2], one.best_reward + 0.4, 0.0])
    assert one.choose(bad, [good, bad]) == tuple(plans[best].tolist())
    assert one.expected_gain == pytest.approx(0.2, abs=0.05)  # the mean of two dreams
    one.tell(TRUTH.scored(SPACE.plan(plans[best].tolist())))
    one.choose(bad, [good, bad])
    assert one.expected_gain < 0.01  # what was tried is no gain


def test_where_no_candidate_is_new_it_asks_for_a_neighbour_and_last_for_none():
    one = explorer()
    known = np.array([INITIAL]), np.array([5.0])  # worth more in a dream: it is no news
    assert one.choose(known, [known, known]) in set(moves.neighbours(SPACE, INITIAL))
    assert one.expected_gain == 0
    for plan in TRUTH.every_plan().tolist():
        one.ask(tuple(plan))
    assert one.best_of([TRUTH.every_plan()]) is None


@pytest.fixture
def tight():
    """S_p is to be a twentieth: few plans keep that, int8 alone does not."""
    plain = Simulated(seed=1)
    storage = plain.known(CompressionPlan()).storage_bytes
    return Simulated(
        seed=1, demand=UserDemand(max_accuracy_loss=0.03, max_storage_bytes=storage / 12)
    )


def kept(truth):
    limit = truth.demand.max_storage_bytes
    plans = truth.every_plan().tolist()
    return {tuple(row) for row in plans if truth.known(SPACE.plan(row)).storage_bytes <= limit}


def test_what_breaks_a_known_limit_is_not_asked_for_while_something_keeps_it(tight):
    assert 3 < len(kept(tight)) < 20
    one, asked = explorer(tight), []
    for _ in range(len(kept(tight)) + 2):
        plan = one.opening() or one.best_of([tight.every_plan()])
        asked.append(plan)
        one.tell(tight.scored(one.ask(plan)))
    assert set(asked[:-2]) == kept(tight)
    assert not set(asked[-2:]) & kept(tight)


def test_a_choice_that_formulas_can_t_tell_is_never_ruled_out(tight):
    hidden = SPACE.actions[SPACE.points[1].options[1]]

    def known(plan):
        return None if plan.choice("fc1") == hidden else tight.known(plan)

    world = Explorer(replace(tight.context(), known_costs=known)).world
    plans = tight.every_plan()
    may = {tuple(row) for row in plans[world.may_keep(plans)].tolist()}
    with_it = {tuple(row) for row in plans.tolist() if row[1] == SPACE.points[1].options[1]}
    assert may == with_it | {plan for plan in kept(tight) if plan not in with_it}


def test_a_plan_is_ruled_out_by_all_goals_only(tight):
    wide = replace(tight.context().goals[0], limits=TRUTH.limits, demand=TRUTH.demand, target="b")
    context = tight.context()
    both = Explorer(replace(context, goals=(*context.goals, wide))).world
    assert both.may_keep(tight.every_plan()).sum() > len(kept(tight))
