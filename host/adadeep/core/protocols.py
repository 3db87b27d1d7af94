"""The small interfaces that the layers meet at. Structural: nothing inherits from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from adadeep.core.layers import LayerSpec
from adadeep.core.plan import CompressionPlan, LayerChoice

ModelT = TypeVar("ModelT")


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

    def apply(self, model: ModelT, layer: str, choice: LayerChoice, samples: Any = None) -> ModelT:
        """Returns a new network with that layer compressed, weights inherited where it can be.

        Args:
            model: is left as it is.
            layer: its name.
            choice: one of `choices`, or with other values of its parameters.
            samples: (n, ...) training inputs that new weights may be fitted to; None for none.

        Raises:
            TechniqueNotApplicable: the layer can't take it.
        """
        ...


class Sampler(Protocol):
    """Asks for the next plan, is told the result; `ask` and `tell` alternate, first comes ask."""

    def ask(self) -> CompressionPlan:
        """The next plan to try."""
        ...

    def tell(self, plan: CompressionPlan, gain: float, satisfaction: float) -> None:
        """The rewards of Eq. 8 of the plan just asked: R1 (gain), R2 (satisfaction)."""
        ...
