"""What a looser limit would give. Plans are made by hand: accuracy, T, E and S_p."""

import json

import pytest

from adadeep.core.demand import UserDemand
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.reward import Limits
from adadeep.study.looser import looser_as_json, looser_limits, looser_lines
from adadeep.study.results import StudyResult
from fakes.documented import undocumented
from fakes.metrics import ERROR
from unit.study.test_results import failed, scored

LIMITS = Limits(0.90, 10.0, 2.0, 100.0)  # A_min, E_max, T_bgt, S_bgt
INITIAL = scored("initial", 0, losses=(0.92, 4.0, 20.0, 400.0))
WINNER = scored("winner", 0, losses=(0.93, 1.0, 5.0, 50.0))
DEMAND = UserDemand()


def result(*others, limits=LIMITS, scale=ACCURACY_SCALE):
    return StudyResult(limits, INITIAL, (INITIAL, WINNER, *others), scale)


def found(*others, winner=WINNER, limits=LIMITS, refuted=()):
    return looser_limits(result(*others, limits=limits), DEMAND, winner, refuted)


def test_a_plan_that_held_back_samples_have_refuted_neither_is_named_nor_speaks_against_one():
    slow = scored("slow", 0, losses=(0.94, 2.5, 5.0, 50.0))
    inside = scored("inside", 0, losses=(0.95, 1.9, 9.0, 90.0))
    assert found(slow, refuted={slow.trial.plan.key}) == ()
    assert [one.scored for one in found(slow, inside, refuted={inside.trial.plan.key})] == [slow]


def test_a_better_plan_just_beyond_one_limit_is_named_with_what_it_needs():
    slow = scored("slow", 0, losses=(0.95, 2.5, 5.0, 50.0))
    (one,) = found(slow)
    assert (one.limit, one.allowed, one.needed, one.scored) == ("latency_ms", 2.0, 2.5, slow)
    assert one.more == 0.5
    assert one.accuracy_gain == pytest.approx(0.02)
    assert looser_lines((one,), result(slow), WINNER) == [
        "looser: T <= 2.5 ms (0.5 ms more): accuracy +2.0 % by #2 fc1:slow"
    ]


def test_of_several_beyond_the_same_limit_the_nearest_counts():
    far = scored("far", 0, losses=(0.99, 4.0, 5.0, 50.0))
    near = scored("near", 0, losses=(0.95, 2.1, 5.0, 50.0))
    assert [one.scored for one in found(far, near)] == [near]


def test_a_plan_beyond_two_limits_or_without_costs_is_none():
    both = scored("both", 0, losses=(0.99, 3.0, 5.0, 150.0))
    assert found(both, failed("x")) == ()


def test_what_a_plan_within_the_limits_has_already_needs_no_looser_limit():
    slow = scored("slow", 0, losses=(0.94, 2.5, 5.0, 50.0))
    assert len(found(slow)) == 1
    inside = scored("inside", 0, losses=(0.95, 1.9, 9.0, 90.0))
    assert found(slow, inside) == ()


def test_what_is_no_better_is_none():
    assert found(scored("worse", 0, losses=(0.93, 2.5, 5.0, 50.0))) == ()


def test_a_higher_reward_is_better_too():
    small = scored("small", 0, losses=(0.93, 2.05, 1.0, 1.0))
    (one,) = found(small)
    assert one.accuracy_gain == 0
    assert one.reward_gain > 0.1
    (line,) = looser_lines((one,), result(small), WINNER)
    assert f": reward {one.reward_gain:+.3f} by #2 fc1:small" in line


def test_a_looser_accuracy_is_told_by_the_reward_that_it_gives():
    quick = scored("quick", 0, losses=(0.89, 0.1, 0.5, 1.0))
    (one,) = found(quick)
    assert (one.limit, one.allowed) == ("accuracy_loss", pytest.approx(0.02))
    assert one.needed == pytest.approx(0.03)
    (line,) = looser_lines((one,), result(quick), WINNER)
    assert line.startswith("looser: accuracy loss <= 3.0 % (1.0 % more): reward +")


def test_two_at_the_most_the_least_looseness_first():
    others = [
        scored("t", 0, losses=(0.95, 2.8, 5.0, 50.0)),
        scored("e", 0, losses=(0.95, 1.0, 11.0, 50.0)),
        scored("s", 0, losses=(0.95, 1.0, 5.0, 120.0)),
    ]
    assert [one.limit for one in found(*others)] == ["energy_mj", "storage_bytes"]


def test_where_nothing_is_within_the_nearest_beyond_each_limit_would_be():
    tight = Limits(0.90, 10.0, 0.5, 100.0)
    worse = scored("worse", 0, losses=(0.91, 0.6, 5.0, 50.0))
    ones = found(worse, limits=tight)
    assert [(one.limit, one.scored) for one in ones] == [("latency_ms", worse)]
    (line,) = looser_lines(ones, result(worse, limits=tight), WINNER)
    assert line == "looser: T <= 0.6 ms (0.1 ms more): #2 fc1:worse would be within"


def test_where_lower_is_better_the_sign_is_the_other_one():
    scale = Scale.of(ERROR)
    initial = scored("initial", 0, losses=(0.08, 4.0, 20.0, 400.0))
    winner = scored("winner", 0, losses=(0.07, 1.0, 5.0, 50.0))
    slow = scored("slow", 0, losses=(0.05, 2.5, 5.0, 50.0))
    ran = StudyResult(Limits(0.10, 10.0, 2.0, 100.0), initial, (initial, winner, slow), scale)
    (one,) = looser_limits(ran, DEMAND, winner)
    assert one.scored == slow
    assert one.accuracy_gain == pytest.approx(0.02 / scale.span)
    assert f"{scale.title} -" in looser_lines((one,), ran, winner)[0]


def test_as_json_every_key_is_documented():
    slow = scored("slow", 0, losses=(0.95, 2.5, 5.0, 50.0))
    document = looser_as_json(found(slow))
    assert json.loads(json.dumps(document))[0]["needed"] == 2.5
    assert undocumented(document) == []
