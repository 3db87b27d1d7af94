"""Training: reproducible, learns, keeps what it must."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from adadeep.training.data_sets.digits import DIGITS
from adadeep.training.metrics.accuracy import ACCURACY

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def data() -> Any:
    return DIGITS.load()


def train(model: Any, data: Any, steps: int, seed: int, **settings: Any) -> None:
    from adadeep.core.compressed import Compressed
    from adadeep.training import fit

    rate = settings.pop("learning_rate", 3e-3)
    made = Compressed(model, settings.pop("hooks", {}))
    fit.train(made, data, fit.Schedule(steps, 32, rate, seed), **settings)


def accuracy(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    from adadeep.training.fit import outputs_of

    return float(ACCURACY.scores(outputs_of(model, x), y).mean())


def small_network(seed: int = 0) -> Any:
    import keras
    from keras import layers

    start = [keras.initializers.GlorotUniform(seed=seed + number) for number in range(2)]
    inputs = keras.Input((8, 8, 1))
    x = layers.Flatten()(inputs)
    x = layers.Dense(32, activation="relu", kernel_initializer=start[0], name="hidden")(x)
    x = layers.Dense(10, activation="softmax", kernel_initializer=start[1])(x)
    return keras.Model(inputs, x)


def test_training_learns(data: Any) -> None:
    model = small_network()
    before = accuracy(model, data.x_val, data.y_val)
    train(model, data, 200, seed=0, learning_rate=5e-3)
    assert before < 0.4
    assert accuracy(model, data.x_val, data.y_val) > 0.85


def test_the_same_seed_gives_the_same_weights(data: Any) -> None:
    models = [small_network() for _ in range(3)]
    for model, seed in zip(models, (7, 7, 8), strict=True):
        train(model, data, 5, seed=seed)
    first, second, other = (model.get_weights() for model in models)
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


def test_no_steps_change_nothing(data: Any) -> None:
    model = small_network()
    before = model.get_weights()
    train(model, data, 0, seed=0)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_what_a_hook_does_not_keep_stays_zero(data: Any) -> None:
    from adadeep.core.compressed import LayerHook

    model = small_network()
    hidden = model.get_layer("hidden")
    kept = np.ones(hidden.kernel.shape, np.bool_)
    kept[::2] = False
    hidden.kernel.assign(np.asarray(hidden.kernel) * kept)
    train(model, data, 5, seed=0, hooks={"hidden": LayerHook(kept)})
    after = np.asarray(hidden.kernel).copy()
    assert not after[::2].any()
    assert after[1::2].all()
    assert np.asarray(hidden.bias).any()


def test_zeros_that_nobody_asked_to_keep_are_trained(data: Any) -> None:
    from adadeep.core.compressed import LayerHook

    model = small_network()
    kernel = model.get_layer("hidden").kernel
    holed = np.asarray(kernel).copy()
    holed[::2] = 0
    kernel.assign(holed)
    train(model, data, 5, seed=0, hooks={"hidden": LayerHook()})
    assert np.asarray(kernel)[::2].any()


def test_accuracy_is_the_share_of_right_answers(data: Any) -> None:
    model = small_network()
    x = data.x_train[:301]
    answers = np.asarray(model(x)).argmax(axis=-1)
    assert accuracy(model, x, answers) == 1.0
    wrong = answers.copy()
    wrong[:43] = (wrong[:43] + 1) % 10
    assert accuracy(model, x, wrong) == pytest.approx(1 - 43 / 301)


def test_another_loss_of_keras_trains_to_other_labels(data: Any) -> None:
    import keras

    inputs = keras.Input((8, 8, 1))
    start = keras.initializers.Zeros()
    out = keras.layers.Dense(1, kernel_initializer=start)(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, out)
    brightness = data.x_train.mean(axis=(1, 2, 3))[:, np.newaxis]
    bright = dataclasses.replace(data, y_train=brightness)
    train(model, bright, 100, seed=0, learning_rate=0.01, loss="mean_squared_error")
    error = np.abs(np.asarray(model(data.x_train)) - brightness).mean()
    assert error < brightness.mean() / 4  # it began with 0 for all


def test_the_rate_rises_shortly_and_then_falls() -> None:
    from adadeep.training.fit import rate_share

    for steps in (1, 2, 10, 300):
        shares = [rate_share(step, steps) for step in range(1, steps + 1)]
        top = shares.index(max(shares))
        assert all(0 < share <= 1 for share in shares)
        assert top <= 0.2 * steps
        assert shares[:top] == sorted(shares[:top])
        assert shares[top:] == sorted(shares[top:], reverse=True)
