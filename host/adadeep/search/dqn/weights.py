"""The weights of the Q network as arrays, and its forward pass on them. Pure numpy.

A decision needs Q of one state: on so small a network a call of TensorFlow costs a hundred times
the arithmetic. TensorFlow descends (`network.py`), everything else is done here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Dense = tuple[Floats, Floats]  # kernel (in, out), bias (out,)


@dataclass(frozen=True, slots=True)
class QWeights:
    """Weights at one moment: the target network of Algorithm 1 is an older one of these.

    Attributes:
        trunk: the shared layers (omega), with ReLU.
        gain: column G (beta): a layer with ReLU, a linear one.
        satisfaction: column H (eta), likewise.
    """

    trunk: tuple[Dense, ...]
    gain: tuple[Dense, Dense]
    satisfaction: tuple[Dense, Dense]

    def columns(self, states: Floats) -> tuple[Floats, Floats]:
        """G and H of states (rows, features); each (rows, actions)."""
        shared = states
        for layer in self.trunk:
            shared = _relu(shared, layer)
        return _column(shared, self.gain), _column(shared, self.satisfaction)

    def values(self, states: Floats) -> Floats:
        """Q = G + H (Eq. 7); (rows, actions)."""
        gain, satisfaction = self.columns(states)
        return gain + satisfaction


def _column(shared: Floats, layers: tuple[Dense, Dense]) -> Floats:
    kernel, bias = layers[1]
    return _relu(shared, layers[0]) @ kernel + bias


def _relu(values: Floats, layer: Dense) -> Floats:
    return np.maximum(values @ layer[0] + layer[1], np.float32(0.0))
