"""Whole plans, surgery and descriptions, on untrained networks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adadeep.compress.apply import apply_plan, outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.float32 import FLOAT32
from adadeep.convert.precisions.int8 import INT8
from adadeep.core.compressed import Compressed, LayerHook
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.testing.networks import untrained

pytestmark = pytest.mark.tf

C2_HALF = LayerChoice("C2", (("alpha", 0.5),))
BLOCKS = LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9)))


@pytest.fixture(scope="module")
def small() -> Any:
    from adadeep.training.networks.lenet import LENET

    return LENET.build((8, 8, 1), 10, seed=0)


def spec_of(model: Any) -> Any:
    from adadeep.compress.describe import model_spec

    if isinstance(model, Compressed):
        return model_spec(model.network, hooks=model.hooks)
    return model_spec(model)


def samples(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=shape).astype(np.float32)


def test_lenet_is_the_papers_network() -> None:
    from adadeep.training.networks.lenet import LENET

    spec = spec_of(LENET.build((40, 40, 1), 11, seed=0))
    assert spec.macs == 28_324_864
    assert spec.parameter_storage_bytes / 2**20 == pytest.approx(25.2, abs=0.05)
    names = [layer.name for layer in spec.layers]
    assert names == ["conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc2"]


def test_a_description_holds_what_keras_knows(small: Any) -> None:
    spec = spec_of(small)
    conv2, fc1 = spec.layer("conv2"), spec.layer("fc1")
    assert (conv2.kind, conv2.kernel, conv2.stride) == (LayerKind.CONV, (5, 5), (1, 1))
    assert (conv2.padding, conv2.activation) == ("same", "relu")
    assert (conv2.input_shape, conv2.output_shape) == ((4, 4, 32), (4, 4, 64))
    assert (spec.layer("pool1").kernel, spec.layer("pool1").stride) == ((2, 2), (2, 2))
    assert (fc1.flattened_from, spec.layer("fc2").flattened_from) == ((2, 2, 64), None)
    assert spec.weights == small.count_params()


def test_pruned_weights_count_only_where_they_are_stored_sparse(small: Any) -> None:
    pruned = apply_plan(small, CompressionPlan((("fc1", BLOCKS),)))
    sparse = spec_of(pruned)
    dense = sparse.in_precision(INT8)
    removed = round(0.9 * 256 * 1024)
    assert spec_of(small).weights - sparse.weights == pytest.approx(removed, abs=4)
    assert sparse.in_precision(FLOAT32) == sparse
    assert dense.weights == spec_of(small).weights
    assert dense.parameter_storage_bytes == spec_of(small).parameter_storage_bytes / 4
    assert pruned.stores_sparse
    assert not apply_plan(small, CompressionPlan()).stores_sparse


def test_an_empty_plan_is_an_independent_copy(small: Any) -> None:
    copy = apply_plan(small, CompressionPlan()).network
    x = samples(4, 8, 8, 1)
    assert np.array_equal(np.asarray(copy(x)), np.asarray(small(x)))
    copy.get_layer("fc1").kernel.assign(np.zeros((256, 1024)))
    assert np.any(np.asarray(small.get_layer("fc1").kernel))


def test_techniques_on_all_layers_go_together(small: Any) -> None:
    plan = CompressionPlan((("conv2", C2_HALF), ("fc1", LayerChoice("W1f")), ("fc2", BLOCKS)))
    names = [layer.name for layer in apply_plan(small, plan).network.layers if layer.weights]
    assert names == [
        "conv1", "conv2__depthwise", "conv2__pointwise", "fc1__inner", "fc1__outer", "fc2__pruned",
    ]  # fmt: skip


def test_a_choice_for_a_layer_that_l3_took_out_has_no_effect(small: Any) -> None:
    alone = CompressionPlan((("fc1", LayerChoice("L3")),))
    both = CompressionPlan((("fc1", LayerChoice("L3")), ("fc2", BLOCKS)))
    assert spec_of(apply_plan(small, both)).layers == spec_of(apply_plan(small, alone)).layers


def test_a_plan_for_another_network_is_refused(small: Any) -> None:
    with pytest.raises(TechniqueNotApplicable, match="conv7"):
        apply_plan(small, CompressionPlan((("conv7", C2_HALF),)))


def test_the_same_plan_gives_the_same_weights(small: Any) -> None:
    plan = CompressionPlan((("conv2", LayerChoice("L1")), ("fc1", LayerChoice("W1f"))))
    x = samples(50, 8, 8, 1)
    first, second = (apply_plan(small, plan, x).network for _ in range(2))
    assert all(map(np.array_equal, first.get_weights(), second.get_weights()))


def test_a_sequential_network_is_compressed_too() -> None:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(16, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            layers.Flatten(name="flatten"),
            layers.Dense(5, activation="softmax", name="out"),
        ]
    )
    half = apply_plan(model, CompressionPlan((("conv", C2_HALF),))).network
    assert half.get_layer("norm").gamma.shape == (8,)
    assert half.get_layer("out").kernel.shape == (8 * 8 * 8, 5)
    assert half.output_shape == (None, 5)


def test_dropped_channels_leave_the_others_where_they_were(small: Any) -> None:
    """With the dropped filters and their biases at 0, dropping them changes nothing."""
    from adadeep.compress import surgery

    model = apply_plan(small, CompressionPlan()).network
    conv1 = model.get_layer("conv1")
    kept = np.arange(0, 32, 2)
    kernel = np.asarray(conv1.kernel).copy()
    kernel[..., 1::2] = 0
    conv1.kernel.assign(kernel)

    def build(tensor: Any) -> Any:
        import keras

        layer = keras.layers.Conv2D(16, 5, padding="same", activation="relu", name="conv1__half")
        return surgery.placed(layer, tensor, kernel[..., kept], np.asarray(conv1.bias)[kept])

    narrow = surgery.rebuild(model, {"conv1": surgery.Replacement(build, kept)})
    x = samples(4, 8, 8, 1)
    assert np.asarray(narrow(x)) == pytest.approx(np.asarray(model(x)), abs=1e-6)


def test_channels_are_not_dropped_before_a_sum() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 16))
    branch = layers.Conv2D(16, 3, padding="same", name="conv")(inputs)
    outputs = layers.Flatten()(layers.Add(name="add")([inputs, branch]))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(outputs))
    with pytest.raises(TechniqueNotApplicable, match="'add'"):
        apply_plan(model, CompressionPlan((("conv", C2_HALF),)))
    full = LayerChoice("C2", (("alpha", 1.0),))
    widened = apply_plan(model, CompressionPlan((("conv", full),)))
    assert widened.network.output_shape == (None, 3)


def test_a_description_says_what_each_layer_reads_leaving_out_what_only_trains() -> None:
    spec = spec_of(untrained("with branches"))
    inputs = {layer.name: layer.inputs for layer in spec.layers}
    assert inputs["stem"] == ("",)
    assert inputs["sum"] == ("stem_relu", "side2")
    assert inputs["both"] == ("wide", "deep2")
    assert inputs["fc2"] == ("fc1",)
    assert not {"input", "drop", "back_drop", "fc_drop"} & set(inputs)


def test_the_branches_of_a_network_are_described_one_after_the_other() -> None:
    names = [layer.name for layer in spec_of(untrained("with branches")).layers]
    assert names[:9] == [
        "stem", "stem_norm", "stem_relu", "side1", "side2", "sum", "wide", "deep1", "deep2",
    ]  # fmt: skip


def test_a_dropout_that_is_used_twice_is_looked_through_at_each_place() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8,))
    drop = layers.Dropout(0.5)
    first = layers.Dense(8, name="first")(drop(inputs))
    second = layers.Dense(8, name="second")(drop(first))
    spec = spec_of(keras.Model(inputs, second))
    assert [layer.inputs for layer in spec.layers] == [("",), ("first",)]


def test_what_is_computed_outside_of_layers_is_described_as_layers_are() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8,))
    dense = layers.Dense(8, name="dense")(inputs)
    last = layers.ReLU(name="last")((inputs + dense) / 2)
    spec = spec_of(keras.Model(inputs, last))
    assert [(one.kind, len(one.inputs)) for one in spec.layers] == [
        (LayerKind.DENSE, 1),
        (LayerKind.ADD, 2),
        (LayerKind.ACTIVATION, 1),
        (LayerKind.ACTIVATION, 1),
    ]


def test_channels_are_dropped_through_a_reshape_that_flattens() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((4, 4, 4))
    maps = layers.Conv2D(8, 3, padding="same", name="conv")(inputs)
    for shape, is_taken in (((128,), True), ((16, 8), False)):
        last = layers.Dense(3, name="out")(layers.Reshape(shape, name="shape")(maps))
        model = keras.Model(inputs, last)
        plan = CompressionPlan((("conv", C2_HALF),))
        if is_taken:
            outline = outline_plan(spec_of(model), plan, TECHNIQUES)
            assert outline == spec_of(apply_plan(model, plan))
            assert outline.layer("shape").output_shape == (64,)
        else:
            with pytest.raises(TechniqueNotApplicable, match="'shape'"):
                apply_plan(model, plan)


def test_hooks_are_collected_over_a_plan(small: Any) -> None:
    hooks = apply_plan(small, CompressionPlan((("fc1", BLOCKS), ("fc2", BLOCKS)))).hooks
    assert {name: hook.stores_sparse for name, hook in hooks.items()} == {
        "fc1__pruned": True,
        "fc2__pruned": True,
    }


def test_a_hook_goes_with_its_layer(small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from adadeep.compress import apply

    class Hooking:
        def apply(self, model: Any, *_: Any) -> Compressed[Any]:
            return Compressed(model, {"conv1": LayerHook(), "flatten": LayerHook()})

    techniques = {"H": Hooking(), "L3": TECHNIQUES.get("L3")}
    monkeypatch.setattr(apply, "TECHNIQUES", SimpleNamespace(get=techniques.__getitem__))
    hooking = ("conv2", LayerChoice("H"))
    assert set(apply_plan(small, CompressionPlan((hooking,))).hooks) == {"conv1", "flatten"}
    both = CompressionPlan((hooking, ("fc1", LayerChoice("L3"))))
    assert set(apply_plan(small, both).hooks) == {"conv1"}


def test_a_convolution_that_makes_the_classes_keeps_them_all_in_order() -> None:
    import keras
    from keras import layers

    inputs = keras.Input((8, 8, 16))
    maps = layers.Conv2D(8, 3, padding="same", name="conv")(inputs)
    pooled = layers.GlobalAveragePooling2D()(maps)
    model = keras.Model(inputs, layers.Softmax()(pooled))
    with pytest.raises(TechniqueNotApplicable, match="outputs"):
        apply_plan(model, CompressionPlan((("conv", C2_HALF),)))
    fire = apply_plan(
        model, CompressionPlan((("conv", LayerChoice("L1")),)), samples(40, 8, 8, 16)
    )
    x = samples(20, 8, 8, 16)
    before, after = np.asarray(model(x)), np.asarray(fire.network(x))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.9
