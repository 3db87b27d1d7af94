"""none: leaves the layer as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.outline import layer_of
from adadeep.compress.parameters import checked
from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import NONE, LayerChoice

if TYPE_CHECKING:
    import keras


class NoTechnique:
    """Leaves the layer as it is."""

    name = NONE
    title = "no compression"
    training_factor = 0
    replaces_following = False

    def applies_to(self, layer: LayerSpec) -> bool:
        """Always."""
        del layer
        return True

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The one that does nothing."""
        del layer
        return (LayerChoice(NONE),)

    def apply(
        self, model: keras.Model, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[keras.Model]:
        """The same network, copied.

        Raises:
            TechniqueNotApplicable: there is no such layer, or the choice has parameters.
        """
        from adadeep.compress import describe, surgery

        del samples
        self.outline(describe.model_spec(model), layer, choice)
        return Compressed(surgery.rebuild(model, {}))

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The same network.

        Raises:
            TechniqueNotApplicable: see `apply`.
        """
        layer_of(model, layer)
        checked(choice, {})
        return model


NONE_TECHNIQUE = NoTechnique()
