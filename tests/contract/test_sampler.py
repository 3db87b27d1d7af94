"""Every sampler in the registry: masks, determinism, and learning where it claims to learn."""

import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import Limits, Reward
from adadeep.core.search import Goal, GoalScore, ScoredTrial, SearchContext, Stop
from adadeep.core.space import build_space
from adadeep.core.trial import Trial, TrialState
from adadeep.search.registry import SAMPLERS
from fakes.search_space import FIRE, GAP, MODEL, SPACE, SVD

CASES = [(name, preset) for name in SAMPLERS for preset in SAMPLERS.get(name).presets]
GOAL = Goal("target", UserDemand(), Limits(0.9, 1.0, 1.0, 1000.0))


def make(case, seed=0, space=SPACE):
    return SAMPLERS.get(case[0]).make(SearchContext(space, (GOAL,), seed, case[1]))


def told(plan, gain, satisfaction, state=TrialState.FAILED):
    """A trial that earned so much."""
    trial = Trial(plan, state, reason="of a test")
    return ScoredTrial((GoalScore(trial, Reward(gain, satisfaction, 0.0)),))


def worth(plan):
    """A reward that wants fc1 compressed by W1f(12) in int8 and everything else left alone."""
    wanted = plan.choice("fc1") == LayerChoice("W1f", (("value", 12),))
    others = sum(name != "fc1" for name, _ in plan.choices)
    return 0.5 * wanted - 0.5 * others, 0.5 * (plan.precision == "int8")


def episodes(sampler, count):
    plans = []
    for _ in range(count):
        plan = sampler.ask()
        sampler.tell(told(plan, *worth(plan)))
        plans.append(plan)
    return plans


@pytest.mark.parametrize("case", CASES, ids="-".join)
class TestSampler:
    def test_asks_only_for_plans_of_the_space(self, case):
        for plan in episodes(make(case, seed=3), 12):
            assert SPACE.plan(SPACE.decisions(plan)) == plan

    def test_the_same_seed_and_rewards_give_the_same_plans(self, case):
        first, second = (episodes(make(case, seed=5), 10) for _ in range(2))
        assert first == second

    def test_what_it_did_not_ask_for_may_be_told_even_from_outside_the_space(self, case):
        sampler = make(case)
        outside = CompressionPlan((("gone", LayerChoice("W9")),))
        for plan in (outside, SPACE.plan(SPACE.decisions(CompressionPlan()))):
            sampler.tell(told(plan, 0.1, 0.1))
        assert SPACE.decisions(sampler.ask())

    def test_several_asks_may_be_open(self, case):
        sampler = make(case)
        plans = [sampler.ask() for _ in range(3)]
        for plan in plans:
            sampler.tell(told(plan, *worth(plan)))
        answer = sampler.ask()
        assert isinstance(answer, Stop) or SPACE.plan(SPACE.decisions(answer)) == answer

    def test_a_plan_that_was_skipped_is_told_like_any_other(self, case):
        sampler = make(case)
        plan = sampler.ask()
        sampler.tell(told(plan, -1.0, -1.0, TrialState.SKIPPED))
        assert SPACE.decisions(sampler.ask())

    def test_names_itself_as_the_registry_does(self, case):
        kind = SAMPLERS.get(case[0])
        assert (kind.name, bool(kind.title)) == (case[0], True)

    def test_a_space_with_one_point_is_enough(self, case):
        space = build_space(MODEL, [FIRE], ())
        for plan in episodes(make(case, space=space), 5):
            assert space.plan(space.decisions(plan)) == plan


def test_seeds_differ():
    samplers = [make(("random", "default"), seed) for seed in range(4)]
    plans = [tuple(plan.key for plan in episodes(sampler, 6)) for sampler in samplers]
    assert len(set(plans)) == 4


def test_random_asks_for_every_plan_before_it_repeats_one():
    space = build_space(MODEL, [SVD, GAP], ())
    keys = [plan.key for plan in episodes(make(("random", ""), space=space), 10)]
    assert len(set(keys)) == 10


def test_dqn_learns_a_task_of_two_decisions():
    sampler = make(("dqn", "default"), seed=1)
    plans = episodes(sampler, 60)
    best = (0.5, 0.5)
    assert best in [worth(plan) for plan in plans]
    decisions = ()
    for _ in SPACE.points:
        mask, values = SPACE.mask(decisions), sampler.values(decisions)
        decisions = (
            *decisions,
            max((n for n in range(len(mask)) if mask[n]), key=lambda n: values[n]),
        )
    assert worth(SPACE.plan(decisions)) == best


def test_dqn_values_tell_the_reward_of_a_single_decision():
    """A bandit: one decision, so Q of an action must become its reward."""
    space = build_space(MODEL, [FIRE], ())
    sampler = make(("dqn", "default"), space=space)
    for _ in range(60):
        plan = sampler.ask()
        sampler.tell(told(plan, *((0.75, 0.5) if plan.choices else (-0.25, 0.0))))
    nothing, fire = space.points[0].options
    values = sampler.values(())
    assert values[nothing] == pytest.approx(-0.25, abs=0.15)
    assert values[fire] == pytest.approx(1.25, abs=0.15)


def test_an_unknown_preset_is_an_input_error():
    with pytest.raises(ConfigError, match="default, paper"):
        make(("dqn", "fast"))
