"""Every sampler in the registry: masks, determinism, and learning where it claims to learn."""

import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.space import build_space
from adadeep.search.registry import SAMPLERS
from adadeep.testing.samplers import SamplerKit, episodes, made, told, worth
from adadeep.testing.spaces import FIRE, GAP, MODEL, SPACE, SVD

CASES = [(name, preset) for name in SAMPLERS for preset in SAMPLERS.get(name).presets]


class TestSampler(SamplerKit):
    @pytest.fixture(params=CASES, ids="-".join)
    def case(self, request):
        return request.param

    @pytest.fixture
    def kind(self, case):
        return SAMPLERS.get(case[0])

    @pytest.fixture
    def preset(self, case):
        return case[1]

    def test_names_itself_as_the_registry_does(self, case, kind):
        assert kind.name == case[0]


def make(case, seed=0, space=SPACE):
    return made(SAMPLERS.get(case[0]), case[1], seed, space)


def test_seeds_differ():
    samplers = [make(("random", "default"), seed) for seed in range(4)]
    plans = [tuple(plan.key for plan in episodes(sampler, 6)) for sampler in samplers]
    assert len(set(plans)) == 4


def test_random_asks_for_every_plan_before_it_repeats_one():
    space = build_space(MODEL, [SVD, GAP], ())
    keys = [plan.key for plan in episodes(make(("random", ""), space=space), 10)]
    assert len(set(keys)) == 10


def test_dqn_without_a_model_learns_a_task_of_two_decisions():
    sampler = make(("dqn", "model-free"), seed=1)
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


def test_values_of_the_dqn_without_a_model_tell_the_reward_of_a_single_decision():
    """A bandit: one decision, so Q of an action must become its reward."""
    space = build_space(MODEL, [FIRE], ())
    sampler = make(("dqn", "model-free"), space=space)
    for _ in range(60):
        plan = sampler.ask()
        sampler.tell(told(plan, *((0.75, 0.5) if plan.choices else (-0.25, 0.0))))
    nothing, fire = space.points[0].options
    values = sampler.values(())
    assert values[nothing] == pytest.approx(-0.25, abs=0.15)
    assert values[fire] == pytest.approx(1.25, abs=0.15)


def test_an_unknown_preset_is_an_input_error():
    with pytest.raises(ConfigError, match="default, model-free, paper"):
        make(("dqn", "fast"))
