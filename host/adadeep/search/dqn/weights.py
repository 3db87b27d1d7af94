"""The weights of the Q network as arrays, and its forward pass on them. Pure numpy."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Dense = tuple[Floats, Floats]  # kernel (in, out), bias (out,)

# OpenBLAS spreads larger products over all cores, whose threads then spin for more work: on a busy
# computer an episode took four times as long so.
_ROWS_AT_ONCE = 32


@dataclass(frozen=True)
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

    @classmethod
    def of(cls, layers: Sequence[Dense]) -> QWeights:
        """From the layers in the order of `layers`."""
        *trunk, gain1, gain2, satisfaction1, satisfaction2 = layers
        return cls(tuple(trunk), (gain1, gain2), (satisfaction1, satisfaction2))

    @property
    def layers(self) -> tuple[Dense, ...]:
        """All of them: trunk, G, H."""
        return (*self.trunk, *self.gain, *self.satisfaction)

    def towards(self, other: QWeights, share: float) -> QWeights:
        """Moved to others by a share of the way (Polyak averaging)."""
        return QWeights.of(
            [
                (
                    kernel + np.float32(share) * (kernel2 - kernel),
                    bias + np.float32(share) * (bias2 - bias),
                )
                for (kernel, bias), (kernel2, bias2) in zip(self.layers, other.layers, strict=True)
            ]
        )

    def columns(self, states: Floats) -> tuple[Floats, Floats]:
        """G and H of states (rows, features); each (rows, actions)."""
        starts = range(0, len(states), _ROWS_AT_ONCE)
        blocks = [self._columns(states[start : start + _ROWS_AT_ONCE]) for start in starts]
        gain, satisfaction = zip(*blocks, strict=True)
        return np.concatenate(gain), np.concatenate(satisfaction)

    def values(self, states: Floats) -> Floats:
        """Q = G + H (Eq. 7); (rows, actions)."""
        starts = range(0, len(states), _ROWS_AT_ONCE)
        return np.concatenate(
            [self._values(states[start : start + _ROWS_AT_ONCE]) for start in starts]
        )

    def _values(self, states: Floats) -> Floats:
        *hidden, last = self._whole
        shared = states
        for layer in hidden:
            shared = relu(shared, layer)
        return linear(shared, last)

    @functools.cached_property
    def _whole(self) -> tuple[Dense, ...]:
        """Layers of Q itself: both columns side by side, then their sum."""
        (first, second), (first2, second2) = self.gain, self.satisfaction
        beside = (
            np.concatenate([first[0], first2[0]], axis=1),
            np.concatenate([first[1], first2[1]]),
        )
        summed = np.vstack([second[0], second2[0]]), second[1] + second2[1]
        return *self.trunk, beside, summed

    def _columns(self, states: Floats) -> tuple[Floats, Floats]:
        shared = states
        for layer in self.trunk:
            shared = relu(shared, layer)
        return _column(shared, self.gain), _column(shared, self.satisfaction)


def linear(values: Floats, layer: Dense) -> Floats:
    """What a layer without activation makes of values (rows, in); (rows, out)."""
    return values @ layer[0] + layer[1]


def relu(values: Floats, layer: Dense) -> Floats:
    """Likewise of a layer with ReLU."""
    return np.maximum(linear(values, layer), np.float32(0.0))


def _column(shared: Floats, column: tuple[Dense, Dense]) -> Floats:
    return linear(relu(shared, column[0]), column[1])
