"""W1f: a dense layer or a 1x1 convolution as two thinner ones (section 5.2.1).

A 1x1 convolution is a dense layer at every position of its map. The paper inserts k = m/12 linear
units, m being the units of a dense layer, and speaks of dense layers alone. Convolutions are far
narrower, and most of them narrow on one side: there k is a part of the smaller side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.outline import layer_of, part, replaced
from adadeep.compress.parameters import checked, number, require
from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

if TYPE_CHECKING:
    import keras

_DIVISORS = (12, 6, 24)  # of a dense layer: the paper's k = m/12 first
_POINTWISE_DIVISORS = (2, 4, 8)  # of a 1x1 convolution
_MIN_RANK = 4  # below, a layer's outputs would be mixtures of next to nothing
# Of a 1x1 convolution's weights. Two calls with thin maps between them take longer than their
# multiplications; what saves less than this would not be faster anywhere.
_LARGEST_SHARE = 0.85
_ROWS_AN_INPUT = 2  # that must be there to fit to; see `_is_told_by`


class SvdFactorisation:
    """Inserts a linear layer of k units or channels.

    Parameter: `rank_divisor`. k is the units of a dense layer over it; the fewer of the inputs and
    outputs of a 1x1 convolution over it. A convolution's stride is the inserted one's.
    """

    name = "W1f"
    title = "SVD factorisation of a dense layer or a 1x1 convolution"
    training_factor = 1
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Dense layers and 1x1 convolutions that some divisor makes smaller."""
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The divisors that leave a sensible rank and fewer weights."""
        if not _takes(layer):
            return ()
        return tuple(
            LayerChoice(self.name, (("rank_divisor", divisor),))
            for divisor in _divisors(layer)
            if _is_offered(layer, int(_width(layer) / divisor))
        )

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces the layer; the product of the two kernels is near its own.

        The nearest of that rank; with samples enough, the one whose outputs for them are nearest.

        Raises:
            TechniqueNotApplicable: the layer is none that it takes, or a parameter is wrong.
        """
        import numpy as np

        from adadeep.compress import describe, factorise, surgery

        graph = surgery.as_functional(model)
        spec = describe.model_spec(graph)
        self.outline(spec, layer, choice)
        described = layer_of(spec, layer)
        rank = self._rank(described, choice)
        old = graph.get_layer(layer)
        kernel = np.asarray(old.kernel)
        bias = None if old.bias is None else np.asarray(old.bias)
        if samples is not None and _is_told_by(described, len(samples)):
            left, right, bias = _fitted(graph, old, rank, samples)
        else:
            left, right = factorise.truncated_svd(kernel.reshape(kernel.shape[-2:]), rank)

        def build(tensor: object) -> object:
            return _pair(old, tensor, left, right, bias)

        return Compressed(surgery.rebuild(graph, {layer: surgery.Replacement(build)}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network with the two layers.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        old = layer_of(model, layer)
        rank = self._rank(old, choice)
        inputs, outputs = old.input_shape[-1], old.output_shape[-1]
        is_dense = old.kind is LayerKind.DENSE
        inner = part(
            old, "inner", inputs * rank, output_shape=(*old.output_shape[:-1], rank),
            activation=None, dilation=None,
        )  # fmt: skip
        outer = part(
            old, "outer", old.weights + (rank - inputs) * outputs, input_shape=inner.output_shape,
            flattened_from=None, inputs=(inner.name,), dilation=None,
            stride=None if is_dense else (1, 1), padding=None if is_dense else "valid",
        )  # fmt: skip
        return replaced(model, layer, (inner, outer))

    def _rank(self, layer: LayerSpec, choice: LayerChoice) -> int:
        require(_takes(layer), self.name, layer, "dense layers and 1x1 convolutions")
        parameters = checked(choice, {"rank_divisor": _divisors(layer)[0]})
        divisor = number(choice, parameters, "rank_divisor", 0, float("inf"))
        sides = layer.input_shape[-1], layer.output_shape[-1]
        return min(max(1, int(_width(layer) / divisor)), *sides)


def _takes(layer: LayerSpec) -> bool:
    """Whether one matrix makes its outputs of its inputs, at each position that it has."""
    if layer.kind is LayerKind.DENSE:
        return len(layer.input_shape) == 1
    is_point = layer.kind is LayerKind.CONV and math.prod(layer.kernel or ()) == 1
    return is_point and layer.groups == 1


def _divisors(layer: LayerSpec) -> tuple[int, ...]:
    return _DIVISORS if layer.kind is LayerKind.DENSE else _POINTWISE_DIVISORS


def _width(layer: LayerSpec) -> int:
    """What the divisor divides."""
    outputs = layer.output_shape[-1]
    return outputs if layer.kind is LayerKind.DENSE else min(outputs, layer.input_shape[-1])


def _is_offered(layer: LayerSpec, rank: int) -> bool:
    inputs, outputs = layer.input_shape[-1], layer.output_shape[-1]
    share = rank * (inputs + outputs) / (inputs * outputs)
    saves = share < 1 if layer.kind is LayerKind.DENSE else share <= _LARGEST_SHARE
    return rank >= _MIN_RANK and saves


def _is_told_by(layer: LayerSpec, samples: int) -> bool:
    """Whether samples show more than their own number what matters of a layer's inputs.

    500 of them do of any ordinary convolution, by its positions. Of a LeNet's 3,136 flattened
    inputs they do not; there they gained nothing, and cost time.
    """
    return samples * math.prod(layer.output_shape[:-1]) >= _ROWS_AN_INPUT * layer.input_shape[-1]


def _fitted(model: Any, old: Any, rank: int, samples: Any) -> tuple[Any, Any, Any]:
    """Kernels of the two layers and the second one's bias, nearest in what they give for samples.

    A layer's outputs vary in few directions (Zhang et al., "Accelerating very deep convolutional
    networks", 2015, the linear case); the bias keeps their mean. Without one it is not kept.
    """
    import numpy as np

    from adadeep.compress import factorise, regress

    kernel = np.asarray(old.kernel, np.float64)
    kernel = kernel.reshape(kernel.shape[-2:])
    steps = tuple(slice(None, None, step) for step in getattr(old, "strides", ()))
    rows = regress.rows_into(model, old, samples, lambda maps: maps[(slice(None), *steps)])
    if old.bias is None:
        return *factorise.weighted_svd(kernel, rank, rows), None
    centre = rows.mean(axis=0)
    left, right = factorise.weighted_svd(kernel, rank, rows - centre)
    return left, right, np.asarray(old.bias) + centre @ kernel - (centre @ left) @ right


def _pair(old: Any, tensor: Any, left: Any, right: Any, bias: Any) -> Any:
    """Calls the two layers; left (inputs, rank) and right (rank, outputs) are their kernels."""
    import keras

    from adadeep.compress import surgery

    first, second = derived(old.name, "inner"), derived(old.name, "outer")
    settings = {"activation": old.activation, "use_bias": old.use_bias, "name": second}
    if isinstance(old, keras.layers.Dense):
        inner = keras.layers.Dense(left.shape[-1], use_bias=False, name=first)
        outer = keras.layers.Dense(right.shape[-1], **settings)
    else:
        make = keras.layers.Conv1D if isinstance(old, keras.layers.Conv1D) else keras.layers.Conv2D
        place = {"strides": old.strides, "padding": old.padding}
        inner = make(left.shape[-1], 1, use_bias=False, name=first, **place)
        outer = make(right.shape[-1], 1, **settings)
    ones = old.kernel.shape[:-2]
    outer_weights = [right.reshape(*ones, *right.shape)] + ([] if bias is None else [bias])
    narrow = surgery.placed(inner, tensor, left.reshape(*ones, *left.shape))
    return surgery.placed(outer, narrow, *outer_weights)


W1F = SvdFactorisation()
