"""Every technique on every kind of network that users bring: applied, described, stored."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from adadeep.compress.apply import apply_plan, outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.testing.techniques import REFUSED, assert_as_outlined, or_refused
from fakes.own_networks import check_choices, offered, outputs, samples, spec, standard
from own.zoo import ZOO

pytestmark = pytest.mark.tf

_POINTS = ("block1_expand", "block1_project", "block2_expand", "block2_project", "last")
_SIDES = ("a1_0", "a1_3", "a2_1", "a2_3", "b1_0", "b1_1", "b1_3")
# Layers that some technique takes, by hand; what is not here every technique refuses.
TAKEN = {
    "transfer": {"stem", *_POINTS},
    "siamese": {"conv2", "embed1"},
    "two_in_two_out": {"conv1", "conv2_pointwise", "conv3", "table1", "table2", "joint"},
    "unet": {"down1a", "down1b", "bottoma", "bottomb", "up1a", "up1b"},
    "cnn1d": {"fc1"},
    "mobilenet_v2": {"stem", *_POINTS},
    "resnet50": {"a1_2", "a2_2", "b1_2", *_SIDES},
}


@pytest.mark.parametrize("name", ZOO)
def test_the_layers_that_are_offered_are_those_that_can_be_compressed(name: str) -> None:
    assert {layer for layer, _ in offered(name)} == TAKEN[name]


@pytest.mark.parametrize("name", ZOO)
def test_what_is_offered_is_made_as_outlined_and_computes(name: str) -> None:
    """One choice of each technique on each layer; `test_zoo_in_full` makes them all."""
    first = {(layer, choice.technique): choice for layer, choice in reversed(offered(name))}
    check_choices(standard(name), spec(name), [(one, c) for (one, _), c in first.items()])


# The others take layers, too, that they would not make smaller.
@pytest.mark.parametrize("technique", ["C2", "L3"])
@pytest.mark.parametrize("name", ZOO)
def test_why_a_layer_can_not_be_compressed_is_said_by_its_name(name: str, technique: str) -> None:
    free = {layer for layer, choice in offered(name) if choice.technique == technique}
    described = spec(name)
    refused = [
        layer.name
        for layer in described.layers
        if layer.weights and layer.repeats is None and layer.name not in free
    ]
    assert refused
    for layer in refused:
        with pytest.raises(TechniqueNotApplicable, match=re.escape(f"'{layer}'")):
            TECHNIQUES.get(technique).outline(described, layer, LayerChoice(technique))


@pytest.mark.parametrize("name", ZOO)
def test_a_plan_of_one_choice_a_layer_is_made_as_outlined_and_loads_without_adadeep(
    name: str, tmp_path: Path
) -> None:
    import keras

    plan = CompressionPlan(tuple({layer: choice for layer, choice in offered(name)}.items()))
    x = samples(standard(name), 24)
    outline = or_refused(lambda: outline_plan(spec(name), plan, TECHNIQUES))
    made = or_refused(lambda: apply_plan(standard(name), plan, x))
    assert_as_outlined(outline, made)
    if made is REFUSED:
        return
    made.network.save(tmp_path / "best.keras")
    again = keras.models.load_model(tmp_path / "best.keras")
    for found, want in zip(outputs(again, x), outputs(made.network, x), strict=True):
        assert found == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("name", ["C2", "L1"])
def test_weights_are_inherited_on_graphs_too(name: str) -> None:
    """A fit to what a layer does beats what its weights alone give; between two sums."""
    technique, model = TECHNIQUES.get(name), standard("resnet50")
    x = samples(model, 60)
    choice = technique.choices(spec("resnet50").layer("a2_2"))[-1]
    (wanted,) = outputs(model, x)
    blind, seeing = (
        np.abs(
            outputs(technique.apply(model, "a2_2", choice, given).network, x)[0] - wanted
        ).mean()
        for given in (None, x)
    )
    assert seeing < 0.5 * blind
