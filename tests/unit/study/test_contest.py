"""What plans are held to be worth, some of which were made again."""

import pytest

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import Reward
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial, TrialState
from adadeep.study.contest import as_delivered

ONE = Quantity(1.0, Provenance.MEASURED)
COST = Cost(ONE, ONE, 1.0, 0.0, 1, 1)
PLANS = {name: CompressionPlan((("fc1", LayerChoice(name)),)) for name in "abcd"}


def scores(**accuracies):
    reward = Reward(0.0, 0.0, 0.0)
    return [
        GoalScore(
            Trial(PLANS[name], TrialState.COMPLETE, accuracy, COST)
            if accuracy
            else Trial(PLANS[name], TrialState.FAILED, reason="it can't be made"),
            reward,
        )
        for name, accuracy in accuracies.items()
    ]


def told(believed, searched, delivered, remade):
    keys = {PLANS[name].key: name for name in PLANS}
    found = as_delivered(
        {PLANS[name].key: quality for name, quality in believed.items()},
        scores(**searched), scores(**delivered), {PLANS[name].key for name in remade},
    )  # fmt: skip
    return {keys[key]: quality for key, quality in found.items()}


def test_what_was_made_again_has_changed_and_the_others_would_change_as_much_on_the_mean():
    searched = {"a": 0.95, "b": 0.94, "c": 0.93}
    found = told(
        {"a": 0.90, "b": 0.91, "c": 0.92}, searched, searched | {"a": 0.97, "b": 0.90}, "ab"
    )
    assert found == pytest.approx({"a": 0.92, "b": 0.87, "c": 0.91})


def test_where_none_was_made_again_it_is_what_is_believed():
    assert told({"a": 0.9}, {"a": 0.95}, {"a": 0.95}, "") == {"a": 0.9}


def test_failed_ones_and_those_of_no_belief_tell_nothing():
    searched = {"a": None, "b": 0.9, "c": 0.8}
    found = told({"a": 0.7, "c": 0.8}, searched, searched | {"b": 0.92}, "ab")
    assert found == pytest.approx({"a": 0.72, "c": 0.82})
