"""Adam (Kingma and Ba, 2015), step for step as Keras 3 computes it. Pure numpy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7


class Adam:
    """Moves parameters that lie in one vector: a vector for each layer costs far more calls.

    Args:
        parameters: how many there are.
        learning_rate: about how far a step moves each of them.
    """

    def __init__(self, parameters: int, learning_rate: float) -> None:
        self._learning_rate = learning_rate
        self._steps = 0
        self._mean = np.zeros(parameters, np.float32)  # of the gradients so far, moving
        self._mean_square = np.zeros(parameters, np.float32)

    def step(self, parameters: Floats, gradient: Floats) -> None:
        """One step down the gradient; the parameters are changed in place."""
        self._steps += 1
        self._mean += (gradient - self._mean) * (1 - _BETA1)
        self._mean_square += (np.square(gradient) - self._mean_square) * (1 - _BETA2)
        # Both means began with 0. As in Keras, epsilon is added before that is corrected.
        correction = math.sqrt(1 - _BETA2**self._steps) / (1 - _BETA1**self._steps)
        rate = self._learning_rate * correction
        parameters -= self._mean * rate / (np.sqrt(self._mean_square) + _EPSILON)
