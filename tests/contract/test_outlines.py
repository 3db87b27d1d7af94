"""What a technique says that it will make is what it makes, in every field of every layer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from adadeep.compress.apply import apply_plan, outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.compressed import Compressed
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from fakes.keras_networks import branched
from fakes.lenet_spec import lenet_spec

pytestmark = pytest.mark.tf

REFUSED = "refused"
PLANS = 18  # of each network


def lenet(size: int) -> Any:
    from adadeep.training.networks import lenet

    return lenet((size, size, 1), 10, seed=0)


NETWORKS: dict[str, Callable[[], Any]] = {
    "lenet of 8x8": lambda: lenet(8),
    "lenet of 28x28": lambda: lenet(28),
    "with branches": branched,
}


@cache
def network(name: str) -> Any:
    return NETWORKS[name]()


@cache
def spec(name: str) -> ModelSpec:
    from adadeep.compress.describe import model_spec

    return model_spec(network(name))


def spec_of(made: Compressed[Any]) -> ModelSpec:
    from adadeep.compress.describe import model_spec

    return model_spec(made.network, hooks=made.hooks)


def or_refused(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except TechniqueNotApplicable:
        return REFUSED


def tried(technique: str, layer: LayerSpec) -> Iterator[LayerChoice]:
    """All choices that there are, or what no layer without any takes; and a wrong one."""
    choices = TECHNIQUES.get(technique).choices(layer)
    yield from choices or [LayerChoice(technique)]
    yield LayerChoice(technique, (("depth", 2),))


def outline_of(model: ModelSpec, layer: str, choice: LayerChoice) -> Any:
    return or_refused(lambda: TECHNIQUES.get(choice.technique).outline(model, layer, choice))


def assert_as_outlined(outline: Any, made: Any) -> None:
    if outline == REFUSED or made == REFUSED:
        assert outline == made
    elif outline is not None:
        assert outline.layers == spec_of(made).layers
        assert outline == spec_of(made)


@pytest.mark.parametrize("size", [8, 28])
def test_the_lenet_of_the_tests_is_the_one_that_is_trained(size: int) -> None:
    assert spec(f"lenet of {size}x{size}") == lenet_spec(size)


@pytest.mark.parametrize("technique", list(TECHNIQUES))
@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_technique_makes_what_it_outlines_and_refuses_what_it_refuses(
    technique: str, name: str
) -> None:
    one, compared = TECHNIQUES.get(technique), 0
    for layer in spec(name).layers:
        for choice in tried(technique, layer):
            outline = outline_of(spec(name), layer.name, choice)
            made = or_refused(lambda: one.apply(network(name), layer.name, choice))  # noqa: B023
            assert_as_outlined(outline, made)
            compared += isinstance(outline, ModelSpec)
    assert compared


@pytest.mark.parametrize("technique", list(TECHNIQUES))
def test_a_layer_that_is_not_there_is_named(technique: str) -> None:
    with pytest.raises(TechniqueNotApplicable, match=r"conv9.*conv1"):
        TECHNIQUES.get(technique).outline(spec("lenet of 8x8"), "conv9", LayerChoice(technique))


def plans(name: str, seed: int) -> Iterator[CompressionPlan]:
    """Random whole plans: mostly of what can be outlined, now and then of any choice."""
    rng = random.Random(seed)
    model = spec(name)
    every = {
        layer.name: [c for t in TECHNIQUES for c in TECHNIQUES.get(t).choices(layer)]
        for layer in model.layers
    }
    known = {
        layer: [c for c in choices if isinstance(outline_of(model, layer, c), ModelSpec)]
        for layer, choices in every.items()
    }
    for _ in range(PLANS):
        choices = every if rng.random() < 0.2 else known
        layers = [layer for layer in choices if rng.random() < 0.6]
        yield CompressionPlan(tuple((layer, rng.choice(choices[layer])) for layer in layers))


@pytest.mark.parametrize("name", ["lenet of 8x8", "with branches"])
def test_a_plan_makes_what_its_outline_says(name: str) -> None:
    outcomes = []
    for plan in plans(name, seed=1):
        outline = or_refused(lambda: outline_plan(spec(name), plan, TECHNIQUES))  # noqa: B023
        if outline is not None:
            assert_as_outlined(outline, or_refused(lambda: apply_plan(network(name), plan)))  # noqa: B023
        outcomes.append(outline)
    assert sum(isinstance(outcome, ModelSpec) for outcome in outcomes) >= PLANS / 2
