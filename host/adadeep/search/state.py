"""The state vector of a decision: the layer, where it is, what was chosen so far, the demand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adadeep.core.demand import UserDemand
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.space import DecisionPoint, SearchSpace

Vector = npt.NDArray[np.float32]

# Those of layers that are decided on; a new member must not change what a trained network sees.
_KINDS = tuple(kind for kind in LayerKind if kind is not LayerKind.TRANSPOSED)
_LOG_SCALE = 20.0  # log2 of the greatest extent, MACs, weights or limit to be told apart well


class StateEncoder:
    """Turns the decisions taken so far into the vector that the next one is decided on.

    Its parts, each about 0..1: features of the layer in logarithms, its kind as one of many,
    position, share of MACs and of weights that each action was given so far, the action taken
    last, and the demand. The size depends on the space only.

    Args:
        space: what there is to decide.
        demands: what the user wants, by goal; the state holds their mean.
    """

    def __init__(self, space: SearchSpace, demands: Sequence[UserDemand]) -> None:
        self._space = space
        self._points = np.stack(
            [point_features(space, number) for number in range(len(space.points))]
        )
        self._shares = shares(space)
        self._demand = np.mean([_demand_features(demand) for demand in demands], axis=0)
        self.size = self._points.shape[1] + 3 * len(space.actions) + len(self._demand)

    def encode(self, decisions: Sequence[int]) -> Vector:
        """The state after those decisions; (size,) of float32. Zeros after the last."""
        if len(decisions) == len(self._space.points):
            return np.zeros(self.size, dtype=np.float32)
        chosen = np.zeros((2, len(self._space.actions)))
        for position, number in enumerate(decisions):
            chosen[:, number] += self._shares[position]
        last = np.zeros(len(self._space.actions))
        if decisions:
            last[decisions[-1]] = 1.0
        parts = (self._points[len(decisions)], chosen.ravel(), last, self._demand)
        return np.concatenate(parts).astype(np.float32)


def _log(value: float) -> float:
    return math.log2(1.0 + value) / _LOG_SCALE


def shares(space: SearchSpace) -> npt.NDArray[np.float64]:
    """Of each point's layer: its shares of the network's MACs and weights; (points, 2)."""
    macs, weights = max(space.model.macs, 1), max(space.model.weights, 1)
    return np.array(
        [
            (p.layer.macs / macs, p.layer.nonzero_weights / weights) if p.layer else (1.0, 1.0)
            for p in space.points
        ]
    )


def point_features(space: SearchSpace, number: int) -> npt.NDArray[np.float64]:
    """Of the layer that is decided on, or of the precision; (features,)."""
    point = space.points[number]
    position = number / max(len(space.points) - 1, 1)
    return np.array([position, *_kind(point), *_layer_features(point.layer)])


def _kind(point: DecisionPoint) -> list[float]:
    if point.layer is None:
        return [0.0] * len(_KINDS) + [1.0]
    return [float(point.layer.kind is kind) for kind in _KINDS] + [0.0]


def _layer_features(layer: LayerSpec | None) -> list[float]:
    if layer is None:
        return [0.0] * 9
    shapes = [*_padded(layer.input_shape), *_padded(layer.output_shape)]
    kernel = math.prod(layer.kernel) if layer.kernel else 0
    amounts = (kernel, layer.macs, layer.weights)
    return [_log(value) for value in (*shapes, *amounts)]


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(height, width, channels), with 1 for what a flat shape lacks."""
    return (1, 1, 1, *shape)[-3:]


def _demand_features(demand: UserDemand) -> npt.NDArray[np.float64]:
    limits = (demand.max_energy_mj, demand.max_latency_ms, demand.max_storage_bytes)
    given = [float(limit is not None) for limit in limits]
    amounts = [_log(limit or 0.0) for limit in limits]
    weights = (demand.accuracy_weight, demand.energy_weight)
    budget = (demand.latency_weight, demand.storage_weight)
    return np.array([*weights, *budget, demand.max_accuracy_loss, *given, *amounts])
