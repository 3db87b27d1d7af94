"""W1f: a dense layer as two thinner ones, by singular value decomposition (section 5.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.names import derived
from adadeep.compress.parameters import checked, number, require
from adadeep.core.layers import LayerKind, LayerSpec
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
    ) -> keras.Model:
        """Replaces the layer; the product of the two kernels is the truncated SVD of its own.

        Raises:
            TechniqueNotApplicable: the layer is no dense layer, or a parameter is wrong.
        """
        import keras
        import numpy as np

        from adadeep.compress import describe, factorise, surgery

        del samples  # the weights alone say it
        old = surgery.layer_of(model, layer)
        spec = describe.layer_spec(model, layer)
        require(spec.kind is LayerKind.DENSE and len(spec.input_shape) == 1, self.name, spec)
        parameters = checked(choice, {"rank_divisor": _DIVISORS[0]})
        divisor = number(choice, parameters, "rank_divisor", 0, float("inf"))
        kernel = np.asarray(old.kernel)
        rank = min(max(1, int(old.units / divisor)), *kernel.shape)
        left, right = factorise.truncated_svd(kernel, rank)
        outer_weights = [right] if old.bias is None else [right, np.asarray(old.bias)]

        def build(tensor: object) -> object:
            inner = keras.layers.Dense(rank, use_bias=False, name=derived(layer, "inner"))
            outer = keras.layers.Dense(
                old.units, activation=old.activation, use_bias=old.use_bias,
                name=derived(layer, "outer"),
            )  # fmt: skip
            return surgery.placed(outer, surgery.placed(inner, tensor, left), *outer_weights)

        return surgery.rebuild(model, {layer: surgery.Replacement(build)})


W1F = SvdFactorisation()
