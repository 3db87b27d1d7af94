"""none: leaves the layer as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adadeep.compress.parameters import checked
from adadeep.core.layers import LayerSpec
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
    ) -> keras.Model:
        """The same network, copied.

        Raises:
            TechniqueNotApplicable: there is no such layer, or the choice has parameters.
        """
        from adadeep.compress import surgery

        del samples
        checked(choice, {})
        surgery.layer_of(model, layer)
        return surgery.rebuild(model, {})


NONE_TECHNIQUE = NoTechnique()
