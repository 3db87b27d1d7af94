"""LayerSpec and ModelSpec: what a network is, without Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from adadeep.core.precision import Precision, keeps_ends
from adadeep.core.reader import require_range

_MOST_DIMENSIONS, _LONGEST, _HUGE = 6, 1e8, 1e18
NETWORK_INPUT = ""  # stands among a layer's inputs for what the network is given


class LayerKind(StrEnum):
    """The kinds of layer that this package tells apart."""

    CONV = "conv"
    DEPTHWISE = "depthwise"
    TRANSPOSED = "transposed"
    DENSE = "dense"
    POOL = "pool"
    GLOBAL_POOL = "global_pool"
    BATCH_NORM = "batch_norm"
    ACTIVATION = "activation"
    ADD = "add"
    CONCAT = "concat"
    RESHAPE = "reshape"
    OTHER = "other"


_CONVOLVES = (LayerKind.CONV, LayerKind.DEPTHWISE, LayerKind.TRANSPOSED)
_MULTIPLIES = (LayerKind.DENSE, *_CONVOLVES)


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer. Shapes are without the batch: (height, width, channels) or (features,).

    Attributes:
        name: unique in its network.
        kind: what it computes.
        input_shape: of the first input.
        output_shape: of the output.
        kernel: (height, width) of a convolution or pooling window; (length, 1) in one dimension.
        stride: likewise.
        padding: "same" or "valid".
        activation: fused into the layer, for example "relu"; None if linear.
        weights: number of weights (kernels and biases).
        nonzero_weights: those that are stored: all `weights`, but for a layer stored sparse the
            nonzero ones.
        weight_bits: bits a weight.
        activation_bits: bits an output element.
        group: name of the layer of the initial network that this one came from.
        flattened_from: shape of the feature map that a dense layer gets flattened; None where
            its input is no flattened map.
        inputs: names of the layers whose outputs it takes, in order; `NETWORK_INPUT` for an input
            of the network. Empty where the layer is described alone.
        groups: of channels that a convolution keeps apart.
        dilation: (height, width) of a convolution's; None where it is (1, 1).
        counted_macs: multiply-accumulates of a layer whose other fields don't tell them.
        keeps_channels: whether an output channel is made of that channel of the inputs alone,
            where the kind does not say it: padding, scaling, an activation that is an operation.
        repeats: name of the layer that is called again here, with the same weights; they count
            once for the network, and for each of its calls.
    """

    name: str
    kind: LayerKind
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    kernel: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    padding: str | None = None
    activation: str | None = None
    weights: int = 0
    nonzero_weights: int = 0
    weight_bits: int = 32
    activation_bits: int = 32
    group: str | None = None
    flattened_from: tuple[int, ...] | None = None
    inputs: tuple[str, ...] = ()
    groups: int = 1
    dilation: tuple[int, int] | None = None
    counted_macs: int | None = None
    keeps_channels: bool = False
    repeats: str | None = None

    def __post_init__(self) -> None:
        shapes = (self.input_shape, self.output_shape, self.kernel, self.stride)
        for shape in (*shapes, self.flattened_from, self.dilation):
            require_range("a size", 0, _LONGEST, *(shape or ()))
            require_range("a number of dimensions", 0, _MOST_DIMENSIONS, len(shape or ()))
        counts = (self.weights, self.nonzero_weights, self.counted_macs or 0)
        require_range("a number of weights", 0, _HUGE, *counts)
        require_range("a number of groups", 1, _LONGEST, self.groups)
        require_range("a number of bits", 1, 64, self.weight_bits, self.activation_bits)
        if self.kind in _MULTIPLIES and not (self.input_shape and self.output_shape):
            raise ValueError(f"a {self.kind} layer has no shape")
        if self.kind in _CONVOLVES and self.kernel is None:
            raise ValueError(f"a {self.kind} layer has no kernel")

    @property
    def activations(self) -> int:
        """Number of output elements."""
        return math.prod(self.output_shape)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference (C in section 3 of AdaDeep); sparsity counts.

        Sparse layers count the multiplications with stored weights only.
        """
        if self.counted_macs is not None:
            dense = self.counted_macs
        elif self.kind is LayerKind.DENSE:
            dense = self.input_shape[-1] * self.output_shape[-1]
            dense *= math.prod(self.output_shape[:-1])
        elif self.kind is LayerKind.TRANSPOSED:
            dense = math.prod(self.input_shape) * math.prod(self.kernel or ())
            dense *= self.output_shape[-1]
        elif self.kind in _CONVOLVES:
            channels = self.input_shape[-1] if self.kind is LayerKind.CONV else 1
            dense = self.activations * math.prod(self.kernel or ()) * channels // self.groups
        else:
            return 0
        return dense if not self.weights else round(dense * self.nonzero_weights / self.weights)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A network: a graph, by the inputs of its layers, that is listed in order of execution.

    Attributes:
        name: for messages.
        input_shape: without the batch; of the first input.
        layers: in order: none comes before one that it takes the output of.
        more_input_shapes: of the other inputs.
        outputs: names of the layers that give the network's outputs, where one of them is read
            by a layer, too; empty where outputs are what no layer reads.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSpec, ...]
    more_input_shapes: tuple[tuple[int, ...], ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.parameter_storage_bytes, self.activation_storage_bytes)
        require_range("a network's cost", 0, _HUGE, self.macs, *sizes)

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of all inputs, without the batch."""
        return (self.input_shape, *self.more_input_shapes)

    @property
    def macs(self) -> int:
        """C: multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weights(self) -> int:
        """|W|: stored weights, in elements."""
        return sum(layer.nonzero_weights for layer in self.layers if layer.repeats is None)

    @property
    def activations(self) -> int:
        """|X|: output elements of all layers that compute (kernels, pools, merges)."""
        return sum(
            layer.activations for layer in self.layers if layer.kind is not LayerKind.RESHAPE
        )

    @property
    def parameter_storage_bytes(self) -> float:
        """S_p of Eq. 3, in bytes."""
        bits = (
            layer.nonzero_weights * layer.weight_bits
            for layer in self.layers
            if layer.repeats is None
        )
        return sum(bits) / 8

    @property
    def activation_storage_bytes(self) -> float:
        """S_f of Eq. 3, in bytes."""
        return (
            sum(
                layer.activations * layer.activation_bits
                for layer in self.layers
                if layer.kind is not LayerKind.RESHAPE
            )
            / 8
        )

    def layer(self, name: str) -> LayerSpec:
        """The layer of that name.

        Raises:
            KeyError: there is none.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def gives_output(self, name: str) -> bool:
        """Whether the network's outputs are what that layer gives, or some of it."""
        return name in self.outputs or not any(name in layer.inputs for layer in self.layers)

    def readers(self, name: str) -> tuple[LayerSpec, ...]:
        """The layers that take the output of the one of that name."""
        return tuple(layer for layer in self.layers if name in layer.inputs)

    def in_precision(self, precision: Precision) -> ModelSpec:
        """The same network in another number format."""
        kept = _ends(self.layers) if keeps_ends(precision) else set()
        return replace(
            self,
            layers=tuple(
                _in_precision(layer, precision, layer.name in kept) for layer in self.layers
            ),
        )


def _ends(layers: tuple[LayerSpec, ...]) -> set[str]:
    """Names of those that have weights and see no other such layer's output, or give it to none.

    What has weights is multiplied by them but for batch normalisation, which is folded.
    """
    before: dict[str, set[str]] = {NETWORK_INPUT: set()}  # of each layer: those with weights
    followed: set[str] = set()
    heavy = [x.name for x in layers if x.weights and x.kind is not LayerKind.BATCH_NORM]
    for layer in layers:
        seen = {name for one in layer.inputs for name in before.get(one, ())}
        is_heavy = layer.name in heavy
        followed |= seen if is_heavy else set()
        before[layer.name] = {*seen, layer.name} if is_heavy else seen
    first = {name for name in heavy if before[name] == {name}}
    return first | {name for name in heavy if name not in followed}


def _in_precision(layer: LayerSpec, precision: Precision, is_kept: bool) -> LayerSpec:
    if is_kept:
        return _in_bits(layer, layer.weight_bits, layer.activation_bits, precision.stores_sparse)
    return _in_bits(
        layer, precision.weight_bits, precision.activation_bits, precision.stores_sparse
    )


@lru_cache(maxsize=4096)  # plans of a network have most of their layers in common
def _in_bits(layer: LayerSpec, weight: int, activation: int, stores_sparse: bool) -> LayerSpec:
    stored = layer.nonzero_weights if stores_sparse else layer.weights
    fields = {"weight_bits": weight, "activation_bits": activation, "nonzero_weights": stored}
    if all(getattr(layer, name) == value for name, value in fields.items()):
        return layer
    return replace(layer, weight_bits=weight, activation_bits=activation, nonzero_weights=stored)
