"""A network that is no better than guessing is told from one that is."""

from __future__ import annotations

import numpy as np
import pytest

from adadeep.core.scores import judged
from adadeep.training.ends import End, Meaning
from adadeep.training.guessing import guess_notes, largest_share
from adadeep.training.metrics.accuracy import ACCURACY, Accuracy
from adadeep.training.metrics.agreement import AGREEMENT
from adadeep.training.metrics.mean_error import MEAN_ERROR

LABELS = np.array([0] * 60 + [1] * 25 + [2] * 15)


def right_of(count: int) -> np.ndarray:
    """Outputs that are right for so many samples, taken from both ends, and wrong for others."""
    answers = (LABELS + 1) % 3
    order = np.argsort(np.arange(100) * 37 % 100)[:count]
    answers[order] = LABELS[order]
    return np.eye(3, dtype=np.float32)[answers]


@pytest.mark.parametrize(("right", "is_said"), [(20, True), (60, True), (68, True), (75, False)])
def test_it_is_said_up_to_what_chance_gives_above_the_largest_class(right, is_said):
    outputs = right_of(right)
    notes = guess_notes(ACCURACY, judged(ACCURACY, outputs, LABELS), outputs, LABELS)
    assert len(notes) == is_said
    for note in notes:
        assert f"accuracy is {right}.0 %, the largest class alone 60.0 %" in note


def test_flags_and_hot_labels_are_classes_too():
    assert largest_share(ACCURACY, right_of(5), np.eye(3)[LABELS]) == 0.6
    flags = Accuracy(End(meaning=Meaning.FLAGS, classes=2))
    assert largest_share(flags, np.zeros((100, 1)), LABELS > 1) == 0.85


@pytest.mark.parametrize("metric", [MEAN_ERROR, AGREEMENT])
def test_nothing_is_said_where_no_class_can_be_guessed(metric):
    outputs = right_of(20)
    assert guess_notes(metric, judged(ACCURACY, outputs, LABELS), outputs, LABELS) == ()
