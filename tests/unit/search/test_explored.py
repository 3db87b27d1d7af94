import random

import pytest

from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.space import build_space
from adadeep.core.trial import TrialState
from adadeep.search.explored import Explored
from adadeep.search.moves import initial_decisions
from adadeep.testing.spaces import GAP, MODEL, SVD
from fakes.search_space import every_list
from fakes.worlds import context, scored

SPACE = build_space(MODEL, [SVD, GAP], ())
PLANS = every_list(SPACE)
INITIAL = initial_decisions(SPACE)
ONE, TWO, THREE = [plan for plan in PLANS if plan != INITIAL][:3]


def told(explored, plan, total, *more):
    return explored.tell(scored(SPACE.plan(plan), total, *more))


def test_what_was_asked_or_told_or_is_history_is_not_new():
    explored = Explored(context(SPACE))
    explored.ask(ONE)
    told(explored, TWO, 0.5)
    assert [explored.is_new(plan) for plan in (INITIAL, ONE, TWO, THREE)] == [False] * 3 + [True]
    assert [explored.is_open(plan) for plan in (ONE, TWO, THREE)] == [True, False, False]
    told(explored, ONE, 0.1)
    assert not explored.is_open(ONE)


def test_the_better_come_first_and_what_breaks_a_limit_last():
    explored = Explored(context(SPACE))
    told(explored, ONE, 0.9, 0.1)
    told(explored, TWO, -0.5)
    explored.ask(THREE)
    assert explored.best_of([ONE, TWO, THREE, INITIAL]) == [INITIAL, TWO, ONE]
    assert explored.known == (INITIAL, ONE, TWO)


def test_what_is_incomplete_is_not_asked_again_and_nothing_is_learned_from_it():
    explored = Explored(context(SPACE))
    assert told(explored, ONE, -2.0, None, TrialState.INCOMPLETE) == ONE
    assert (explored.is_new(ONE), explored.rank(ONE), ONE in explored.known) == (
        False,
        None,
        False,
    )


def test_a_plan_from_outside_the_space_is_none_of_it():
    explored = Explored(context(SPACE))
    outside = CompressionPlan((("gone", LayerChoice("W9")),), "float8")
    assert explored.tell(scored(outside, 9.0)) is None
    assert explored.known == (INITIAL,)


def test_draws_are_new_until_there_is_nothing_new():
    explored, rng = Explored(context(SPACE)), random.Random(4)
    drawn = []
    while not explored.is_exhausted:
        drawn.append(explored.draw(rng))
        explored.ask(drawn[-1])
    assert sorted([*drawn, INITIAL]) == sorted(PLANS)
    with pytest.raises(ValueError, match="no new plan"):
        explored.draw(rng)


def test_draws_are_of_every_plan_alike():
    drawn = [Explored(context(SPACE)).draw(random.Random(seed)) for seed in range(300)]
    counts = [drawn.count(plan) for plan in PLANS if plan != INITIAL]
    assert min(counts) > 10
