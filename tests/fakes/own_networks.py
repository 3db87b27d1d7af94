"""The tiny networks of the zoo as everything else gets them, and what is tried on them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from adadeep.compress.registry import TECHNIQUES
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import NONE, LayerChoice
from adadeep.core.rows import Rows, each, together
from adadeep.core.space import build_space
from adadeep.testing.networks import spec_of
from adadeep.testing.techniques import assert_as_outlined
from own.zoo import build, shaken


@cache
def given(name: str) -> Any:
    """A tiny network as a user would bring it; nobody may change it."""
    return shaken(build(name, tiny=True))


@cache
def flat(name: str) -> Any:
    """The same, flat."""
    from adadeep.compress.graph import flattened

    return flattened(given(name))


@cache
def standard(name: str) -> Any:
    """The same as everything else gets it: flat, norms folded."""
    from adadeep.compress.graph import folded

    return folded(flat(name))


@cache
def spec(name: str) -> ModelSpec:
    from adadeep.compress.describe import model_spec

    return model_spec(standard(name))


def samples(model: Any, count: int) -> Rows:
    random = np.random.default_rng(0)
    return together(
        random.uniform(0, 1, (count, *one.shape[1:])).astype(np.float32) for one in model.inputs
    )


def outputs(model: Any, x: Rows) -> tuple[np.ndarray, ...]:
    from adadeep.compress.graph import inputs_as, outputs_as

    return each(outputs_as(model, model(inputs_as(model, x), training=False)))


@cache
def offered(name: str) -> tuple[tuple[str, LayerChoice], ...]:
    """Every choice of a tiny network's search space."""
    return choices_of(spec(name))


def choices_of(described: ModelSpec) -> tuple[tuple[str, LayerChoice], ...]:
    """Every choice of a network's search space."""
    techniques = [TECHNIQUES.get(one) for one in TECHNIQUES.usable()]
    space = build_space(described, techniques, ())
    return tuple(
        (point.layer.name, space.actions[number])
        for point in space.points
        if point.layer is not None
        for number in point.options
        if space.actions[number].technique != NONE
    )


def check_choices(
    model: Any, described: ModelSpec, choices: Iterable[tuple[str, LayerChoice]]
) -> None:
    """Each is made as it is outlined, and what is made computes something."""
    x = samples(model, 8)
    before = outputs(model, x)
    for layer, choice in choices:
        technique = TECHNIQUES.get(choice.technique)
        made = technique.apply(model, layer, choice, x)
        assert_as_outlined(technique.outline(described, layer, choice), made)
        assert spec_of(made).weights <= described.weights
        after = outputs(made.network, x)
        assert [one.shape for one in after] == [one.shape for one in before]
        assert all(np.isfinite(one).all() for one in after)
