"""What the user fixes: own plans come first and are told; layers and names bind the sampler."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.search import Stop
from adadeep.search.random_sampler import RandomSampler
from adadeep.storage.records import JournalContent, Session, SessionAsks
from adadeep.study.choices import Choices, NothingToChoose, OwnPlansFirst
from adadeep.testing.spaces import SPACE, toy_choice
from unit.study.test_study import INITIAL, ScriptedSampler, search, some_plans

L1_L3 = CompressionPlan((("conv", toy_choice("L1", 0.25)), ("fc1", LayerChoice("L3"))))
INT8 = CompressionPlan((), "int8")


def choices(*tries, keep=(), only=()):
    return Choices.of(SPACE, tries, keep, only)


# ---- what is asked for


def test_without_a_wish_the_space_is_the_whole_and_has_the_key_that_it_always_had():
    found = choices()
    assert (found.space, found.own_plans) == (SPACE, ())
    actions = msgspec.json.encode(SPACE.actions)
    assert found.key == hashlib.sha256(actions).hexdigest()[:8]  # folders of before go on


def test_own_plans_keep_their_order_and_each_is_there_once():
    assert choices("int8", "conv=L1,fc1=L3", "int8").own_plans == (INT8, L1_L3)


def test_parts_of_the_space_have_keys_of_their_own():
    parts = [choices(), choices(keep=["fc1"]), choices(keep=["fc2"]), choices(only=["W1f"])]
    assert len({part.key for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("text", "wishes", "why"),
    [
        ("conv=L1", {"keep": ["conv"]}, "--keep conv forbids it"),
        ("fc1=L3", {"keep": ["fc2"]}, "--keep fc2 forbids it"),
        ("conv=L1,int8", {"only": ["L1"]}, "--only leaves out int8"),
        ("fc1=L3", {"only": ["W1f", "int8"]}, "--only leaves out L3"),
    ],
)
def test_a_plan_that_another_option_forbids_is_refused(text, wishes, why):
    assert choices(text).own_plans
    with pytest.raises(ConfigError) as caught:
        choices(text, **wishes)
    assert str(caught.value) == f"--try {text}: {why}; leave one of the two out."


# ---- the loop


def first(sampler, *plans):
    return lambda: OwnPlansFirst(sampler(), plans)


def random():
    return RandomSampler(SPACE, 4)


def test_own_plans_are_asked_first_count_as_episodes_and_are_told(tmp_path):
    inner = ScriptedSampler(some_plans(2))
    did = search(tmp_path, first(lambda: inner, L1_L3, INT8), 3)
    assert did.plans[:3] == [INITIAL, L1_L3, INT8]
    assert [scored.plan for scored in inner.told] == [L1_L3, INT8, inner.plans[0]]
    assert (did.run.asked, inner.asked) == (3, 1)


def test_a_plan_that_is_told_before_the_first_ask_is_not_asked_for_whoever_tried_it():
    sampler = OwnPlansFirst(ScriptedSampler(some_plans(1)), (L1_L3, INT8))
    for known in (some_plans(1)[0], L1_L3):
        sampler.tell(SimpleNamespace(plan=known))
    assert sampler.ask() == INT8


@pytest.mark.parametrize("look_ahead", [1, 3])
def test_gone_on_with_they_are_replayed_and_not_evaluated_again(tmp_path, look_ahead):
    options = {"own_plans": (L1_L3, INT8), "look_ahead": look_ahead}
    whole = search(tmp_path / "whole", first(random, L1_L3, INT8), 8, **options)
    part = search(tmp_path / "parts", first(random, L1_L3, INT8), 4, **options)
    resumed = search(tmp_path / "parts", first(random, L1_L3, INT8), 8, **options)
    assert resumed.plans == whole.plans
    assert not set(part.crew.made) & set(resumed.crew.made)
    assert (len(resumed.content.sessions), resumed.watching.notes) == (1, [])


def test_what_the_folder_knows_already_is_not_asked_for_again(tmp_path):
    search(tmp_path, ScriptedSampler([INT8]), 1)
    inner = ScriptedSampler([])
    did = search(tmp_path, first(lambda: inner, INT8, L1_L3), 5, own_plans=(INT8, L1_L3))
    assert did.run.asked == 2
    assert [scored.plan for scored in inner.told] == [INT8, L1_L3]


def test_what_the_sampler_believes_and_expects_is_passed_on_the_latter_once_its_turn_has_come():
    class Knowing(ScriptedSampler):
        def expected_gain(self):
            return 0.5

        def believed_quality(self, plan):
            return 0.9 if plan == INT8 else None

    sampler = OwnPlansFirst(Knowing([]), [INT8])
    assert (sampler.believed_quality(INT8), sampler.believed_quality(L1_L3)) == (0.9, None)
    assert OwnPlansFirst(ScriptedSampler([]), []).believed_quality(INT8) is None
    assert sampler.expected_gain() is None
    assert sampler.ask() == INT8
    assert sampler.expected_gain() == 0.5
    assert OwnPlansFirst(ScriptedSampler([]), []).expected_gain() is None


def test_a_space_of_one_plan_evaluates_the_initial_network_only(tmp_path):
    space = choices(keep=["conv", "fc1", "fc2"], only=["none"]).space
    assert space.points == ()
    did = search(tmp_path, NothingToChoose, 9)
    assert (did.crew.made, did.run.asked) == ([INITIAL.key], 0)
    assert "the initial network is the only plan" in did.run.stop
    assert isinstance(NothingToChoose().ask(), Stop)


# ---- sessions


def content(session, asked=()):
    asks = SessionAsks(session, 0)
    asks.asks += asked
    return JournalContent(sessions=[asks])


def test_who_names_no_plan_goes_on_with_what_a_session_began_with():
    plain = Session("dqn", "default", 0, 1, {})
    begun = choices("int8").begun_with(plain, JournalContent())
    assert begun.own_plans == (INT8,)
    assert choices().begun_with(plain, content(begun)) == begun
    other = Session("dqn", "default", 1, 1, {})
    assert choices().begun_with(other, content(begun)) == other
    new = choices("conv=L1,fc1=L3").begun_with(plain, content(begun))
    assert new.own_plans == (L1_L3,)
    assert not begun.goes_on(new)


def test_how_a_space_was_asked_for_is_noted_and_makes_no_other_session():
    begun = Session("dqn", "default", 0, 1, {}, "01234567", keep=("conv1",), only=("int8",))
    assert begun.goes_on(replace(begun, keep=(), only=()))  # the same space by other words
    assert not begun.goes_on(replace(begun, space="76543210"))


def test_plans_for_which_the_episodes_are_too_few_are_counted(tmp_path):
    asked = search(tmp_path, ScriptedSampler([INT8, *some_plans(2)]), 3).content
    both = choices("int8", "conv=L1,fc1=L3")
    assert both.left_out(asked, 3) == both.left_out(asked, 1) == 1
    assert both.left_out(asked, None) == 0
    assert both.left_out(asked, 4) == both.left_out(JournalContent(), 2) == 0
    assert choices("int8", "conv=L1,fc1=L3", "conv=L1").left_out(asked, 3) == 2
