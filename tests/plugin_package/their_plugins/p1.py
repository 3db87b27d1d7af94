"""P1: a dense layer with only those of its units whose weights are the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adadeep.compress.names import derived
from adadeep.compress.outline import layer_of, part, replaced, rerouted
from adadeep.compress.parameters import checked, number, require
from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice

SHARES = (0.5, 0.25)
LEAST_UNITS = 32
PART = "narrow"


class UnitPruning:
    """Keeps a `share` of the units, those of the largest norm."""

    name = "P1"
    title = "unit pruning of a dense layer"
    training_factor = 1
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        return bool(self.choices(layer))

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        if not self._takes(layer) or layer.output_shape[0] < LEAST_UNITS:
            return ()
        return tuple(LayerChoice(self.name, (("share", share),)) for share in SHARES)

    def apply(
        self, model: Any, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[Any]:
        import keras
        import numpy as np

        from adadeep.compress import describe, surgery

        width = self._width(layer_of(describe.model_spec(model), layer), choice)
        old = model.get_layer(layer)
        kernel = np.asarray(old.kernel)
        kept = np.sort(np.argsort(-np.linalg.norm(kernel, axis=0), kind="stable")[:width])
        weights = [kernel[:, kept]] + ([] if old.bias is None else [np.asarray(old.bias)[kept]])
        config = {**old.get_config(), "units": width, "name": derived(layer, PART)}

        def build(tensor: object) -> object:
            return surgery.placed(keras.layers.Dense.from_config(config), tensor, *weights)

        fewer = kept if width < old.units else None
        return Compressed(surgery.rebuild(model, {layer: surgery.Replacement(build, fewer)}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec | None:
        old = layer_of(model, layer)
        width = self._width(old, choice)
        (inputs,), (units,) = old.input_shape, old.output_shape
        biases = width if old.weights > inputs * units else 0
        new = part(old, PART, inputs * width + biases, output_shape=(width,))
        changed = replaced(model, layer, (new,))
        return rerouted(changed, new.name) if width < units else changed

    def _takes(self, layer: LayerSpec) -> bool:
        return layer.kind is LayerKind.DENSE and len(layer.input_shape) == 1

    def _width(self, layer: LayerSpec, choice: LayerChoice) -> int:
        require(self._takes(layer), self.name, layer)
        parameters = checked(choice, {"share": SHARES[0]})
        share = number(choice, parameters, "share", 0.0, 1.0)
        return max(1, round(share * layer.output_shape[0]))


P1 = UnitPruning()
