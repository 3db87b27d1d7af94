"""Training: reproducible, learns, keeps what it must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def task() -> Any:
    from adadeep.training.tasks import load_task

    return load_task("digits")


def small_network(seed: int = 0) -> Any:
    import keras
    from keras import layers

    start = [keras.initializers.GlorotUniform(seed=seed + number) for number in range(2)]
    inputs = keras.Input((8, 8, 1))
    x = layers.Flatten()(inputs)
    x = layers.Dense(32, activation="relu", kernel_initializer=start[0], name="hidden")(x)
    x = layers.Dense(10, activation="softmax", kernel_initializer=start[1])(x)
    return keras.Model(inputs, x)


def test_training_learns(task: Any) -> None:
    from adadeep.training.fit import accuracy, train

    model = small_network()
    before = accuracy(model, task.x_val, task.y_val)
    train(model, task, 200, seed=0, learning_rate=5e-3)
    assert before < 0.4
    assert accuracy(model, task.x_val, task.y_val) > 0.85


def test_the_same_seed_gives_the_same_weights(task: Any) -> None:
    from adadeep.training.fit import train

    models = [small_network() for _ in range(3)]
    for model, seed in zip(models, (7, 7, 8), strict=True):
        train(model, task, 5, seed=seed)
    first, second, other = (model.get_weights() for model in models)
    assert all(map(np.array_equal, first, second))
    assert not all(map(np.array_equal, first, other))


def test_no_steps_change_nothing(task: Any) -> None:
    from adadeep.training.fit import train

    model = small_network()
    before = model.get_weights()
    train(model, task, 0, seed=0)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_what_a_hook_does_not_keep_stays_zero(task: Any) -> None:
    from adadeep.core.compressed import LayerHook
    from adadeep.training.fit import train

    model = small_network()
    hidden = model.get_layer("hidden")
    kept = np.ones(hidden.kernel.shape, np.bool_)
    kept[::2] = False
    hidden.kernel.assign(np.asarray(hidden.kernel) * kept)
    train(model, task, 5, seed=0, hooks={"hidden": LayerHook(kept)})
    after = np.asarray(hidden.kernel).copy()
    assert not after[::2].any()
    assert after[1::2].all()
    assert np.asarray(hidden.bias).any()


def test_zeros_that_nobody_asked_to_keep_are_trained(task: Any) -> None:
    from adadeep.core.compressed import LayerHook
    from adadeep.training.fit import train

    model = small_network()
    kernel = model.get_layer("hidden").kernel
    holed = np.asarray(kernel).copy()
    holed[::2] = 0
    kernel.assign(holed)
    train(model, task, 5, seed=0, hooks={"hidden": LayerHook()})
    assert np.asarray(kernel)[::2].any()


def test_accuracy_is_the_share_of_right_answers(task: Any) -> None:
    from adadeep.training.fit import accuracy

    model = small_network()
    x = task.x_train[:301]
    answers = np.asarray(model(x)).argmax(axis=-1)
    assert accuracy(model, x, answers) == 1.0
    wrong = answers.copy()
    wrong[:43] = (wrong[:43] + 1) % 10
    assert accuracy(model, x, wrong) == pytest.approx(1 - 43 / 301)


def test_the_rate_rises_shortly_and_then_falls() -> None:
    from adadeep.training.fit import rate_share

    for steps in (1, 2, 10, 300):
        shares = [rate_share(step, steps) for step in range(1, steps + 1)]
        top = shares.index(max(shares))
        assert all(0 < share <= 1 for share in shares)
        assert top <= 0.2 * steps
        assert shares[:top] == sorted(shares[:top])
        assert shares[top:] == sorted(shares[top:], reverse=True)
