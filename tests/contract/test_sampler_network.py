"""What TensorFlow trains and what numpy computes must be one network."""

import numpy as np
import pytest

from adadeep.search.dqn.config import DqnConfig

pytestmark = pytest.mark.tf


@pytest.fixture
def network():
    from adadeep.search.dqn.network import QNetwork

    return QNetwork(5, 3, DqnConfig(separate_columns=True), seed=1)


def batch(steps, rows=4):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(steps, rows, 5)).astype(np.float32)
    return states, rng.integers(3, size=(steps, rows)).astype(np.int32)


def test_the_forward_pass_in_numpy_is_that_of_keras(network):
    states = batch(1)[0][0]
    network.learn(*batch(3), np.ones((3, 4, 2), np.float32))
    for ours, theirs in zip(network.weights.columns(states), network._model(states), strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-5)


def test_learning_moves_each_column_to_its_own_target(network):
    states, actions = batch(1)
    targets = np.broadcast_to(np.float32([0.75, -0.5]), (1, 4, 2))
    for _ in range(300):
        network.learn(states, actions, targets)
    rows = np.arange(4)
    for column, target in zip(network.weights.columns(states[0]), (0.75, -0.5), strict=True):
        np.testing.assert_allclose(column[rows, actions[0]], target, atol=0.05)


def test_the_loss_of_the_sum_leaves_the_columns_free():
    from adadeep.search.dqn.network import QNetwork

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
