"""What Q alone answers to a demand, told what came of plans for another."""

from dataclasses import replace

import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan
from adadeep.core.trial import TrialState
from adadeep.search.dqn.answer import answer_to
from adadeep.search.moves import count_plans, nth_plan
from adadeep.testing.spaces import SPACE
from fakes.search_space import every_list
from fakes.simulated import Simulated

INITIAL = CompressionPlan()
EVERY = [SPACE.plan(decisions) for decisions in every_list(SPACE)]


def context(seed=0, plans=(), **demand):
    """Of a demand; told what came of plans."""
    truth = Simulated(SPACE, UserDemand(**{"max_accuracy_loss": 0.03} | demand), seed)
    found = truth.context()
    told = tuple(truth.scored(plan) for plan in plans)
    return truth, replace(found, history=(*found.history, *told))


@pytest.mark.parametrize("seed", range(4))
def test_who_knows_all_plans_is_answered_a_good_one_as_it_is(seed):
    half = 0.5 * Simulated(SPACE, seed=seed).latency_ms(INITIAL)
    truth, told = context(seed, EVERY, max_latency_ms=half)
    answer = answer_to(told)
    ranks = sorted(truth.scored(plan).rank for plan in EVERY)
    assert truth.scored(answer.plan).rank <= ranks[len(ranks) // 20]
    assert answer.told == len(EVERY) - 1
    assert answer.latency_ms == pytest.approx(truth.latency_ms(answer.plan), rel=0.1)
    assert answer.storage_bytes == pytest.approx(truth.known(answer.plan).storage_bytes)
    assert answer.loss == pytest.approx(0.97 - truth.accuracy(answer.plan), abs=0.005)
    assert answer.reward == pytest.approx(truth.scored(answer.plan).reward.total, abs=0.05)
    assert answer.violation == 0


def test_another_demand_is_answered_otherwise():
    own = Simulated(SPACE, seed=1).latency_ms(INITIAL)
    plans = [SPACE.plan(nth_plan(SPACE, n)) for n in range(1, count_plans(SPACE), 7)]
    careful = answer_to(context(1, plans, max_accuracy_loss=0.003)[1])
    quick = answer_to(context(1, plans, max_accuracy_loss=0.1, max_latency_ms=0.2 * own)[1])
    assert careful.loss < quick.loss
    assert careful.latency_ms > quick.latency_ms


def test_what_breaks_a_limit_that_formulas_tell_is_no_answer():
    assert answer_to(context(0, EVERY[:9])[1]) is not None
    assert answer_to(context(0, EVERY[:9], max_storage_bytes=1e-3)[1]) is None


def test_plans_of_another_space_and_what_is_not_measured_teach_nothing():
    truth, plain = context(0, EVERY[1:8])
    strange = replace(truth.scored(EVERY[9]).scores[0].trial, plan=CompressionPlan((), "int3"))
    score = truth.scored(EVERY[9]).scores[0]
    waiting = replace(
        score.trial, state=TrialState.INCOMPLETE, accuracy=None, cost=None, reason="not yet"
    )
    more = [
        replace(truth.scored(EVERY[9]), scores=(replace(score, trial=trial),))
        for trial in (strange, waiting)
    ]
    assert answer_to(replace(plain, history=(*plain.history, *more))) == answer_to(plain)


def test_the_same_context_gives_the_same_answer():
    _, told = context(2, EVERY[::5])
    assert answer_to(told) == answer_to(told)
