"""The samplers with a model of the world, from ask to stop."""

import pytest

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import Stop
from adadeep.core.space import build_space
from adadeep.search import moves
from adadeep.search.planner import PLANNER
from adadeep.testing.spaces import FIRE, MODEL, PRECISIONS, SPACE, SVD
from fakes.simulated import Simulated
from fakes.worlds import DEEP, asks, scored

TRUTH = Simulated(seed=1)


def test_every_plan_is_asked_for_once_and_then_it_stops():
    sampler = PLANNER.make(TRUTH.context())
    asked = TRUTH.play(sampler, len(TRUTH.every_plan()) - 1)
    everything = {tuple(row) for row in TRUTH.every_plan().tolist()}
    assert sorted(asked) == sorted(everything - {moves.initial_decisions(SPACE)})
    answer = sampler.ask()
    assert isinstance(answer, Stop)
    assert answer.reason == "every plan was tried"
    assert sampler.expected_gain() == 0


@pytest.mark.parametrize("ahead", [1, 3])
def test_the_same_seed_gives_the_same_plans_and_another_one_others(ahead):
    def run(seed):
        sampler = PLANNER.make(TRUTH.context(seed))
        return asks(sampler, SPACE, lambda plan: -float(sum(plan)), count=12, ahead=ahead)[0]

    first, again, other = run(3), run(3), run(4)
    assert first == again
    assert len(set(first)) == 12
    assert first != other


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_best_of_a_small_space_within_a_fifth_of_it(seed):
    truth = Simulated(seed=seed)
    asked = truth.play(PLANNER.make(truth.context(seed)), 10)
    best = min(truth.rank(row) for row in truth.every_plan().tolist())
    assert min(truth.rank(row) for row in asked) == best


def test_in_a_deep_space_it_comes_nearer_than_uniform_plans():
    truth = Simulated(DEEP, seed=2)
    asked = truth.play(PLANNER.make(truth.context()), 14)
    found = min(truth.rank(row) for row in asked)
    uniform = min(truth.rank(row) for row in moves.uniform_plans(DEEP))
    assert found[0] == 0
    assert found < uniform


@pytest.mark.parametrize(
    "space",
    [
        build_space(MODEL, [], PRECISIONS),
        build_space(MODEL, [FIRE], ()),
        build_space(MODEL, [SVD], ()),
    ],
    ids=["precisions alone", "one choice", "no precisions"],
)
def test_spaces_without_some_kind_of_decision_are_tried_to_their_end(space):
    truth = Simulated(space)
    count = len(truth.every_plan()) - 1
    sampler = PLANNER.make(truth.context())
    assert len(set(truth.play(sampler, count))) == count
    assert isinstance(sampler.ask(), Stop)


def test_what_an_earlier_search_told_is_not_asked_for():
    sampler = PLANNER.make(TRUTH.context())
    before = TRUTH.every_plan()[1:30].tolist()
    for row in before:
        sampler.tell(TRUTH.scored(SPACE.plan(row)))
    asked = TRUTH.play(sampler, 15)
    assert not {tuple(row) for row in before} & set(asked)


def test_it_goes_on_where_every_plan_fails():
    sampler = PLANNER.make(TRUTH.context())
    asked = []
    for _ in range(8):
        plan = sampler.ask()
        assert isinstance(plan, CompressionPlan)
        asked.append(plan)
        sampler.tell(scored(plan, -2.0, None))
    assert len(set(asked)) == 8
