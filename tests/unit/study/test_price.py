"""What a search says it is going to take."""

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.storage.records import JournalContent, TrialRecord
from adadeep.study.price import Price, price_of
from fakes.clock import HandClock
from fakes.search_parts import FakeBench
from unit.study.test_study import ScriptedSampler, search, some_plans

ARTIFACT = "a" * 16


def content(*seconds):
    """Of trials that took so long to make and to measure, the initial network's first."""
    found = JournalContent()
    for number, (making_s, measuring_s) in enumerate(seconds):
        plan = CompressionPlan((("fc1", LayerChoice(f"W{number}")),) if number else ())
        record = TrialRecord(plan, ARTIFACT, making_s=making_s, measuring_s=measuring_s)
        found.trials[plan.key] = record
    return found


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Price(25, 180.0, 40.0), "about 25 plans: 3 min of training, 40 s on the device"),
        (Price(25, 9000.0, 40.0, 2), "about 25 plans: 2.5 h of training, 40 s on 2 devices"),
        (Price(1, 0.0, 89.4), "about 1 plan: 89 s on the device"),
        (Price(3, 0.0, 0.0), "about 3 plans"),
    ],
)
def test_it_is_said_in_one_line(price, text):
    assert price.text == text


def test_before_the_first_plan_the_initial_network_tells():
    assert price_of(content((1.0, 2.0)), 10, 0.5, 1, None) == Price(10, 15.0, 4.0, 1)


def test_where_nobody_knows_what_training_takes_nothing_is_said_of_it():
    assert price_of(content((1.0, 2.0)), 10, None, 1, None) == Price(10, 0.0, 4.0, 1)


def test_later_the_plans_themselves_tell_and_not_those_that_were_known():
    found = content((1.0, 2.0), (4.0, 3.0), (6.0, 0.0))
    assert price_of(found, 10, 0.5, 1, None) == Price(10, 50.0, 30.0, 1)


def test_no_more_plans_are_promised_than_the_time_lets_begin():
    clock = HandClock()
    found = content((1.0, 2.0), (4.0, 6.0))
    assert price_of(found, 30, None, 1, Deadline.after(55, clock)).plans == 6
    assert price_of(found, 30, None, 1, Deadline.after(1, clock)).plans == 1
    assert price_of(found, 3, None, 1, Deadline.after(55, clock)).plans == 3


def test_a_search_says_it_once_and_one_that_goes_on_says_it_of_what_is_left(tmp_path):
    plans, benches = some_plans(6), [FakeBench(), FakeBench("Other box", "e" * 16)]
    first = search(tmp_path, ScriptedSampler(plans), 4, benches=benches)
    (price,) = first.watching.prices
    assert (price.plans, price.devices) == (4, 2)
    again = search(tmp_path, ScriptedSampler(plans), 4)
    assert again.watching.prices == []
    (price,) = search(tmp_path, ScriptedSampler(plans), 6).watching.prices
    assert price.plans == 6 - 4
