"""Scores and what they mean: packed and back, within their range, read without the metric."""

import base64

import msgspec
import numpy as np
import pytest

from adadeep.core.errors import ConfigError, FormatError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.paired_f1 import f1_of, influences
from adadeep.core.reader import convert
from adadeep.core.scores import SampleScores, judged
from adadeep.training.metrics.accuracy import ACCURACY
from adadeep.training.metrics.f1 import F1_OF_TWO
from fakes.metrics import ERROR, Error

ERROR_SCALE = Scale.of(ERROR)


@pytest.mark.parametrize("count", [1, 8, 9, 179, 6000])
def test_packed_samples_come_back(count):
    right = np.random.default_rng(count).random(count) < 0.7
    kept = SampleScores.of(right)
    assert np.array_equal(kept.array, right)
    assert kept.quality == pytest.approx(right.mean())
    assert kept.is_binary


@pytest.mark.parametrize("count", [1, 2, 8, 179, 6000])
def test_packed_numbers_come_back(count):
    numbers = np.random.default_rng(count).normal(size=count)
    kept = SampleScores.of(numbers)
    assert np.array_equal(kept.array, numbers.astype(np.float32))
    assert kept.quality == pytest.approx(numbers.mean(), abs=1e-6)
    assert not kept.is_binary


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 179, 6000])
def test_packed_hits_come_back_and_make_f1(count):
    scores = np.random.default_rng(count).choice([0.0, 0.5, 1.0], count)
    kept = SampleScores.of_hits(scores)
    assert np.array_equal(kept.array, scores)
    assert kept.is_f1
    assert not kept.is_binary
    assert kept.quality == pytest.approx(f1_of(scores))
    assert influences(kept.array).mean() == pytest.approx(kept.quality)
    kept.require(Scale.of(F1_OF_TWO))
    for scale in (ACCURACY_SCALE, Scale("iou", "IoU", is_binary=False)):
        with pytest.raises(ValueError, match="packed otherwise"):
            kept.require(scale)
    with pytest.raises(ValueError, match="packed otherwise"):
        SampleScores.of(scores).require(Scale.of(F1_OF_TWO))


def test_a_hit_that_can_not_be_is_refused():
    packed = base64.b64encode(b"\xff\xff\0").decode()
    with pytest.raises(ValueError, match="a score"):
        SampleScores(8, packed).require(Scale.of(F1_OF_TWO))


def test_bits_are_written_as_ever():
    kept = SampleScores.of(np.array([1, 0, 1, 1, 0, 0, 0, 0, 1], bool))
    assert msgspec.to_builtins(kept) == {"count": 9, "packed": "sIA="}
    assert convert({"count": 9, "packed": "sIA="}, SampleScores, "x") == kept


@pytest.mark.parametrize(
    ("count", "packed"), [(9, "AA=="), (0, ""), (-1, ""), (8, "?"), (8, "AA")]
)
def test_damaged_packed_samples_are_refused(count, packed):
    with pytest.raises(ValueError, match=r"do not hold|no base64"):
        SampleScores(count, packed)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(wrong):
    packed = base64.b64encode(np.array([0.5, wrong], "<f4").tobytes()).decode()
    with pytest.raises(FormatError, match="not finite"):
        convert({"count": 2, "packed": packed}, SampleScores, "x")


def test_scores_of_another_metric_are_refused():
    SampleScores.of(np.array([0.0, 10.0])).require(ERROR_SCALE)
    SampleScores.of(np.array([True])).require(ACCURACY_SCALE)
    with pytest.raises(ValueError, match="not from 0 to 10"):
        SampleScores.of(np.array([0.0, 10.1])).require(ERROR_SCALE)
    for scores, scale in (([True], ERROR_SCALE), ([0.5], ACCURACY_SCALE)):
        with pytest.raises(ValueError, match="packed otherwise"):
            SampleScores.of(np.array(scores)).require(scale)


def test_a_metric_is_held_to_what_it_says():
    labels, outputs = np.zeros(3), np.array([[1.0], [2.0], [30.0]])
    assert judged(ERROR, outputs, labels).array.tolist() == [1.0, 2.0, 10.0]
    right = judged(ACCURACY, np.eye(3), np.array([0, 1, 1]))
    assert right.array.tolist() == [True, True, False]

    class Wrong(Error):
        def __init__(self, scores, is_binary=False):
            self.found, self.is_binary = np.array(scores), is_binary
            self.high = 1.0 if is_binary else 10.0

        def scores(self, outputs, labels):
            return self.found

    cases = [([1, 2], False), ([0, 0, 11], False), ([0, 0, np.nan], False), ([0, 0.5, 1], True)]
    for scores, is_binary in cases:
        with pytest.raises(ConfigError, match="'error' breaks its own rules"):
            judged(Wrong(scores, is_binary), outputs, labels)


def test_a_scale_knows_which_way_is_better():
    scale = ERROR_SCALE
    assert (scale.best, scale.span) == (0.0, 10.0)
    assert scale.advantage(2.0, over=3.0) == 1.0
    assert scale.loss(2.0, 3.0) == pytest.approx(0.1)
    assert scale.worsened(2.0, 0.1) == pytest.approx(3.0)
    assert scale.worsened(9.9, 0.1) == 10.0
    assert scale.about == "mean error, from 0 to 10, lower is better"
    assert (scale.shown(2.5), scale.shown(None)) == ("2.5", "-")
    assert Scale.of(ACCURACY) == ACCURACY_SCALE
    assert ACCURACY_SCALE.loss(0.98, 0.97) == 0.98 - 0.97
    assert ACCURACY_SCALE.worsened(0.01, 0.02) == 0.0
    assert ACCURACY_SCALE.shown(0.983) == "98.3 %"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../x"}, {"name": ""}, {"title": ""}, {"title": "x" * 81},
        {"low": 1.0, "high": 1.0}, {"low": 2.0}, {"high": float("nan")}, {"low": float("-inf")},
        {"high": 1e30}, {"high": 2.0, "is_binary": True}, {"low": -1.0, "is_binary": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_scale_that_can_not_be_is_refused(changes):
    good = {"name": "x", "title": "x", "is_binary": False}
    Scale(**good)
    with pytest.raises(ValueError, match=r"metric|title"):
        Scale(**{**good, **changes})
