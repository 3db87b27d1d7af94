"""L3: all dense layers give way to a feature map per class and global average pooling."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.parameters import checked, require
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec
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
        return layer.kind is LayerKind.DENSE and layer.flattened_from is not None

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """One, without parameters."""
        return (LayerChoice(self.name),) if self.applies_to(layer) else ()

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> keras.Model:
        """Replaces everything from the flattening to the softmax.

        The 1x1 convolution starts as the product of the dense kernels, averaged over positions;
        with samples it is fitted to the logits that the network gives them.

        Raises:
            TechniqueNotApplicable: the layer gets no flattened map, or something else than
                dense layers is behind it.
        """
        import keras

        from adadeep.compress import describe, surgery

        checked(choice, {})
        surgery.layer_of(model, layer)
        spec = describe.layer_spec(model, layer)
        require(self.applies_to(spec), self.name, spec)
        functional = surgery.as_functional(model)
        chain = _chain_from(functional, layer)
        if samples is None:
            kernel, bias = _linearised(chain, spec)
        else:
            kernel, bias = _fitted(functional, layer, samples)

        def build(tensor: object) -> object:
            convolution = keras.layers.Conv2D(kernel.shape[-1], 1, name=derived(layer, "classes"))
            pool = keras.layers.GlobalAveragePooling2D(name=derived(layer, "pool"))
            softmax = keras.layers.Softmax(name=derived(layer, "softmax"))
            return softmax(pool(surgery.placed(convolution, tensor, kernel, bias)))

        taken_out = [_flatten_before(functional, layer), *(old.name for old in chain[1:])]
        replacements = {name: surgery.Replacement(surgery.identity) for name in taken_out}
        replacements[layer] = surgery.Replacement(build)
        return surgery.rebuild(functional, replacements)


def _flatten_before(model: keras.Model, layer: str) -> str:
    return str(model.get_layer(layer).input._keras_history[0].name)


def _chain_from(model: keras.Model, layer: str) -> list[Any]:
    """The layer and all behind it.

    Raises:
        TechniqueNotApplicable: they are not dense layers, activations and dropouts in a row.
    """
    from keras import layers

    names = [one.name for one in model.layers]
    chain = model.layers[names.index(layer) :]
    allowed = (layers.Dense, layers.Dropout, layers.Activation, layers.ReLU, layers.Softmax)
    for before, after in pairwise(chain):
        if not isinstance(after, allowed) or after.input is not before.output:
            raise TechniqueNotApplicable(
                f"L3 replaces dense layers in a row, but {after.name!r} is behind {layer!r}."
            )
    return chain


def _linearised(chain: list[Any], spec: LayerSpec) -> tuple[Any, Any]:
    """Kernel (1, 1, channels, classes) and bias of the dense layers, taken as linear ones."""
    import numpy as np
    from keras import layers

    assert spec.flattened_from is not None
    dense = [layer for layer in chain if isinstance(layer, layers.Dense)]
    product = np.asarray(dense[0].kernel)
    for layer in dense[1:]:
        product = product @ np.asarray(layer.kernel) * _RELU_SLOPE
    channels = spec.flattened_from[-1]
    # Pooling divides by the positions what flattening added up over them.
    kernel = product.reshape(-1, channels, product.shape[-1]).sum(axis=0)
    last_bias = dense[-1].bias
    bias = np.zeros(kernel.shape[-1]) if last_bias is None else np.asarray(last_bias)
    return kernel.reshape(1, 1, *kernel.shape), bias


def _fitted(model: keras.Model, layer: str, samples: Any) -> tuple[Any, Any]:
    """Kernel and bias by least squares from the pooled feature map to the logits."""
    import numpy as np

    from adadeep.compress import regress

    flatten = model.get_layer(_flatten_before(model, layer))
    pooled = regress.inputs_of(model, flatten, samples).mean(axis=(1, 2))
    logits = np.log(np.asarray(model(samples, training=False)) + _FLOOR)
    kernel, bias = regress.least_squares(pooled, logits - logits.mean(axis=-1, keepdims=True))
    return kernel[None, None], bias


L3 = GlobalAveragePooling()
