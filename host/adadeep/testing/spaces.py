"""A small space with every kind of decision: techniques for two kinds of layer, one that ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice
from adadeep.core.space import build_space


@dataclass
class ToyTechnique:
    """Offers the same settings for every layer of one kind, and changes nothing.

    Attributes:
        name: of a technique.
        kind: of the layers that it applies to.
        settings: that it offers.
        title: for people.
        replaces_following: see `Technique`.
        training_factor: see `Technique`.
    """

    name: str
    kind: LayerKind
    settings: tuple[LayerChoice, ...]
    title: str = ""
    replaces_following: bool = False
    training_factor: int = 1

    def applies_to(self, layer: LayerSpec) -> bool:
        """By the layer's kind."""
        return layer.kind is self.kind

    def choices(self, layer: LayerSpec) -> Sequence[LayerChoice]:
        """The settings."""
        del layer
        return self.settings

    def apply(
        self, model: Any, layer: str, choice: LayerChoice, samples: Any = None
    ) -> Compressed[Any]:
        """The same network."""
        del layer, choice, samples
        return Compressed(model)

    def outline(self, model: ModelSpec, layer: str, choice: LayerChoice) -> ModelSpec:
        """The same network."""
        del layer, choice
        return model


def toy_choice(name: str, value: float) -> LayerChoice:
    """A choice with one parameter."""
    return LayerChoice(name, (("value", value),))


CONV, DENSE = LayerKind.CONV, LayerKind.DENSE
LAYERS = (
    LayerSpec("conv", CONV, (8, 8, 1), (8, 8, 4), (3, 3), (1, 1), "same", None, 40, 40),
    LayerSpec("pool", LayerKind.POOL, (8, 8, 4), (4, 4, 4), (2, 2), (2, 2)),
    LayerSpec("fc1", DENSE, (64,), (16,), weights=1040, nonzero_weights=1040),
    LayerSpec("fc2", DENSE, (16,), (10,), weights=170, nonzero_weights=170),
)
MODEL = ModelSpec("m", (8, 8, 1), LAYERS)
NONE = ToyTechnique("none", DENSE, (LayerChoice(),))
SVD = ToyTechnique("W1f", DENSE, (toy_choice("W1f", 12), toy_choice("W1f", 6)))
GAP = ToyTechnique("L3", DENSE, (LayerChoice("L3"),), replaces_following=True)
FIRE = ToyTechnique("L1", CONV, (toy_choice("L1", 0.25),))
PRECISIONS = ("float32", "int8")
SPACE = build_space(MODEL, [NONE, SVD, GAP, FIRE], PRECISIONS)
