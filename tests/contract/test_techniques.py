"""The contract of every compression technique, on a network trained on the digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.compress.names import group_of
from adadeep.compress.registry import TECHNIQUES
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.plan import NONE, LayerChoice
from adadeep.core.protocols import Technique
from adadeep.testing.networks import digits, spec_of, trained
from adadeep.testing.techniques import (
    TechniqueKit,
    accuracy,
    initial,
    made,
    outputs_of,
    settings_of,
)
from adadeep.training.recipes.digits import DIGITS as RECIPE

pytestmark = pytest.mark.tf

# What can be compressed in LeNet, so that `applies_to` is checked from both sides.
APPLIES = {
    "none": {"conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc2"},
    "W1f": {"fc1"},
    "W3": {"fc1", "fc2"},
    "L3": {"fc1"},
    "C2": {"conv2"},
    "L1": {"conv2"},
}
REMOVED_BEHIND = {"L3": {"fc2", "flatten"}}
COMPRESSING = [name for name in APPLIES if name != NONE]


class TestTechnique(TechniqueKit):
    @pytest.fixture(params=list(TECHNIQUES))
    def technique(self, request: pytest.FixtureRequest) -> Technique[Any]:
        return TECHNIQUES.get(request.param)

    def test_the_registered_name_is_its_own(self, technique: Technique[Any]) -> None:
        assert TECHNIQUES.get(technique.name) is technique


def test_each_of_our_own_is_below() -> None:
    assert set(APPLIES) == {entry.name for entry in TECHNIQUES.entries if not entry.is_plugin}


@pytest.mark.parametrize("name", APPLIES)
def test_applies_to_the_layers_that_it_is_made_for(name: str) -> None:
    assert {layer for layer, _ in settings_of(TECHNIQUES.get(name))} == APPLIES[name]


@pytest.mark.parametrize("name", APPLIES)
def test_takes_no_other_layers_out_than_it_is_to(name: str) -> None:
    known = {layer.name for layer in initial().layers}
    for layer, choice in settings_of(TECHNIQUES.get(name)):
        network = made(TECHNIQUES.get(name), layer, choice).network
        groups = {group_of(one.name) for one in network.layers} - {"input"}
        assert groups == known - REMOVED_BEHIND.get(name, set())


@pytest.mark.parametrize("name", COMPRESSING)
def test_costs_less(name: str) -> None:
    for layer, choice in settings_of(TECHNIQUES.get(name)):
        spec = spec_of(made(TECHNIQUES.get(name), layer, choice))
        if "threshold" not in dict(choice.parameters):  # an absolute one may find nothing
            assert spec.weights < initial().weights
            assert spec.macs < initial().macs


@pytest.mark.parametrize("name", APPLIES)
def test_of_a_layer_that_is_not_there_those_that_are_are_told(name: str) -> None:
    technique = TECHNIQUES.get(name)
    with pytest.raises(TechniqueNotApplicable, match=r"conv9.*conv1"):
        technique.apply(trained(), "conv9", LayerChoice(name))
    with pytest.raises(TechniqueNotApplicable, match=r"conv9.*conv1"):
        technique.outline(initial(), "conv9", LayerChoice(name))


def compressed(layer: str, choice: LayerChoice) -> Any:
    return made(TECHNIQUES.get(choice.technique), layer, choice).network


def test_svd_of_full_rank_computes_what_the_layer_did() -> None:
    full = LayerChoice("W1f", (("rank_divisor", 1),))
    assert outputs_of(compressed("fc1", full)) == pytest.approx(outputs_of(trained()), abs=1e-4)


def test_svd_has_the_rank_of_the_paper() -> None:
    model = compressed("fc1", LayerChoice("W1f", (("rank_divisor", 12),)))
    assert model.get_layer("fc1__inner").units == 1024 // 12


@pytest.mark.parametrize("layout", ["block", "unstructured"])
def test_pruned_weights_stay_zero_while_the_rest_trains(layout: str) -> None:
    choice = LayerChoice("W3", (("layout", layout), ("sparsity", 0.9)))
    new = TECHNIQUES.get("W3").apply(trained(), "fc1", choice)
    model = new.network
    before = np.asarray(model.get_layer("fc1__pruned").kernel).copy()
    RECIPE.train(new, digits(), 5, 0, RECIPE.base_rate)
    after = np.asarray(model.get_layer("fc1__pruned").kernel).copy()
    assert np.mean(before == 0) == pytest.approx(0.9, abs=0.001)
    assert np.array_equal(before == 0, after == 0)
    assert not np.allclose(before, after, atol=1e-6)


def test_blocks_are_four_neighbours_along_the_input_axis() -> None:
    model = compressed("fc1", LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9))))
    kernel = np.asarray(model.get_layer("fc1__pruned").kernel).copy()
    blocks = (kernel != 0).reshape(-1, 4, kernel.shape[1])
    assert np.array_equal(blocks.any(axis=1), blocks.all(axis=1))


def test_the_papers_threshold_removes_what_is_below_it() -> None:
    choice = LayerChoice("W3", (("layout", "unstructured"), ("threshold", 0.001)))
    initial = np.asarray(trained().get_layer("fc1").kernel).copy()
    pruned = np.asarray(compressed("fc1", choice).get_layer("fc1__pruned").kernel).copy()
    assert np.array_equal(pruned, np.where(np.abs(initial) < 0.001, 0, initial))


@pytest.mark.parametrize(
    "parameters",
    [
        (("sparsity", 0.9), ("threshold", 0.001)),
        (("layout", "block"), ("threshold", 0.001)),
        (("layout", "diagonal"), ("sparsity", 0.9)),
        (("sparsity", 1.0),),
        (),
    ],
)
def test_pruning_refuses_settings_that_contradict(parameters: Any) -> None:
    with pytest.raises(TechniqueNotApplicable, match=r"W3"):
        TECHNIQUES.get("W3").apply(trained(), "fc1", LayerChoice("W3", parameters))


@pytest.mark.parametrize("name", ["C2", "L1", "L3"])
def test_inherited_weights_are_better_than_random_ones(name: str) -> None:
    import keras

    layer, choice = next(settings_of(TECHNIQUES.get(name)))
    model = compressed(layer, choice)
    inherited = accuracy(model)
    random = keras.models.clone_model(model)
    random.set_weights(model.get_weights())
    for one in random.layers:
        if group_of(one.name) == layer and one.name != layer and one.weights:
            kernel = one.weights[0]
            fresh = keras.initializers.GlorotUniform(seed=0)(kernel.shape)
            kernel.assign(fresh)
    assert inherited > accuracy(random) + 0.2


@pytest.mark.parametrize("name", ["C2", "L1", "L3"])
def test_real_samples_make_it_inherit_more(name: str) -> None:
    layer, choice = next(settings_of(TECHNIQUES.get(name)))
    blind = TECHNIQUES.get(name).apply(trained(), layer, choice).network
    assert accuracy(compressed(layer, choice)) > accuracy(blind)


def test_half_the_width_halves_what_the_next_layer_reads() -> None:
    model = compressed("conv2", LayerChoice("C2", (("alpha", 0.5),)))
    assert model.get_layer("conv2__pointwise").filters == 32
    assert model.get_layer("fc1").kernel.shape == (2 * 2 * 32, 1024)
    assert model.get_layer("fc2").kernel.shape == trained().get_layer("fc2").kernel.shape
