import numpy as np
import pytest

from adadeep.search.dqn.adam import Adam


def moved(gradients, rate=0.5):
    """How far each step went; (steps, parameters)."""
    parameters = np.zeros(len(gradients[0]), np.float32)
    adam = Adam(len(parameters), rate)
    path = [parameters.copy()]
    for gradient in gradients:
        adam.step(parameters, np.array(gradient, np.float32))
        path.append(parameters.copy())
    return np.diff(path, axis=0)


def test_a_constant_gradient_moves_each_parameter_by_the_learning_rate_from_the_first_step():
    steps = moved([[3.0, -0.02, 0.0]] * 50)
    np.testing.assert_allclose(steps, np.tile([-0.5, 0.5, 0.0], (50, 1)), rtol=1e-3)


def test_two_steps_by_hand():
    second = moved([[1.0], [-2.0]], rate=0.1)[1]
    # The means are 0.9 * 0.1 - 0.1 * 2 = -0.11 and 0.999 * 0.001 + 0.001 * 4 = 0.004999; they
    # are divided by 1 - 0.9**2 = 0.19 and 1 - 0.999**2 = 0.001999.
    assert second == pytest.approx(0.1 * (0.11 / 0.19) / np.sqrt(0.004999 / 0.001999), rel=1e-4)


def test_a_gradient_as_small_as_epsilon_hardly_moves():
    # Epsilon stands beside the uncorrected root, sqrt(0.001) * 1e-7 in the first step.
    root = np.sqrt(0.001)
    assert moved([[1e-7]])[0] == pytest.approx(-0.5 * root / (root + 1), rel=1e-4)
