"""A search of no given length: where it ends, and that it ends there again."""

import pytest

from adadeep.core.clock import Deadline
from adadeep.search.random_sampler import RandomSampler
from adadeep.study.choices import OwnPlansFirst
from adadeep.study.episodes import (
    ANSWERS,
    LEAST_GAIN,
    MOST_PLANS,
    MOST_UNTOLD,
    NOT_WORTH_IT,
    TYPICAL,
    Ending,
    Episodes,
)
from adadeep.testing.spaces import SPACE
from fakes.clock import HandClock
from unit.study.test_study import ScriptedSampler, search, some_plans

HIGH, LOW = 2 * LEAST_GAIN, LEAST_GAIN / 2


class Expecting(RandomSampler):
    """Asks at random; expects these gains of its asks in turn, then the last one again."""

    def __init__(self, *gains, seed=4):
        super().__init__(SPACE, seed)
        self.gains, self.asked = gains, 0

    def ask(self):
        self.asked += 1
        return super().ask()

    def expected_gain(self):
        return self.gains[min(self.asked, len(self.gains)) - 1]


def expecting(*gains):
    return lambda: Expecting(*gains)


ENDS_AT_8 = [HIGH, LOW, LOW, HIGH, None, HIGH, LOW, LOW, LOW, HIGH]


def test_it_ends_after_three_answers_in_a_row_and_says_so(tmp_path):
    did = search(tmp_path, expecting(*ENDS_AT_8), None)
    assert did.run.asked == 8  # the ninth, chosen for a third low gain, is not tried
    assert did.run.stop == NOT_WORTH_IT
    assert [event.expected_gain for event in did.watching.events[1:]] == ENDS_AT_8[:8]
    assert {event.episodes for event in did.watching.events} == {None}


def test_gone_on_with_it_asks_nothing_new(tmp_path):
    first = search(tmp_path, expecting(*ENDS_AT_8), None)
    again = search(tmp_path, expecting(*ENDS_AT_8), None)
    assert again.content == first.content
    assert (again.run.stop, again.watching.prices) == (NOT_WORTH_IT, [])


@pytest.mark.parametrize("look_ahead", [1, 3])
@pytest.mark.parametrize("before", [2, 6, 7])
def test_an_interrupted_one_goes_on_to_the_same_end(tmp_path, before, look_ahead):
    options = {"look_ahead": look_ahead}
    whole = search(tmp_path / "whole", expecting(*ENDS_AT_8), None, **options)
    search(tmp_path / "parts", expecting(*ENDS_AT_8), before, **options)
    resumed = search(tmp_path / "parts", expecting(*ENDS_AT_8), None, **options)
    assert resumed.run.asked == whole.run.asked
    assert (resumed.plans, resumed.run.stop) == (whole.plans, whole.run.stop)
    assert len(resumed.content.sessions) == 1


def test_a_number_goes_on_beyond_it_and_auto_then_judges_the_last_answers(tmp_path):
    search(tmp_path, expecting(*ENDS_AT_8), None)
    longer = search(tmp_path, expecting(*ENDS_AT_8), 10)
    assert (longer.run.asked, longer.run.stop) == (10, None)
    gains = [*ENDS_AT_8, LOW, LOW, LOW]  # the tenth was high: three others are needed
    assert search(tmp_path, expecting(*gains), None).run.asked == 12


def test_answers_count_only_where_something_was_told_between(tmp_path):
    """Open asks are chosen knowing the same."""
    did = search(tmp_path, expecting(LOW), None, look_ahead=3)
    assert did.run.asked == 4  # 1, 2, 3 know nothing more than each other


@pytest.mark.parametrize(
    ("sampler", "most", "why"),
    [
        (expecting(HIGH), MOST_PLANS, f"{MOST_PLANS} plans are the most without --episodes"),
        (expecting(None), MOST_UNTOLD, "the sampler can't tell what going on may gain"),
        (lambda: RandomSampler(SPACE, 4), MOST_UNTOLD, "the sampler can't tell"),
        (expecting(float("nan")), MOST_PLANS, "are the most"),
    ],
)
def test_it_ends_in_any_case(tmp_path, sampler, most, why):
    did = search(tmp_path, sampler, None)
    assert did.run.asked == most
    assert why in did.run.stop


def test_another_session_has_a_bound_of_its_own(tmp_path):
    search(tmp_path, ScriptedSampler(some_plans(5)), 5, name="scripted")
    did = search(tmp_path, lambda: RandomSampler(SPACE, 4), None)
    assert did.run.asked == 5 + MOST_UNTOLD


def test_the_samplers_own_end_and_the_time_are_said(tmp_path):
    assert search(tmp_path / "a", ScriptedSampler(some_plans(2)), None).run.stop == "no more"
    clock = HandClock()

    def slow(_plan):
        clock.time += 10

    until = Deadline.after(35, clock)
    did = search(tmp_path / "b", ScriptedSampler(some_plans(9)), None, until=until, make=slow)
    assert (did.run.asked, did.run.stop) == (3, "the time of --max-time is over")


def test_the_users_plans_are_asked_for_whatever_is_expected(tmp_path):
    own = tuple(some_plans(5, seed=9))
    did = search(tmp_path, lambda: OwnPlansFirst(Expecting(LOW), own), None, own_plans=own)
    assert did.plans[1:6] == list(own)
    assert did.run.asked == len(own) + ANSWERS - 2  # the last of them brought the first answer
    assert Ending(Episodes(None), 3, 40).may_ask(3 + 40 + MOST_UNTOLD)
    assert not Ending(Episodes(None), 3, 40).may_ask(3 + 40 + MOST_UNTOLD + 1)


def test_how_many_plans_are_left():
    assert Ending(Episodes(30), 4, 0).left(8, tells=True) == 23
    assert Ending(Episodes(None), 4, 1).left(8, tells=True) == TYPICAL + 1 - 3
    assert Ending(Episodes(None), 4, 1).left(8, tells=False) == MOST_UNTOLD + 1 - 3
    assert Ending(Episodes(None), 4, 0).left(4 + TYPICAL + 9, tells=True) == ANSWERS
