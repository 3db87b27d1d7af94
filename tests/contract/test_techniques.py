"""The contract of every compression technique, on a network trained on the digits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from adadeep.compress.apply import apply_plan, needs_training
from adadeep.compress.names import group_of
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.core.compressed import Compressed
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerSpec
from adadeep.core.plan import NONE, CompressionPlan, LayerChoice
from adadeep.core.protocols import Technique

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
COMPRESSING = [name for name in TECHNIQUES if name != NONE]


@cache
def digits() -> Any:
    from adadeep.training.tasks import load_task

    return load_task("digits")


@cache
def trained() -> Any:
    from adadeep.training.fit import train
    from adadeep.training.networks import lenet

    model = lenet(digits().input_shape, digits().classes, seed=0)
    train(model, digits(), digits().base_steps, seed=0)
    return model


@cache
def made(layer: str, choice: LayerChoice) -> Compressed[Any]:
    samples = digits().x_train[:200]
    return apply_plan(trained(), CompressionPlan(((layer, choice),)), samples)


def compressed(layer: str, choice: LayerChoice) -> Any:
    return made(layer, choice).network


@cache
def layers() -> tuple[LayerSpec, ...]:
    from adadeep.compress.describe import model_spec

    return model_spec(trained()).layers


def settings_of(name: str) -> Iterator[tuple[str, LayerChoice]]:
    for layer in layers():
        for choice in TECHNIQUES.get(name).choices(layer):
            yield layer.name, choice


def weights_of(model: Any) -> list[np.ndarray]:
    return [np.array(weight) for weight in model.get_weights()]


def outputs_of(model: Any) -> np.ndarray:
    return np.asarray(model(digits().x_val[:50], training=False))


@pytest.fixture(params=list(TECHNIQUES))
def technique(request: pytest.FixtureRequest) -> Technique[Any]:
    return TECHNIQUES.get(request.param)


def test_the_registered_name_is_the_techniques_own(technique: Technique[Any]) -> None:
    assert TECHNIQUES.get(technique.name) is technique
    assert technique.title


def test_applies_exactly_where_it_offers_choices(technique: Technique[Any]) -> None:
    offered = {layer.name for layer in layers() if technique.choices(layer)}
    assert offered == {layer.name for layer in layers() if technique.applies_to(layer)}
    assert offered == APPLIES[technique.name]


def test_every_choice_names_its_technique_and_is_offered_once(technique: Technique[Any]) -> None:
    for layer in layers():
        choices = technique.choices(layer)
        assert all(choice.technique == technique.name for choice in choices)
        assert len(set(choices)) == len(choices)


def test_input_and_output_keep_their_shape(technique: Technique[Any]) -> None:
    for layer, choice in settings_of(technique.name):
        model = compressed(layer, choice)
        assert model.input_shape == trained().input_shape
        assert model.output_shape == trained().output_shape


def test_the_initial_network_is_left_as_it_is(technique: Technique[Any]) -> None:
    before, config = weights_of(trained()), trained().to_json()
    for layer, choice in settings_of(technique.name):
        model = technique.apply(trained(), layer, choice).network
        for variable in model.trainable_variables:
            variable.assign(variable + 1.0)
    assert trained().to_json() == config
    assert all(map(np.array_equal, before, weights_of(trained())))


def test_new_layers_say_which_layer_they_came_from(technique: Technique[Any]) -> None:
    initial = {layer.name for layer in layers()}
    for layer, choice in settings_of(technique.name):
        names = {one.name for one in compressed(layer, choice).layers} - {"input"}
        assert {group_of(name) for name in names} == initial - REMOVED_BEHIND.get(
            technique.name, set()
        )


@pytest.mark.parametrize("name", COMPRESSING)
def test_costs_less(name: str) -> None:
    from adadeep.compress.describe import model_spec

    initial = model_spec(trained())
    for layer, choice in settings_of(name):
        spec = model_spec(compressed(layer, choice), hooks=made(layer, choice).hooks)
        assert spec.weights <= initial.weights
        assert spec.macs <= initial.macs
        if "threshold" not in dict(choice.parameters):  # an absolute one may find nothing
            assert spec.weights < initial.weights
            assert spec.macs < initial.macs


def test_unknown_parameters_are_refused(technique: Technique[Any]) -> None:
    layer = min(APPLIES[technique.name])
    with pytest.raises(TechniqueNotApplicable, match="depth"):
        technique.apply(trained(), layer, LayerChoice(technique.name, (("depth", 2),)))


@pytest.mark.parametrize("name", COMPRESSING)
def test_a_layer_of_another_kind_is_refused(name: str) -> None:
    for layer in {"pool1", "flatten"} - APPLIES[name]:
        with pytest.raises(TechniqueNotApplicable, match=layer):
            TECHNIQUES.get(name).apply(trained(), layer, LayerChoice(name))


def test_a_layer_that_is_not_there_is_named(technique: Technique[Any]) -> None:
    with pytest.raises(TechniqueNotApplicable, match=r"conv9.*conv1"):
        technique.apply(trained(), "conv9", LayerChoice(technique.name))


def test_converts_and_computes_the_same_as_keras(technique: Technique[Any]) -> None:
    from adadeep.convert.tflite import convert
    from adadeep.convert.verify import agreement, run_tflite

    layer, choice = list(settings_of(technique.name))[-1]
    model = compressed(layer, choice)
    tflite = convert(model, FLOAT32, None, made(layer, choice).stores_sparse)
    outputs = run_tflite(tflite, digits().x_val[:50])
    assert np.isfinite(outputs).all()
    assert agreement(outputs, outputs_of(model)).max_abs_difference < 1e-4


@pytest.mark.parametrize("name", COMPRESSING)
def test_is_accurate_after_a_short_fine_tuning(name: str) -> None:
    from adadeep.training.fit import FINE_TUNING_RATE, accuracy, train

    layer, choice = next(iter(settings_of(name)))
    plan = CompressionPlan(((layer, choice),))
    new = apply_plan(trained(), plan, digits().x_train[:200])
    steps = digits().fine_tune_steps * needs_training(plan)
    train(new.network, digits(), steps, 1, FINE_TUNING_RATE, new.hooks)
    assert accuracy(new.network, digits().x_val, digits().y_val) > 0.8


def test_svd_of_full_rank_computes_what_the_layer_did() -> None:
    full = LayerChoice("W1f", (("rank_divisor", 1),))
    assert outputs_of(compressed("fc1", full)) == pytest.approx(outputs_of(trained()), abs=1e-4)


def test_svd_has_the_rank_of_the_paper() -> None:
    model = compressed("fc1", LayerChoice("W1f", (("rank_divisor", 12),)))
    assert model.get_layer("fc1__inner").units == 1024 // 12


def test_what_a_hook_does_not_keep_is_zero_and_stays_so(technique: Technique[Any]) -> None:
    from adadeep.training.fit import train

    last = dict(settings_of(technique.name))  # of each layer; training takes its time
    for layer, choice in settings_of(technique.name):
        new = technique.apply(trained(), layer, choice)
        assert set(new.hooks) <= {one.name for one in new.network.layers}
        if new.hooks and choice == last[layer]:
            train(new.network, digits(), 2, seed=0, hooks=new.hooks)
        for name, hook in new.hooks.items():
            kernel = np.asarray(new.network.get_layer(name).kernel)
            assert hook.kept is None or not kernel[~hook.kept].any()


@pytest.mark.parametrize("layout", ["block", "unstructured"])
def test_pruned_weights_stay_zero_while_the_rest_trains(layout: str) -> None:
    from adadeep.training.fit import train

    choice = LayerChoice("W3", (("layout", layout), ("sparsity", 0.9)))
    new = apply_plan(trained(), CompressionPlan((("fc1", choice),)))
    model = new.network
    before = np.asarray(model.get_layer("fc1__pruned").kernel).copy()
    train(model, digits(), 5, seed=0, hooks=new.hooks)
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

    from adadeep.training.fit import accuracy

    x, y = digits().x_val, digits().y_val
    layer, choice = next(iter(settings_of(name)))
    model = compressed(layer, choice)
    inherited = accuracy(model, x, y)
    random = keras.models.clone_model(model)
    random.set_weights(model.get_weights())
    for one in random.layers:
        if group_of(one.name) == layer and one.name != layer and one.weights:
            kernel = one.weights[0]
            fresh = keras.initializers.GlorotUniform(seed=0)(kernel.shape)
            kernel.assign(fresh)
    assert inherited > accuracy(random, x, y) + 0.2


@pytest.mark.parametrize("name", ["C2", "L1", "L3"])
def test_real_samples_make_it_inherit_more(name: str) -> None:
    from adadeep.training.fit import accuracy

    layer, choice = next(iter(settings_of(name)))
    blind = apply_plan(trained(), CompressionPlan(((layer, choice),))).network
    x, y = digits().x_val, digits().y_val
    assert accuracy(compressed(layer, choice), x, y) > accuracy(blind, x, y)


def test_half_the_width_halves_what_the_next_layer_reads() -> None:
    model = compressed("conv2", LayerChoice("C2", (("alpha", 0.5),)))
    assert model.get_layer("conv2__pointwise").filters == 32
    assert model.get_layer("fc1").kernel.shape == (2 * 2 * 32, 1024)
    assert model.get_layer("fc2").kernel.shape == trained().get_layer("fc2").kernel.shape
