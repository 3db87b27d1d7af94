"""A table of 30 layers and 10 techniques of 2 settings each: too large to look at every plan."""

from __future__ import annotations

import functools

from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.space import SearchSpace, build_space
from search.formula import (
    PRECISIONS,
    FormulaTable,
    TableTechnique,
    choices,
    stacked_layers,
)

CONVOLUTIONS, TECHNIQUES, SETTINGS = 28, 10, 2
_A_STAGE = 8  # convolutions, after which extents are halved and channels doubled


def deep_table(seed: int, convolutions: int = CONVOLUTIONS) -> FormulaTable:
    """The table of a seed; two dense layers are behind the convolutions."""
    return FormulaTable(convolutions, seed, interacts=True, space=_space(convolutions))


@functools.cache
def _space(convolutions: int) -> SearchSpace:
    kinds = (LayerKind.CONV, LayerKind.DENSE)
    techniques = [
        TableTechnique(f"T{number}", "", kinds, choices(f"T{number}", SETTINGS))
        for number in range(TECHNIQUES)
    ]
    layers = _layers(convolutions)
    model = ModelSpec("deep", layers[0].input_shape, layers)
    return build_space(model, techniques, PRECISIONS)


def _layers(convolutions: int) -> tuple[LayerSpec, ...]:
    widths = [16 * 2 ** (number // _A_STAGE) for number in range(convolutions)]
    extents = [32 >> (number // _A_STAGE) for number in range(convolutions + 1)]
    return stacked_layers(16, widths, extents, (256, 10))
