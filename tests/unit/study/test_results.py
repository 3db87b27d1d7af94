import pytest

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import Limits, Reward
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial, TrialState
from adadeep.study.results import StudyResult, pareto_front
from fakes.metrics import ERROR


def scored(name, total, violation=0.0, losses=(0.9, 1.0, 1.0, 1.0)):
    accuracy, latency, energy, storage = losses
    plan = CompressionPlan((("fc1", LayerChoice(name)),))
    cost = Cost(
        Quantity(latency, Provenance.MEASURED), Quantity(energy, Provenance.ANALYTIC),
        storage, 0.0, 1, 1,
    )  # fmt: skip
    trial = Trial(plan, TrialState.COMPLETE, accuracy, cost)
    return GoalScore(trial, Reward(total, 0.0, violation))


def failed(name):
    trial = Trial(CompressionPlan((("fc1", LayerChoice(name)),)), TrialState.FAILED, reason="no")
    return GoalScore(trial, Reward(-1.0, -1.0, None))


def result(*trials):
    return StudyResult(Limits(0, 1, 1, 1), trials[0], trials)


def test_where_lower_is_better_the_front_holds_what_is_low():
    high = scored("high", 0, losses=(0.9, 1.0, 1.0, 1.0))
    low = scored("low", 0, losses=(0.1, 1.0, 1.0, 1.0))
    assert pareto_front([high, low]) == (high,)
    assert pareto_front([high, low], Scale.of(ERROR)) == (low,)


def test_the_best_is_the_feasible_one_with_the_highest_reward():
    trials = (scored("a", 0.1), scored("b", 0.5), scored("c", 1.9, violation=0.01))
    assert min(trials, key=lambda one: one.rank) is trials[1]


def test_without_a_feasible_plan_the_best_is_the_one_that_breaks_least():
    trials = (scored("a", 1.0, violation=0.5), scored("b", 0.0, violation=0.1), failed("c"))
    assert min(trials, key=lambda one: one.rank) is trials[1]


def test_ranking_leaves_out_the_initial_network_and_failures():
    trials = (scored("initial", 9.0), scored("b", 0.1), failed("c"), scored("d", 0.4))
    assert result(*trials).ranked(5) == (trials[3], trials[1])
    assert result(*trials).ranked(1) == (trials[3],)


def test_the_front_holds_what_nothing_beats_in_everything():
    fast = scored("fast", 0, losses=(0.90, 1.0, 2.0, 2.0))
    good = scored("good", 0, losses=(0.99, 5.0, 5.0, 5.0))
    beaten = scored("beaten", 0, losses=(0.90, 1.5, 2.0, 2.0))
    twin = scored("twin", 0, losses=(0.90, 1.0, 2.0, 2.0))
    assert pareto_front((fast, good, beaten, twin, failed("x"))) == (fast, good, twin)


@pytest.mark.parametrize("count", [1, 3])
def test_of_equals_the_earlier_is_the_best(count):
    trials = tuple(scored(str(number), 0.5) for number in range(count))
    assert min(trials, key=lambda one: one.rank) is trials[0]
