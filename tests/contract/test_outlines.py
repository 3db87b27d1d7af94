"""A plan makes what its outline says, in every field of every layer; see `TechniqueKit`, too."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from adadeep.compress.apply import apply_plan, outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.testing.networks import untrained, untrained_spec
from adadeep.testing.techniques import assert_as_outlined, or_refused
from fakes.lenet_spec import lenet_spec

pytestmark = pytest.mark.tf

PLANS = 18  # of each network


@pytest.mark.parametrize("size", [8, 28])
def test_the_lenet_of_the_tests_is_the_one_that_is_trained(size: int) -> None:
    assert untrained_spec(f"lenet of {size}x{size}") == lenet_spec(size)


def can_be_outlined(model: ModelSpec, layer: str, choice: LayerChoice) -> bool:
    technique = TECHNIQUES.get(choice.technique)
    return isinstance(or_refused(lambda: technique.outline(model, layer, choice)), ModelSpec)


def plans(model: ModelSpec, seed: int) -> Iterator[CompressionPlan]:
    """Random whole plans: mostly of what can be outlined, now and then of any choice."""
    rng = random.Random(seed)
    every = {
        layer.name: [c for t in TECHNIQUES for c in TECHNIQUES.get(t).choices(layer)]
        for layer in model.layers
    }
    known = {
        layer: [choice for choice in choices if can_be_outlined(model, layer, choice)]
        for layer, choices in every.items()
    }
    for _ in range(PLANS):
        choices = every if rng.random() < 0.2 else known
        layers = [layer for layer in choices if rng.random() < 0.6]
        yield CompressionPlan(tuple((layer, rng.choice(choices[layer])) for layer in layers))


@pytest.mark.parametrize("name", ["lenet of 8x8", "with branches"])
def test_a_plan_makes_what_its_outline_says(name: str) -> None:
    outcomes = []
    for plan in plans(untrained_spec(name), seed=1):
        outline = or_refused(lambda: outline_plan(untrained_spec(name), plan, TECHNIQUES))  # noqa: B023
        if outline is not None:
            made = or_refused(lambda: apply_plan(untrained(name), plan))  # noqa: B023
            assert_as_outlined(outline, made)
        outcomes.append(outline)
    assert sum(isinstance(outcome, ModelSpec) for outcome in outcomes) >= PLANS / 2
