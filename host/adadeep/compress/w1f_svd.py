"""W1f: a dense layer as two thinner ones, by singular value decomposition (section 5.2.1)."""

from __future__ import annotations

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

_DIVISORS = (12, 6, 24)  # the paper's k = m/12 first
_MIN_RANK = 4  # below, a layer's outputs would be mixtures of next to nothing


class SvdFactorisation:
    """Inserts a linear layer of k = m/rank_divisor units, m being the units of the layer."""

    name = "W1f"
    title = "SVD factorisation of a dense layer"
    training_factor = 1
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Dense layers that some divisor makes smaller."""
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The divisors that leave a sensible rank and fewer weights."""
        if layer.kind is not LayerKind.DENSE or len(layer.input_shape) != 1:
            return ()
        (inputs,), (units,) = layer.input_shape, layer.output_shape
        return tuple(
            LayerChoice(self.name, (("rank_divisor", divisor),))
            for divisor in _DIVISORS
            if (rank := units // divisor) >= _MIN_RANK and rank * (inputs + units) < inputs * units
        )

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """Replaces the layer; the product of the two kernels is the truncated SVD of its own.

        Raises:
            TechniqueNotApplicable: the layer is no dense layer, or a parameter is wrong.
        """
        import keras
        import numpy as np

        from adadeep.compress import describe, factorise, surgery

        del samples  # the weights alone say it
        graph = surgery.as_functional(model)
        spec = describe.model_spec(graph)
        self.outline(spec, layer, choice)
        rank = self._rank(layer_of(spec, layer), choice)
        old = graph.get_layer(layer)
        left, right = factorise.truncated_svd(np.asarray(old.kernel), rank)
        outer_weights = [right] if old.bias is None else [right, np.asarray(old.bias)]

        def build(tensor: object) -> object:
            inner = keras.layers.Dense(rank, use_bias=False, name=derived(layer, "inner"))
            outer = keras.layers.Dense(
                old.units, activation=old.activation, use_bias=old.use_bias,
                name=derived(layer, "outer"),
            )  # fmt: skip
            return surgery.placed(outer, surgery.placed(inner, tensor, left), *outer_weights)

        return Compressed(surgery.rebuild(graph, {layer: surgery.Replacement(build)}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The network with the two layers.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        old = layer_of(model, layer)
        rank = self._rank(old, choice)
        (inputs,), (units,) = old.input_shape, old.output_shape
        bias = old.weights - inputs * units
        inner = part(old, "inner", inputs * rank, output_shape=(rank,), activation=None)
        outer = part(
            old, "outer", rank * units + bias,
            input_shape=(rank,), flattened_from=None, inputs=(inner.name,),
        )  # fmt: skip
        return replaced(model, layer, (inner, outer))

    def _rank(self, layer: LayerSpec, choice: LayerChoice) -> int:
        is_plain = layer.kind is LayerKind.DENSE and len(layer.input_shape) == 1
        require(is_plain, self.name, layer, "dense layers")
        parameters = checked(choice, {"rank_divisor": _DIVISORS[0]})
        divisor = number(choice, parameters, "rank_divisor", 0, float("inf"))
        units = layer.output_shape[0]
        return min(max(1, int(units / divisor)), layer.input_shape[0], units)


W1F = SvdFactorisation()
