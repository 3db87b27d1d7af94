"""What the registered recipes add to training: larger batches and moved images, from scratch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adadeep.core.compressed import Compressed
from adadeep.core.task import Training, full_steps_of, learns_from_teacher, train_by
from adadeep.training.recipes.digits import DIGITS
from adadeep.training.recipes.mnist import MNIST

pytestmark = pytest.mark.tf


def test_moved_images_keep_their_pixels_and_their_shape():
    from adadeep.training.augment import shifted

    images = np.zeros((1000, 9, 9, 1), np.float32)
    images[:, 4, 4] = 1
    moved = np.asarray(shifted(images, 2))
    assert moved.shape == images.shape
    assert moved.sum(axis=(1, 2, 3)).tolist() == [1.0] * 1000
    places = np.argwhere(moved)[:, 1:3] - 4
    assert {tuple(place) for place in places} == {
        (a, b) for a in range(-2, 3) for b in range(-2, 3)
    }


def test_only_a_training_from_scratch_has_large_batches_and_moves_images(monkeypatch):
    from adadeep.training import fit

    seen = []

    def note(made, data, schedule, loss, aid):
        seen.append((schedule.batch_size, aid.augment is not None))

    monkeypatch.setattr(fit, "train", note)
    MNIST.train(Compressed(None), None, 5, 0, MNIST.base_rate)
    MNIST.train(Compressed(None), None, 5, 0, MNIST.fine_tune_rate)
    DIGITS.train(Compressed(None), None, 5, 0, DIGITS.base_rate)
    assert seen == [(128, True), (32, False), (32, False)]


def test_a_winner_gets_more_steps_where_a_recipe_says_nothing_of_it_too():
    assert (full_steps_of(MNIST), full_steps_of(DIGITS)) == (480, 160)

    class Plugin:
        fine_tune_steps = 20

    assert full_steps_of(Plugin()) == 80


def test_a_recipe_that_knows_no_teacher_is_not_told_of_one():
    told = []

    class Plain:
        def train(self, made, data, steps, seed, learning_rate):
            told.append("plain")

    class Taught(Plain):
        distils = True

        def train(self, made, data, steps, seed, learning_rate, teacher=None):
            told.append(teacher)

    training = Training(1, 0, 0.1, teacher="outputs")
    assert [learns_from_teacher(kind()) for kind in (Plain, Taught)] == [False, True]
    for kind in (Plain, Taught):
        train_by(kind(), None, None, training)
    train_by(Taught(), None, None, replace(training, teacher=None))
    assert told == ["plain", "outputs", None]
