"""L3: all dense layers give way to a feature map per class and global average pooling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.outline import layer_of, part, replaced
from adadeep.compress.parameters import checked, require
from adadeep.core.compressed import Compressed
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

if TYPE_CHECKING:
    import keras

# Expected slope of a ReLU whose input is as often positive as negative.
_RELU_SLOPE = 0.5
# Keeps the logits of samples that the network is sure of from outweighing all others.
_FLOOR = 1e-4


class GlobalAveragePooling:
    """1x1 convolution to the classes, global average pooling, softmax (section 5.2.1).

    Decided at the first dense layer; the ones behind it go too.
    """

    name = "L3"
    title = "global average pooling instead of the dense layers"
    training_factor = 3
    replaces_following = True

    def applies_to(self, layer: LayerSpec) -> bool:
        """The first dense layer, where it gets a flattened feature map."""
        return layer.kind is LayerKind.DENSE and len(layer.flattened_from or ()) == 3

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """One, without parameters."""
        return (LayerChoice(self.name),) if self.applies_to(layer) else ()

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces everything from the flattening to the softmax.

        The 1x1 convolution starts as the product of the dense kernels, averaged over positions;
        with samples it is fitted to the logits that the network gives them.

        Raises:
            TechniqueNotApplicable: the layer gets no flattened map, or something else than
                dense layers is behind it.
        """
        import keras

        from adadeep.compress import describe, surgery

        tail = self._tail(describe.model_spec(model), layer, choice)
        functional = surgery.as_functional(model)
        if samples is None:
            kernel, bias = _linearised(functional, tail)
        else:
            kernel, bias = _fitted(functional, tail[0], samples)

        def build(tensor: object) -> object:
            convolution = keras.layers.Conv2D(kernel.shape[-1], 1, name=derived(layer, "classes"))
            pool = keras.layers.GlobalAveragePooling2D(name=derived(layer, "pool"))
            softmax = keras.layers.Softmax(name=derived(layer, "softmax"))
            return softmax(pool(surgery.placed(convolution, tensor, kernel, bias)))

        taken_out = [tail[0].name, *surgery.behind(functional, layer)]
        replacements = {name: surgery.Replacement(surgery.pass_through) for name in taken_out}
        replacements[layer] = surgery.Replacement(build)
        return Compressed(surgery.rebuild(functional, replacements))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network that ends in the convolution, the pooling and the softmax.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        tail = self._tail(model, layer, choice)
        flatten, old = tail[:2]
        shape, classes = flatten.input_shape, tail[-1].output_shape[-1]
        convolution = part(
            old, "classes", shape[-1] * classes + classes, kind=LayerKind.CONV, input_shape=shape,
            output_shape=(*shape[:-1], classes), kernel=(1, 1), stride=(1, 1), padding="valid",
            activation=None, flattened_from=None, inputs=flatten.inputs,
        )  # fmt: skip
        vector = {"output_shape": (classes,), "activation": None, "flattened_from": None}
        pool = part(
            old, "pool", 0, kind=LayerKind.GLOBAL_POOL, input_shape=convolution.output_shape,
            inputs=(convolution.name,), **vector,
        )  # fmt: skip
        softmax = part(
            old, "softmax", 0, kind=LayerKind.ACTIVATION, input_shape=(classes,),
            inputs=(pool.name,), **vector,
        )  # fmt: skip
        taken_out = {one.name for one in tail} - {layer}
        return replaced(model, layer, (convolution, pool, softmax), taken_out)

    def _tail(self, model: ModelSpec, layer: str, choice: LayerChoice) -> Sequence[LayerSpec]:
        """What it takes the place of: the flattening, the layer, and all behind it.

        Raises:
            TechniqueNotApplicable: they are not dense layers and activations in a row.
        """
        old = layer_of(model, layer)
        require(self.applies_to(old) and bool(old.inputs), self.name, old)
        checked(choice, {})
        tail = (layer_of(model, old.inputs[0]), *model.layers[model.layers.index(old) :])
        for before, after in pairwise(tail):
            readers = model.readers(before.name)
            odd = next((reader for reader in readers if reader is not after), after)
            if readers != (after,) or after.kind not in (LayerKind.DENSE, LayerKind.ACTIVATION):
                raise TechniqueNotApplicable(
                    f"L3 replaces dense layers in a row, but {odd.name!r} is behind {layer!r}."
                )
        return tail


def _linearised(model: keras.Model, tail: Sequence[LayerSpec]) -> tuple[Any, Any]:
    """Kernel (1, 1, channels, classes) and bias of the dense layers, taken as linear ones."""
    import numpy as np

    dense = [model.get_layer(one.name) for one in tail if one.kind is LayerKind.DENSE]
    product = np.asarray(dense[0].kernel)
    for layer in dense[1:]:
        product = product @ np.asarray(layer.kernel) * _RELU_SLOPE
    channels = tail[0].input_shape[-1]
    # Pooling divides by the positions what flattening added up over them.
    kernel = product.reshape(-1, channels, product.shape[-1]).sum(axis=0)
    last_bias = dense[-1].bias
    bias = np.zeros(kernel.shape[-1]) if last_bias is None else np.asarray(last_bias)
    return kernel.reshape(1, 1, *kernel.shape), bias


def _fitted(model: keras.Model, flatten: LayerSpec, samples: Any) -> tuple[Any, Any]:
    """Kernel and bias by least squares from the pooled feature map to the logits."""
    import numpy as np

    from adadeep.compress import regress

    pooled = regress.inputs_of(model, model.get_layer(flatten.name), samples).mean(axis=(1, 2))
    logits = np.log(np.asarray(model(samples, training=False)) + _FLOOR)
    kernel, bias = regress.least_squares(pooled, logits - logits.mean(axis=-1, keepdims=True))
    return kernel[None, None], bias


L3 = GlobalAveragePooling()
