"""The Q network in numpy: its gradients are those of its loss, and it learns as Keras' would."""

import numpy as np
import pytest

from adadeep.search.dqn.config import DqnConfig
from adadeep.search.dqn.network import QNetwork, loss_and_gradients
from adadeep.search.dqn.weights import QWeights

LOSSES = pytest.mark.parametrize("separate", [False, True], ids=["sum", "columns"])


@pytest.fixture
def network():
    return QNetwork(5, 3, DqnConfig(separate_columns=True), seed=1)


def batch(steps, rows=4):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(steps, rows, 5)).astype(np.float32)
    return states, rng.integers(3, size=(steps, rows)).astype(np.int32)


def random_targets(steps, rows=4):
    return np.random.default_rng(1).normal(size=(steps, rows, 2)).astype(np.float32)


def numbers(weights):
    return [part for layer in weights.layers for part in layer]


def in_float64(weights):
    """The same kernels, and biases that are not 0."""
    rng = np.random.default_rng(2)
    return QWeights.of(
        [(kernel.astype(float), rng.normal(size=bias.shape)) for kernel, bias in weights.layers]
    )


def loss_by_definition(weights, states, actions, targets, separate):
    rows = np.arange(len(actions))
    gain, satisfaction = (column[rows, actions] for column in weights.columns(states))
    if separate:
        return np.mean([(targets[:, 0] - gain) ** 2, (targets[:, 1] - satisfaction) ** 2])
    return np.mean((targets.sum(axis=1) - gain - satisfaction) ** 2)  # Eq. 9


@LOSSES
@pytest.mark.parametrize("trunk", [(), (7,), (8, 6, 4)], ids=str)
def test_the_gradients_are_those_of_central_differences(separate, trunk):
    config = DqnConfig(trunk_units=trunk, column_units=6)
    weights = in_float64(QNetwork(5, 3, config, seed=1).weights)
    states, actions = (part[0] for part in batch(1, rows=9))
    given = (states.astype(float), actions, random_targets(1, rows=9)[0].astype(float))
    loss, gradients = loss_and_gradients(weights, *given, separate=separate)
    assert loss == pytest.approx(loss_by_definition(weights, *given, separate), rel=1e-12)
    for part, gradient in zip(numbers(weights), numbers(gradients), strict=True):
        assert gradient.any()
        np.testing.assert_allclose(
            gradient, differences(part, lambda: loss_by_definition(weights, *given, separate)),
            rtol=1e-6, atol=1e-8,
        )  # fmt: skip


def differences(part, loss, step=1e-6):
    """The derivative of the loss by each number of the part, which is put back."""
    found = np.empty_like(part)
    for place in np.ndindex(part.shape):
        kept = part[place]
        part[place] = kept + step
        above = loss()
        part[place] = kept - step
        found[place] = (above - loss()) / (2 * step)
        part[place] = kept
    return found


@pytest.mark.tf
@LOSSES
def test_it_learns_as_keras_does_from_the_same_weights(separate):
    network = QNetwork(5, 3, DqnConfig(separate_columns=separate), seed=1)
    model, layers = keras_model(network.weights)
    states, actions, targets = *batch(8), random_targets(8)
    for ours, theirs in zip(network.weights.columns(states[0]), model(states[0]), strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)
    loss = learn_in_keras(model, states, actions, targets, separate)
    assert network.learn(states, actions, targets) == pytest.approx(loss, abs=1e-5)
    theirs = [part for layer in layers for part in layer.get_weights()]
    for ours, other in zip(numbers(network.weights), theirs, strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-5)


def keras_model(weights):
    """The Q network as a model of Keras, and its layers in the order of `QWeights.layers`."""
    import keras

    layers = []

    def dense(layer, activation, inputs):
        layers.append(keras.layers.Dense(len(layer[1]), activation))
        outputs = layers[-1](inputs)
        layers[-1].set_weights(layer)
        return outputs

    shared = state = keras.Input((len(weights.trunk[0][0]),))
    for layer in weights.trunk:
        shared = dense(layer, "relu", shared)
    columns = [
        dense(last, None, dense(first, "relu", shared))
        for first, last in (weights.gain, weights.satisfaction)
    ]
    return keras.Model(state, columns), layers


def learn_in_keras(model, states, actions, targets, separate):
    """A step of Adam on each batch; the loss before the last."""
    import keras
    import tensorflow as tf

    adam = keras.optimizers.Adam(DqnConfig().learning_rate)
    for state, action, target in zip(states, actions, targets, strict=True):
        with tf.GradientTape() as tape:
            taken = tf.gather(tf.stack(model(state), axis=-1), action, axis=1, batch_dims=1)
            errors = target - taken
            if not separate:
                errors = tf.reduce_sum(errors, axis=1)
            loss = tf.reduce_mean(tf.square(errors))
        adam.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return float(loss)


@LOSSES
def test_steps_in_one_call_are_those_in_several(separate):
    config = DqnConfig(separate_columns=separate)
    once, again = (QNetwork(5, 3, config, seed=1) for _ in range(2))
    given = (*batch(3), random_targets(3))
    losses = [again.learn(*(part[step : step + 1] for part in given)) for step in range(3)]
    assert once.learn(*given) == losses[-1]
    for one, other in zip(numbers(once.weights), numbers(again.weights), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_seed_gives_its_weights_and_no_other_seed_does():
    first, second, other = (QNetwork(5, 3, DqnConfig(), seed).weights for seed in (1, 1, 2))
    for one, same in zip(numbers(first), numbers(second), strict=True):
        np.testing.assert_array_equal(one, same)
    for (kernel, _), (another, _) in zip(first.layers, other.layers, strict=True):
        assert not np.array_equal(kernel, another)


def test_kernels_begin_evenly_distributed_within_the_limit_of_glorot_and_biases_at_0():
    for kernel, bias in QNetwork(200, 100, DqnConfig(), seed=1).weights.layers:
        limit = np.sqrt(6 / sum(kernel.shape))
        assert np.abs(kernel).max() <= limit
        np.testing.assert_allclose(
            np.quantile(kernel, (0.25, 0.75)) / limit, (-0.5, 0.5), atol=0.05
        )
        assert not bias.any()


def test_learning_moves_each_column_to_its_own_target(network):
    states, actions = batch(1)
    targets = np.broadcast_to(np.float32([0.75, -0.5]), (1, 4, 2))
    for _ in range(300):
        network.learn(states, actions, targets)
    rows = np.arange(4)
    for column, target in zip(network.weights.columns(states[0]), (0.75, -0.5), strict=True):
        np.testing.assert_allclose(column[rows, actions[0]], target, atol=0.05)


def test_the_loss_of_the_sum_leaves_the_columns_free():
    network = QNetwork(5, 3, DqnConfig(separate_columns=False), seed=1)
    states, actions = batch(1)
    targets = np.broadcast_to(np.float32([0.75, -0.5]), (1, 4, 2))
    for _ in range(300):
        network.learn(states, actions, targets)
    values = network.weights.values(states[0])[np.arange(4), actions[0]]
    np.testing.assert_allclose(values, 0.25, atol=0.05)
    gain = network.weights.columns(states[0])[0][np.arange(4), actions[0]]
    assert np.abs(gain - 0.75).max() > 0.05


def test_weights_are_a_copy_that_later_learning_leaves_alone(network):
    before = network.weights
    kept = before.trunk[0][0].copy()
    network.learn(*batch(2), np.ones((2, 4, 2), np.float32))
    np.testing.assert_array_equal(before.trunk[0][0], kept)
    assert not np.array_equal(network.weights.trunk[0][0], kept)
