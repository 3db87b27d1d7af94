"""The small interfaces that the layers meet at. Structural: nothing inherits from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol

from adadeep.core.compressed import Compressed, ModelT
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice


class Technique(Protocol, Generic[ModelT]):
    """One way to compress one layer.

    Attributes:
        name: in the registry, in plans: "W1f".
        title: for people.
        training_factor: how many times the task's fine-tuning steps a layer treated so needs.
        replaces_following: whether it takes the place of all later layers that are decided on.
    """

    name: str
    title: str
    training_factor: int
    replaces_following: bool

    def applies_to(self, layer: LayerSpec) -> bool:
        """Whether this layer can be compressed so."""
        ...

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The settings worth trying on this layer, the paper's first."""
        ...

    def apply(
        self, model: ModelT, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[ModelT]:
        """Returns a new network with that layer compressed, weights inherited where it can be.

        Args:
            model: is left as it is.
            layer: its name.
            choice: one of `choices`, or with other values of its parameters.
            samples: (n, ...) training inputs that new weights may be fitted to; None for none.

        Returns:
            The network, with hooks of those of its new layers that need one.

        Raises:
            TechniqueNotApplicable: the layer can't take it.
        """
        ...

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec | None:
        """What the network that `apply` returns is, known without making it, and without Keras.

        Args:
            model: of the network, as `describe.model_spec` gives it; so is what is returned.
            layer: see `apply`.
            choice: see `apply`.

        Returns:
            None if it depends on more than a ModelSpec holds, such as the weights.

        Raises:
            TechniqueNotApplicable: the layer can't take it, as far as `model` tells.
        """
        ...
