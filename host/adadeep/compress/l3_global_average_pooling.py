"""L3: all dense layers give way to a feature map per class and global average pooling."""

from __future__ import annotations

from collections.abc import Sequence
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

_ENDINGS = (None, "softmax", "sigmoid")
# Expected slope of a ReLU whose input is as often positive as negative.
_RELU_SLOPE = 0.5
# Keeps the logits of samples that the network is sure of from outweighing all others.
_FLOOR = 1e-4


class GlobalAveragePooling:
    """1x1 convolution to the classes, global average pooling, softmax (section 5.2.1).

    Decided at the first dense layer; the ones behind it go too. What the network ended with
    (a softmax, a sigmoid, nothing) it ends with again.
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
        """Replaces everything from the flattening to the output.

        The 1x1 convolution starts as the product of the dense kernels, averaged over positions;
        with samples it is fitted to the logits that the network gives them.

        Raises:
            TechniqueNotApplicable: the layer gets no flattened map, or something else than
                dense layers is behind it.
        """
        import keras

        from adadeep.compress import describe, surgery

        functional = surgery.as_functional(model)
        tail = self._tail(describe.model_spec(functional), layer, choice)
        ending = _ending(tail)
        if samples is None:
            kernel, bias = _linearised(functional, tail)
        else:
            kernel, bias = _fitted(functional, tail, samples)

        def build(tensor: object) -> object:
            convolution = keras.layers.Conv2D(kernel.shape[-1], 1, name=derived(layer, "classes"))
            pool = keras.layers.GlobalAveragePooling2D(name=derived(layer, "pool"))
            pooled = pool(surgery.placed(convolution, tensor, kernel, bias))
            if ending is None:
                return pooled
            if ending == "softmax":
                return keras.layers.Softmax(name=derived(layer, ending))(pooled)
            return keras.layers.Activation(ending, name=derived(layer, ending))(pooled)

        taken_out = [tail[0].name, *surgery.behind(functional, layer)]
        replacements = {name: surgery.Replacement(surgery.pass_through) for name in taken_out}
        replacements[layer] = surgery.Replacement(build)
        return Compressed(surgery.rebuild(functional, replacements))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network that ends in the convolution, the pooling and what it ended with.

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
        vector = {"output_shape": (classes,), "flattened_from": None}
        pool = part(
            old, "pool", 0, kind=LayerKind.GLOBAL_POOL, input_shape=convolution.output_shape,
            inputs=(convolution.name,), activation=None, **vector,
        )  # fmt: skip
        parts = [convolution, pool]
        ending = _ending(tail)
        if ending is not None:
            last = part(
                old, ending, 0, kind=LayerKind.ACTIVATION, input_shape=(classes,),
                inputs=(pool.name,), activation=ending, **vector,
            )  # fmt: skip
            parts.append(last)
        taken_out = {one.name for one in tail} - {layer}
        return replaced(model, layer, parts, taken_out)

    def _tail(self, model: ModelSpec, layer: str, choice: LayerChoice) -> Sequence[LayerSpec]:
        """What it takes the place of: the flattening, the layer, and all behind it.

        Raises:
            TechniqueNotApplicable: they are not dense layers and activations in a row.
        """
        old = layer_of(model, layer)
        takes = "the first dense layer behind the flattened map of an image"
        require(self.applies_to(old) and bool(old.inputs), self.name, old, takes)
        checked(choice, {})
        tail = [model.layer(old.inputs[0]), old]
        _require_alone(model, tail[0], layer)
        while model.readers(tail[-1].name):
            _require_alone(model, tail[-1], layer)
            tail.append(model.readers(tail[-1].name)[0])
        for one in tail[2:]:
            if one.kind not in (LayerKind.DENSE, LayerKind.ACTIVATION):
                raise _not_in_a_row(one.name, layer)
        if any(one.name in model.outputs for one in tail) or _is_called_again(model, tail):
            raise _not_in_a_row(tail[-1].name, layer)
        if _ending(tail) not in _ENDINGS:
            raise TechniqueNotApplicable(
                f"L3 gives classes, but the network ends in {_ending(tail)!r}; compress "
                f"{layer!r} by another technique."
            )
        return tail


def _require_alone(model: ModelSpec, one: LayerSpec, layer: str) -> None:
    """Refuses what several layers read, or what the network gives besides."""
    readers = model.readers(one.name)
    if len(readers) != 1 or one.name in model.outputs:
        others = [reader.name for reader in readers if reader.name != layer]
        raise _not_in_a_row(others[-1] if others else one.name, layer)


def _not_in_a_row(odd: str, layer: str) -> TechniqueNotApplicable:
    return TechniqueNotApplicable(
        f"L3 replaces dense layers in a row, but {odd!r} is behind {layer!r}; choose another "
        "technique there."
    )


def _is_called_again(model: ModelSpec, tail: Sequence[LayerSpec]) -> bool:
    names = {one.name for one in tail}
    return any(one.repeats is not None for one in tail) or any(
        one.repeats in names for one in model.layers
    )


def _ending(tail: Sequence[LayerSpec]) -> str | None:
    """The function that the last layer ends with; None if it is linear."""
    last = tail[-1]
    is_linear = last.activation is None and last.kind is LayerKind.DENSE
    return None if is_linear else last.activation or last.name


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


def _fitted(model: keras.Model, tail: Sequence[LayerSpec], samples: Any) -> tuple[Any, Any]:
    """Kernel and bias by least squares from the pooled feature map to what is before the end."""
    from adadeep.compress import regress

    flatten = model.get_layer(tail[0].name)
    pooled = regress.inputs_of(model, flatten, samples, lambda maps: maps.mean(axis=(1, 2)))
    given = regress.outputs_of(model, model.get_layer(tail[-1].name), samples)
    kernel, bias = regress.least_squares(pooled, _before_end(given, _ending(tail)))
    return kernel[None, None], bias


def _before_end(outputs: Any, ending: str | None) -> Any:
    """What a function at the end was given, but for a constant that it does not depend on."""
    import numpy as np

    if ending is None:
        return outputs
    if ending == "sigmoid":
        return np.log(outputs + _FLOOR) - np.log(1 - outputs + _FLOOR)
    logits = np.log(outputs + _FLOOR)
    return logits - logits.mean(axis=-1, keepdims=True)


L3 = GlobalAveragePooling()
