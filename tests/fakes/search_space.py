"""A small space with every kind of decision: techniques for two kinds of layer, one that ends."""

from dataclasses import dataclass

import numpy as np

from adadeep.core.compressed import Compressed
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import LayerChoice
from adadeep.core.space import build_space


@dataclass
class Fake:
    name: str
    kind: LayerKind
    settings: tuple[LayerChoice, ...]
    title: str = ""
    replaces_following: bool = False
    training_factor: int = 1

    def applies_to(self, layer):
        return layer.kind is self.kind

    def choices(self, layer):
        return self.settings

    def apply(self, model, layer, choice, samples=None):
        return Compressed(model)

    def outline(self, model, layer, choice):
        return model


def choice(name, value):
    return LayerChoice(name, (("value", value),))


CONV, DENSE = LayerKind.CONV, LayerKind.DENSE
LAYERS = (
    LayerSpec("conv", CONV, (8, 8, 1), (8, 8, 4), (3, 3), (1, 1), "same", None, 40, 40),
    LayerSpec("pool", LayerKind.POOL, (8, 8, 4), (4, 4, 4), (2, 2), (2, 2)),
    LayerSpec("fc1", DENSE, (64,), (16,), weights=1040, nonzero_weights=1040),
    LayerSpec("fc2", DENSE, (16,), (10,), weights=170, nonzero_weights=170),
)
MODEL = ModelSpec("m", (8, 8, 1), LAYERS)
NONE = Fake("none", DENSE, (LayerChoice(),))
SVD = Fake("W1f", DENSE, (choice("W1f", 12), choice("W1f", 6)))
GAP = Fake("L3", DENSE, (LayerChoice("L3"),), replaces_following=True)
FIRE = Fake("L1", CONV, (choice("L1", 0.25),))
PRECISIONS = ("float32", "int8")
SPACE = build_space(MODEL, [NONE, SVD, GAP, FIRE], PRECISIONS)


def every_list(space):
    """All lists of decisions, by the masks alone."""
    lists = [()]
    for _ in space.points:
        lists = [(*d, int(n)) for d in lists for n in np.flatnonzero(space.mask(d))]
    return lists
