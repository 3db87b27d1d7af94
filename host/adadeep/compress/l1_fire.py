"""L1: a convolution as a Fire layer (section 5.2.1; SqueezeNet, Iandola et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.outline import (
    is_plain_convolution,
    layer_of,
    part,
    passes_channels,
    replaced,
)
from adadeep.compress.parameters import checked, number, require
from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

_RATIOS = (0.125, 0.25, 0.5)  # SqueezeNet's own squeeze ratio first
_TAKES = "ordinary convolutions of images, of 3x3 and more and padded to the same size"


class Fire:
    """Squeeze by 1x1 to s channels, expand to half 1x1 and half 3x3; the stride is kept.

    Parameter: `squeeze_ratio`, s over the output channels of the layer.
    """

    name = "L1"
    title = "Fire layer"
    training_factor = 2
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Padded convolutions of 3x3 and more that some ratio makes smaller."""
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The ratios that leave fewer weights and multiplications, and really squeeze."""
        if not self._takes(layer):
            return ()
        return tuple(
            LayerChoice(self.name, (("squeeze_ratio", ratio),))
            for ratio in _RATIOS
            if _saves(layer, _squeezed(layer.output_shape[-1], ratio))
        )

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces the layer; see `inherited` for what the new weights are.

        With samples the expanding kernels are fitted to what the layer does to them. Where the
        channels are tied (by a sum, by the network's output) they keep their order.

        Raises:
            TechniqueNotApplicable: the layer is no such convolution, or a parameter is wrong.
        """
        import numpy as np

        from adadeep.compress import describe, surgery

        graph = surgery.as_functional(model)
        spec = describe.model_spec(graph)
        self.outline(spec, layer, choice)
        squeezed = self._squeezed(layer_of(spec, layer), choice)
        old = graph.get_layer(layer)
        bias = np.zeros(old.filters) if old.bias is None else np.asarray(old.bias)
        in_order = not passes_channels(spec, layer)
        weights = inherited(np.asarray(old.kernel), bias, squeezed, in_order)
        if samples is not None:
            weights = _fitted(graph, old, weights, samples)

        def build(tensor: object) -> object:
            return _fire(old, tensor, weights)

        order = None if in_order else weights.order
        return Compressed(surgery.rebuild(graph, {layer: surgery.Replacement(build, order)}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network with the Fire layer's four parts.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        old = layer_of(model, layer)
        parts = _parts(old, self._squeezed(old, choice))
        return replaced(model, layer, parts)  # another order of channels changes no shape

    def _takes(self, layer: LayerSpec) -> bool:
        return (
            is_plain_convolution(layer)
            and layer.padding == "same"
            and layer.kernel is not None
            and min(layer.kernel) >= 3
            and layer.output_shape[-1] >= 2
        )

    def _squeezed(self, layer: LayerSpec, choice: LayerChoice) -> int:
        """Channels of the squeeze."""
        require(self._takes(layer), self.name, layer, _TAKES)
        parameters = checked(choice, {"squeeze_ratio": _RATIOS[0]})
        ratio = number(choice, parameters, "squeeze_ratio", 0.0, 1.0)
        return min(_squeezed(layer.output_shape[-1], ratio), layer.input_shape[-1])


@dataclass(frozen=True, slots=True, eq=False)
class FireWeights:
    """Kernels and biases of a Fire layer.

    Attributes:
        squeeze: (1, 1, inputs, squeezed).
        expand1: (1, 1, squeezed, half).
        expand3: (3, 3, squeezed, other half).
        bias1: of `expand1`.
        bias3: of `expand3`.
        order: number in the initial layer of each output.
    """

    squeeze: npt.NDArray[np.float64]
    expand1: npt.NDArray[np.float64]
    expand3: npt.NDArray[np.float64]
    bias1: npt.NDArray[np.float64]
    bias3: npt.NDArray[np.float64]
    order: npt.NDArray[np.intp]


def inherited(kernel: Any, bias: Any, squeezed: int, in_order: bool = False) -> FireWeights:
    """The Fire layer that is nearest to a convolution.

    The kernel is factored over its input channels with a factor that is not negative (then the
    squeeze's ReLU passes what it gets); each filter is brought to 3x3 or 1x1 by least squares;
    the filters that lose least by 1x1 are the ones that get it.

    Args:
        kernel: (height, width, inputs, filters).
        bias: (filters,).
        squeezed: channels of the squeeze, at most inputs.
        in_order: whether the filters must stay in their order, whatever they lose.
    """
    import numpy as np

    from adadeep.compress import factorise

    height, width, inputs, filters = kernel.shape
    by_input = np.moveaxis(kernel, 2, 0).reshape(inputs, -1)
    squeeze, rest = factorise.semi_nmf(by_input, squeezed)
    expand = np.moveaxis(rest.reshape(squeezed, height, width, filters), 0, 2)
    point = factorise.restrict_taps(expand, 1)
    window = factorise.restrict_taps(expand, 3)
    # How much of a filter's 3x3 energy the single tap holds.
    held = np.square(point).sum(axis=(0, 1, 2)) / (np.square(window).sum(axis=(0, 1, 2)) + 1e-12)
    by_need = np.arange(filters) if in_order else np.argsort(-held, kind="stable")
    ones, threes = np.sort(by_need[: filters // 2]), np.sort(by_need[filters // 2 :])
    return FireWeights(
        squeeze=squeeze[None, None],
        expand1=point[..., ones],
        expand3=window[..., threes],
        bias1=bias[ones],
        bias3=bias[threes],
        order=np.concatenate([ones, threes]),
    )


def _fitted(model: Any, old: Any, weights: FireWeights, samples: Any) -> FireWeights:
    """The same squeeze, with expanding kernels by least squares."""
    from adadeep.compress import regress

    half = weights.expand1.shape[-1]
    ones, threes = weights.order[:half], weights.order[half:]
    rows, columns = old.strides

    narrow = regress.once(lambda maps: regress.squeezed(maps, weights.squeeze[0, 0]))
    wanted = regress.once(lambda maps: regress.before_activation(old, maps))
    (point, bias1), (window, bias3) = regress.fitted(
        (model, old),
        samples,
        (lambda maps: narrow(maps)[:, ::rows, ::columns], lambda maps: wanted(maps)[..., ones]),
        (
            lambda maps: regress.patches(narrow(maps), 3, old.strides),
            lambda maps: wanted(maps)[..., threes],
        ),
    )
    return replace(
        weights,
        expand1=point.reshape(weights.expand1.shape), bias1=bias1,
        expand3=window.reshape(weights.expand3.shape), bias3=bias3,
    )  # fmt: skip


def _squeezed(filters: int, ratio: float) -> int:
    return max(1, round(filters * ratio))


def _saves(layer: LayerSpec, squeezed: int) -> bool:
    """Whether the Fire layer has fewer weights and multiplications, and does squeeze."""
    inputs, outputs = layer.input_shape[-1], layer.output_shape[-1]
    positions_in = layer.input_shape[0] * layer.input_shape[1]
    positions_out = layer.output_shape[0] * layer.output_shape[1]
    expand = squeezed * (outputs // 2 + 9 * (outputs - outputs // 2))
    weights = inputs * squeezed + squeezed + expand + outputs
    macs = positions_in * inputs * squeezed + positions_out * expand
    return squeezed < inputs and weights < layer.weights and macs < layer.macs


def _parts(old: LayerSpec, squeezed: int) -> tuple[LayerSpec, ...]:
    """What `_fire` makes."""
    inputs, filters = old.input_shape[-1], old.output_shape[-1]
    squeeze = part(
        old, "squeeze", inputs * squeezed + squeezed, kernel=(1, 1), stride=(1, 1),
        output_shape=(*old.input_shape[:-1], squeezed), activation="relu",
    )  # fmt: skip

    def expand(size: int, count: int) -> LayerSpec:
        return part(
            old, f"expand{size}", size * size * squeezed * count + count, kernel=(size, size),
            input_shape=squeeze.output_shape, output_shape=(*old.output_shape[:-1], count),
            inputs=(squeeze.name,),
        )  # fmt: skip

    expand1, expand3 = expand(1, filters // 2), expand(3, filters - filters // 2)
    concat = part(
        old, "concat", 0, kind=LayerKind.CONCAT, input_shape=expand1.output_shape,
        kernel=None, stride=None, padding=None, activation=None,
        inputs=(expand1.name, expand3.name),
    )  # fmt: skip
    return squeeze, expand1, expand3, concat


def _fire(old: Any, tensor: Any, weights: FireWeights) -> Any:
    import keras
    import numpy as np

    from adadeep.compress import surgery

    def convolution(part: str, kernel: Any, **settings: Any) -> Any:
        return keras.layers.Conv2D(
            kernel.shape[-1], kernel.shape[0], padding="same", name=derived(old.name, part),
            **settings,
        )  # fmt: skip

    squeeze = convolution("squeeze", weights.squeeze, activation="relu")
    settings = {"strides": old.strides, "activation": old.activation}
    expand1 = convolution("expand1", weights.expand1, **settings)
    expand3 = convolution("expand3", weights.expand3, **settings)
    narrow = surgery.placed(squeeze, tensor, weights.squeeze, np.zeros(weights.squeeze.shape[-1]))
    branches = [
        surgery.placed(expand1, narrow, weights.expand1, weights.bias1),
        surgery.placed(expand3, narrow, weights.expand3, weights.bias3),
    ]
    return keras.layers.Concatenate(name=derived(old.name, "concat"))(branches)


L1 = Fire()
