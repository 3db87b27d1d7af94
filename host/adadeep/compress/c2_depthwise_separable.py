"""C2: a convolution as depthwise and pointwise ones, with a width multiplier (section 5.2.1)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.outline import is_plain_convolution, layer_of, part, replaced, rerouted
from adadeep.compress.parameters import checked, number, require
from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

if TYPE_CHECKING:
    import keras

_PAPER_ALPHA = 0.5
_ALPHAS = (_PAPER_ALPHA, 1.0)
# Each input channel gets one filter: fewer channels than this leave no room for features, which
# is why MobileNet too keeps its first layer.
_MIN_INPUTS = 4
_TAKES = f"ordinary convolutions of images, with a window and {_MIN_INPUTS} input channels or more"


class DepthwiseSeparable:
    """Depthwise convolution of the same window and stride, then 1x1 to alpha of the channels."""

    name = "C2"
    title = "depthwise separable convolution"
    training_factor = 2
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Convolutions with a window and at least 4 input channels."""
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The paper's alpha = 0.5, then 1."""
        if not self._takes(layer):
            return ()
        return tuple(LayerChoice(self.name, (("alpha", alpha),)) for alpha in _ALPHAS)

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces the layer, and slices what comes next where alpha drops channels.

        Kept are the filters of the largest norm; per input channel they are inherited by the
        rank-1 approximation that changes an image least. With samples the pointwise kernel is
        fitted to what the layer does to them.

        Raises:
            TechniqueNotApplicable: the layer is no such convolution, a parameter is wrong, or
                alpha drops channels that a later layer needs.
        """
        import numpy as np

        from adadeep.compress import describe, factorise, surgery

        graph = surgery.as_functional(model)
        spec = describe.model_spec(graph)
        self.outline(spec, layer, choice)
        width = self._width(layer_of(spec, layer), choice)
        old = graph.get_layer(layer)
        kernel = np.asarray(old.kernel)
        kept = _most_important(kernel, width)
        depthwise, pointwise = factorise.separate_depthwise(kernel[..., kept])
        weights = [pointwise[None, None]]
        if old.bias is not None:
            weights.append(np.asarray(old.bias)[kept])
        if samples is not None and old.bias is not None:
            weights = _fitted(graph, old, (depthwise, kept), samples)

        def build(tensor: object) -> object:
            return _separable(old, tensor, depthwise[..., None], weights)

        narrower = kept if width < old.filters else None
        return Compressed(surgery.rebuild(graph, {layer: surgery.Replacement(build, narrower)}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network with the two layers, and fewer channels behind them where alpha says so.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        old = layer_of(model, layer)
        width = self._width(old, choice)
        inputs, filters, window = old.input_shape[-1], old.output_shape[-1], _window(old)
        biases = width if old.weights > window * inputs * filters else 0
        depthwise = part(
            old, "depthwise", window * inputs, kind=LayerKind.DEPTHWISE,
            output_shape=(*old.output_shape[:-1], inputs), activation=None,
        )  # fmt: skip
        pointwise = part(
            old, "pointwise", inputs * width + biases, input_shape=depthwise.output_shape,
            output_shape=(*old.output_shape[:-1], width), kernel=(1, 1), stride=(1, 1),
            padding="valid", inputs=(depthwise.name,),
        )  # fmt: skip
        new = replaced(model, layer, (depthwise, pointwise))
        return rerouted(new, pointwise.name) if width < filters else new

    def _takes(self, layer: LayerSpec) -> bool:
        return (
            is_plain_convolution(layer)
            and _window(layer) > 1
            and layer.input_shape[-1] >= _MIN_INPUTS
            and len(set(layer.stride or ())) <= 1  # a depthwise convolution takes no uneven ones
        )

    def _width(self, layer: LayerSpec, choice: LayerChoice) -> int:
        """Channels that it gives when it is replaced."""
        require(self._takes(layer), self.name, layer, _TAKES)
        parameters = checked(choice, {"alpha": _PAPER_ALPHA})
        alpha = number(choice, parameters, "alpha", 0.0, 1.0)
        return max(1, round(alpha * layer.output_shape[-1]))


def _window(layer: LayerSpec) -> int:
    return math.prod(layer.kernel or ())


def _most_important(kernel: Any, count: int) -> Any:
    """Indices, ascending, of the `count` filters of the largest norm."""
    import numpy as np

    norms = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0)
    return np.sort(np.argsort(-norms, kind="stable")[:count])


def _fitted(model: Any, old: Any, parts: tuple[Any, Any], samples: Any) -> list[Any]:
    """Pointwise kernel and bias by least squares; parts are depthwise kernel, kept filters."""
    from adadeep.compress import regress

    depthwise, kept = parts
    ((kernel, bias),) = regress.fitted(
        (model, old),
        samples,
        (
            lambda maps: regress.depthwise(old, maps, depthwise),
            lambda maps: regress.before_activation(old, maps)[..., kept],
        ),
    )
    return [kernel[None, None], bias]


def _separable(old: Any, tensor: Any, depthwise: Any, pointwise: list[Any]) -> Any:
    import keras

    from adadeep.compress import surgery

    first = keras.layers.DepthwiseConv2D(
        old.kernel_size, strides=old.strides, padding=old.padding, use_bias=False,
        name=derived(old.name, "depthwise"),
    )  # fmt: skip
    second = keras.layers.Conv2D(
        pointwise[0].shape[-1], 1, activation=old.activation, use_bias=old.use_bias,
        name=derived(old.name, "pointwise"),
    )  # fmt: skip
    return surgery.placed(second, surgery.placed(first, tensor, depthwise), *pointwise)


C2 = DepthwiseSeparable()
