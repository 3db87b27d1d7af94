"""What every sampler does, on a small space with a reward that is known."""

from __future__ import annotations

import math

import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.metric import ACCURACY_SCALE
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reader import require_name
from adadeep.core.reward import Limits, Reward
from adadeep.core.sampler import Sampler, SamplerKind, believed_quality, expected_gain
from adadeep.core.search import Goal, GoalScore, KnownCosts, ScoredTrial, SearchContext, Stop
from adadeep.core.space import SearchSpace, build_space
from adadeep.core.trial import Trial, TrialState
from adadeep.testing.spaces import FIRE, MODEL, SPACE, toy_choice

GOAL = Goal("target", UserDemand(), Limits(0.9, 1.0, 1.0, 1000.0))


def made(
    kind: SamplerKind, preset: str, seed: int = 0, space: SearchSpace = SPACE, goals: int = 1
) -> Sampler:
    """A fresh sampler."""
    known = KnownCosts(1000, 1000.0, 1000.0, 1.0, 2000.0)
    return kind.make(SearchContext(space, (GOAL,) * goals, seed, preset, lambda _: known))


def told(
    plan: CompressionPlan,
    gain: float,
    satisfaction: float,
    state: TrialState = TrialState.FAILED,
    goals: int = 1,
) -> ScoredTrial:
    """A trial that earned so much."""
    trial = Trial(plan, state, reason="of a test")
    return ScoredTrial((GoalScore(trial, Reward(gain, satisfaction, 0.0)),) * goals)


def worth(plan: CompressionPlan) -> tuple[float, float]:
    """A reward that wants fc1 compressed by W1f(12) in int8 and everything else left alone."""
    wanted = plan.choice("fc1") == toy_choice("W1f", 12)
    others = sum(name != "fc1" for name, _ in plan.choices)
    return 0.5 * wanted - 0.5 * others, 0.5 * (plan.precision == "int8")


def episodes(sampler: Sampler, count: int, goals: int = 1) -> list[CompressionPlan]:
    """So many plans that it asks for, each told what it is worth; fewer where it stops."""
    plans = []
    for _ in range(count):
        plan = sampler.ask()
        if isinstance(plan, Stop):
            assert plan.reason
            break
        sampler.tell(told(plan, *worth(plan), goals=goals))
        plans.append(plan)
    return plans


def assert_asks_within(space: SearchSpace, sampler: Sampler) -> None:
    """It can be asked; a plan that it asks for is one of the space."""
    answer = sampler.ask()
    assert isinstance(answer, Stop) or space.plan(space.decisions(answer)) == answer


class SamplerKit:
    """The contract of `Sampler` and `SamplerKind` in `core/sampler.py`."""

    @pytest.fixture
    def kind(self) -> SamplerKind:
        """The registry's entry; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def preset(self, kind: SamplerKind) -> str:
        """The preset; to be overridden, with parameters, where there are several."""
        return kind.presets[0]

    def test_names_itself_and_its_presets(self, kind: SamplerKind, preset: str) -> None:
        for name in (kind.name, *kind.presets):
            require_name("sampler or preset", name)
        assert kind.title
        assert preset in kind.presets
        assert len(set(kind.presets)) == len(kind.presets)

    def test_says_why_it_is_unusable_if_it_tells(self, kind: SamplerKind) -> None:
        if unusable := getattr(kind, "unusable", None):
            assert unusable() is None, "install what it needs; the tests can't do without"

    def test_asks_only_for_plans_of_the_space(self, kind: SamplerKind, preset: str) -> None:
        plans = episodes(made(kind, preset, seed=3), 12)
        assert plans, "it asks for nothing"
        for plan in plans:
            assert SPACE.plan(SPACE.decisions(plan)) == plan

    def test_the_same_seed_and_rewards_give_the_same_plans(
        self, kind: SamplerKind, preset: str
    ) -> None:
        first, second = (episodes(made(kind, preset, seed=5), 10) for _ in range(2))
        assert first == second

    def test_what_it_did_not_ask_for_may_be_told_even_from_outside_the_space(
        self, kind: SamplerKind, preset: str
    ) -> None:
        sampler = made(kind, preset)
        outside = CompressionPlan((("gone", LayerChoice("W9")),), "float8")
        for plan in (outside, SPACE.plan(SPACE.decisions(CompressionPlan()))):
            sampler.tell(told(plan, 0.1, 0.1))
        assert_asks_within(SPACE, sampler)

    def test_several_asks_may_be_open(self, kind: SamplerKind, preset: str) -> None:
        sampler = made(kind, preset)
        for answer in [sampler.ask() for _ in range(3)]:
            if isinstance(answer, CompressionPlan):
                sampler.tell(told(answer, *worth(answer)))
        assert_asks_within(SPACE, sampler)

    def test_a_plan_that_was_skipped_is_told_like_any_other(
        self, kind: SamplerKind, preset: str
    ) -> None:
        sampler = made(kind, preset)
        plan = sampler.ask()
        assert isinstance(plan, CompressionPlan)
        sampler.tell(told(plan, -1.0, -1.0, TrialState.SKIPPED))
        assert_asks_within(SPACE, sampler)

    def test_a_space_with_one_point_is_enough(self, kind: SamplerKind, preset: str) -> None:
        space = build_space(MODEL, [FIRE], ())
        for plan in episodes(made(kind, preset, space=space), 5):
            assert space.plan(space.decisions(plan)) == plan

    def test_several_goals_are_told_together(self, kind: SamplerKind, preset: str) -> None:
        sampler = made(kind, preset, goals=2)
        assert episodes(sampler, 4, goals=2)
        assert_asks_within(SPACE, sampler)

    def test_what_it_expects_to_gain_is_a_number_if_it_tells(
        self, kind: SamplerKind, preset: str
    ) -> None:
        sampler = made(kind, preset)
        episodes(sampler, 4)
        gain = expected_gain(sampler)
        assert gain is None or 0 <= gain < math.inf

    def test_what_it_believes_of_a_quality_is_within_the_scale_if_it_tells(
        self, kind: SamplerKind, preset: str
    ) -> None:
        sampler = made(kind, preset)
        outside = CompressionPlan((("gone", LayerChoice("W9")),), "float8")
        for plan in (*episodes(sampler, 4), CompressionPlan(), outside):
            quality = believed_quality(sampler, plan)
            assert quality is None or ACCURACY_SCALE.low <= quality <= ACCURACY_SCALE.high

    def test_to_be_asked_for_what_it_believes_changes_nothing(
        self, kind: SamplerKind, preset: str
    ) -> None:
        asked = made(kind, preset, seed=5)
        plans = []
        for _ in range(8):
            plans += episodes(asked, 1)
            expected_gain(asked)
            believed_quality(asked, CompressionPlan())
        assert plans == episodes(made(kind, preset, seed=5), 8)
