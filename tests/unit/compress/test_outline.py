"""Outlines of networks that are not made; that they are right is for tests/contract."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adadeep.compress.apply import outline_plan
from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.int8 import INT8
from adadeep.core.compressed import LayerHook
from adadeep.core.errors import ConfigError, TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from fakes.lenet_spec import lenet_spec

LENET = lenet_spec()
HALF = LayerChoice("C2", (("alpha", 0.5),))
BLOCKS = LayerChoice("W3", (("layout", "block"), ("sparsity", 0.9)))
THRESHOLD = LayerChoice("W3", (("layout", "unstructured"), ("threshold", 0.001)))
TESTS = Path(__file__).parents[2]


def outline(*choices):
    return outline_plan(LENET, CompressionPlan(choices), TECHNIQUES)


def names(model):
    return [layer.name for layer in model.layers]


def chain(*layers):
    """Layers that each read the one before."""
    sources = ("", *(layer.name for layer in layers))
    specs = [replace(one, inputs=(name,)) for one, name in zip(layers, sources, strict=False)]
    return ModelSpec("chain", specs[0].input_shape, tuple(specs))


def layer(name, kind, before, after, **fields):
    return LayerSpec(name, kind, before, after, **fields)


def test_an_empty_plan_leaves_the_network_as_it_is():
    assert outline() == LENET


def test_fewer_channels_reach_the_next_layer_that_mixes_them():
    new = outline(("conv2", HALF))
    assert new.layer("pool2").output_shape == (2, 2, 32)
    assert new.layer("flatten").output_shape == (128,)
    fc1 = new.layer("fc1")
    assert (fc1.input_shape, fc1.output_shape) == ((128,), (1024,))
    assert (fc1.weights, fc1.flattened_from) == (128 * 1024 + 1024, (2, 2, 32))
    assert new.layer("fc2") == LENET.layer("fc2")
    assert new.layer("pool2").inputs == ("conv2__pointwise",)


def test_what_is_stored_sparse_counts_only_in_a_precision_that_stores_it():
    sparse = outline(("fc1", BLOCKS))
    dense = sparse.in_precision(INT8)
    assert sparse.weights == LENET.weights - 4 * round(0.9 * 256 * 1024 / 4)
    assert dense.weights == LENET.weights
    assert dense.parameter_storage_bytes == LENET.weights
    assert dense.activation_storage_bytes == LENET.activation_storage_bytes / 4
    assert {one.weight_bits for one in sparse.layers} == {32}


def test_a_kernel_with_few_zeros_is_not_stored_sparse():
    few = LayerChoice("W3", (("layout", "unstructured"), ("sparsity", 0.3)))
    assert outline(("fc1", few)).weights == LENET.weights
    with pytest.raises(ValueError, match="needs a mask"):
        LayerHook(stores_sparse=True)


def test_what_the_weights_decide_is_not_known_beforehand():
    assert outline(("fc1", THRESHOLD)) is None
    assert outline(("conv2", HALF), ("fc1", THRESHOLD), ("fc2", BLOCKS)) is None


def test_a_choice_for_a_layer_that_an_earlier_one_took_out_has_no_effect():
    alone = outline(("fc1", LayerChoice("L3")))
    assert outline(("fc1", LayerChoice("L3")), ("fc2", BLOCKS)) == alone
    assert names(alone)[4:] == ["fc1__classes", "fc1__pool", "fc1__softmax"]
    assert alone.layer("fc1__classes").inputs == ("pool2",)


def test_choices_are_taken_from_the_input_to_the_output():
    new = outline(("fc1", LayerChoice("W1f")), ("conv2", HALF))
    assert new.layer("fc1__inner").weights == 128 * (1024 // 12)


def test_unknown_layers_and_techniques_are_refused_even_behind_what_is_taken_out():
    with pytest.raises(TechniqueNotApplicable, match="conv7"):
        outline(("conv7", HALF), ("fc1", LayerChoice("L3")))
    with pytest.raises(ConfigError, match="W9"):
        outline(("fc1", LayerChoice("L3")), ("fc2", LayerChoice("W9")))


CONV = layer("conv", LayerKind.CONV, (8, 8, 4), (8, 8, 16), kernel=(3, 3), stride=(1, 1),
             padding="same", weights=592, nonzero_weights=592)  # fmt: skip
MAPS = (8, 8, 16)


@pytest.mark.parametrize(
    "needs_all",
    [
        layer("odd", LayerKind.DEPTHWISE, MAPS, (8, 8, 32), kernel=(3, 3), weights=320),
        layer("odd", LayerKind.RESHAPE, MAPS, (64, 16)),
        layer("odd", LayerKind.OTHER, MAPS, MAPS),
        layer("odd", LayerKind.CONV, MAPS, MAPS, kernel=(1, 1), weights=128, groups=2),
    ],
    ids=lambda one: str(one.kind),
)
def test_channels_are_not_dropped_before_a_layer_that_needs_them_all(needs_all):
    dense = layer("fc", LayerKind.DENSE, (1024,), (3,), weights=3075)
    model = chain(CONV, needs_all, dense)
    with pytest.raises(TechniqueNotApplicable, match=r"'odd'.*needs every channel"):
        TECHNIQUES.get("C2").outline(model, "conv", HALF)
    new = TECHNIQUES.get("L1").outline(model, "conv", LayerChoice("L1"))
    assert new.layer("odd") == replace(needs_all, inputs=("conv__concat",))


def test_the_channels_that_are_the_classes_are_not_dropped():
    pool = layer("pool", LayerKind.GLOBAL_POOL, MAPS, (16,))
    with pytest.raises(TechniqueNotApplicable, match="outputs"):
        TECHNIQUES.get("C2").outline(chain(CONV, pool), "conv", HALF)
    new = TECHNIQUES.get("L1").outline(chain(CONV, pool), "conv", LayerChoice("L1"))
    assert new.layer("pool").output_shape == (16,)


def test_a_depthwise_convolution_has_its_weights_by_channel():
    deep = layer("deep", LayerKind.DEPTHWISE, MAPS, MAPS, kernel=(3, 3), weights=160)
    last = layer("last", LayerKind.CONV, MAPS, (8, 8, 2), kernel=(1, 1), weights=34)
    new = TECHNIQUES.get("C2").outline(chain(CONV, deep, last), "conv", HALF)
    assert (new.layer("deep").output_shape, new.layer("deep").weights) == ((8, 8, 8), 80)
    assert new.layer("last").weights == 18


def test_a_concatenation_is_narrower_by_what_one_of_its_parts_lost():
    both = layer("both", LayerKind.CONCAT, MAPS, (8, 8, 20))
    last = layer("last", LayerKind.CONV, (8, 8, 20), (8, 8, 2), kernel=(1, 1), weights=42)
    both = replace(both, inputs=("conv", ""))
    model = ModelSpec(
        "m", (8, 8, 4), (replace(CONV, inputs=("",)), both, replace(last, inputs=("both",)))
    )
    new = TECHNIQUES.get("C2").outline(model, "conv", HALF)
    assert new.layer("both").output_shape == (8, 8, 12)
    assert new.layer("last").weights == 26


def test_sums_take_fewer_channels_where_all_that_they_add_have_the_same():
    act = layer("act", LayerKind.ACTIVATION, MAPS, MAPS, activation="sigmoid")
    swish = replace(layer("swish", LayerKind.ADD, MAPS, MAPS), inputs=("conv", "act"))
    last = layer("last", LayerKind.CONV, MAPS, (8, 8, 2), kernel=(1, 1), weights=34)
    front = (replace(CONV, inputs=("",)), replace(act, inputs=("conv",)))
    model = ModelSpec("m", (8, 8, 4), (*front, swish, replace(last, inputs=("swish",))))
    new = TECHNIQUES.get("C2").outline(model, "conv", HALF)
    assert new.layer("swish").output_shape == (8, 8, 8)
    tied = replace(swish, inputs=("act", ""))
    model = replace(model, layers=(*front, tied, replace(last, inputs=("swish",))))
    with pytest.raises(TechniqueNotApplicable, match="'swish'"):
        TECHNIQUES.get("C2").outline(model, "conv", HALF)


def test_a_layer_is_replaced_in_all_of_its_calls():
    again = replace(CONV, name="conv@2", repeats="conv", inputs=("",))
    both = replace(layer("both", LayerKind.ADD, MAPS, MAPS), inputs=("conv", "conv@2"))
    last = layer("last", LayerKind.CONV, MAPS, (8, 8, 2), kernel=(1, 1), weights=34)
    front = (replace(CONV, inputs=("",)), again, both)
    model = ModelSpec("m", (8, 8, 4), (*front, replace(last, inputs=("both",))))
    new = TECHNIQUES.get("C2").outline(model, "conv", HALF)
    assert names(new) == [
        "conv__depthwise", "conv__pointwise", "conv__depthwise@2", "conv__pointwise@2", "both",
        "last",
    ]  # fmt: skip
    assert new.layer("both").inputs == ("conv__pointwise", "conv__pointwise@2")
    assert new.layer("conv__pointwise@2").inputs == ("conv__depthwise@2",)
    assert new.layer("both").output_shape == (8, 8, 8)
    with pytest.raises(TechniqueNotApplicable, match=r"'conv@2' is another call of layer 'conv'"):
        TECHNIQUES.get("C2").outline(model, "conv@2", HALF)
    sizes = replace(again, input_shape=(6, 6, 4), output_shape=(6, 6, 16))
    with pytest.raises(TechniqueNotApplicable, match="several sizes"):
        TECHNIQUES.get("C2").outline(
            replace(model, layers=(front[0], sizes, both, model.layers[-1])), "conv", HALF
        )


def test_a_norm_has_its_weights_by_channel():
    norm = layer("norm", LayerKind.BATCH_NORM, MAPS, MAPS, weights=64, nonzero_weights=64)
    last = layer("last", LayerKind.CONV, MAPS, (8, 8, 2), kernel=(1, 1), weights=34)
    new = TECHNIQUES.get("C2").outline(chain(CONV, norm, last), "conv", HALF)
    assert (new.layer("norm").output_shape, new.layer("norm").weights) == ((8, 8, 8), 32)
    assert new.layer("last").weights == 18


def test_channels_pass_what_is_known_to_keep_them():
    pad = layer("pad", LayerKind.OTHER, MAPS, (10, 10, 16), keeps_channels=True)
    last = layer("last", LayerKind.CONV, (10, 10, 16), (8, 8, 2), kernel=(3, 3), weights=290)
    new = TECHNIQUES.get("C2").outline(chain(CONV, pad, last), "conv", HALF)
    assert new.layer("pad").output_shape == (10, 10, 8)
    assert new.layer("last").weights == 146


def test_l3_takes_no_flattening_that_another_layer_reads():
    other = replace(LENET.layer("fc2"), name="other", input_shape=(256,), inputs=("flatten",))
    model = replace(LENET, layers=(*LENET.layers[:5], other, *LENET.layers[5:]))
    with pytest.raises(TechniqueNotApplicable, match="'other' is behind 'fc1'"):
        TECHNIQUES.get("L3").outline(model, "fc1", LayerChoice("L3"))


def test_l3_takes_only_dense_layers_in_a_row():
    sum_ = layer("sum", LayerKind.ADD, (10,), (10,), inputs=("fc2", "fc2"))
    model = replace(LENET, layers=(*LENET.layers, sum_))
    with pytest.raises(TechniqueNotApplicable, match="'sum' is behind 'fc1'"):
        TECHNIQUES.get("L3").outline(model, "fc1", LayerChoice("L3"))


def test_a_convolution_with_uneven_strides_does_not_become_a_depthwise_one():
    assert TECHNIQUES.get("C2").choices(CONV)
    assert not TECHNIQUES.get("C2").choices(replace(CONV, stride=(2, 1)))


def test_every_technique_outlines_without_tensorflow():
    code = (
        "import sys\n"
        "from adadeep.compress.apply import outline_plan\n"
        "from adadeep.compress.registry import TECHNIQUES\n"
        "from adadeep.core.plan import CompressionPlan\n"
        "from fakes.lenet_spec import lenet_spec\n"
        "model = lenet_spec()\n"
        "for name in TECHNIQUES:\n"
        "    technique = TECHNIQUES.get(name)\n"
        "    every = ((layer.name, technique.choices(layer)) for layer in model.layers)\n"
        "    choices = [(name, choice) for name, some in every for choice in some]\n"
        "    assert choices\n"
        "    for choice in choices:\n"
        "        outline_plan(model, CompressionPlan((choice,)), TECHNIQUES)\n"
        "    technique.outline(model, *choices[0])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TESTS)
