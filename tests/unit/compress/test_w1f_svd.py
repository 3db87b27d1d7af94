"""W1f beyond LeNet: convolutions of 1x1, of images and of series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.compress.w1f_svd import W1F
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.plan import LayerChoice
from adadeep.testing.networks import spec_of
from fakes.lenet_spec import lenet_spec

pytestmark = pytest.mark.tf

HALF = LayerChoice("W1f", (("rank_divisor", 2),))
FULL = LayerChoice("W1f", (("rank_divisor", 1),))


def point(inputs: int, outputs: int, kernel: int = 1, groups: int = 1) -> LayerSpec:
    return LayerSpec(
        "point", LayerKind.CONV, (6, 6, inputs), (6, 6, outputs), (kernel, kernel), (1, 1),
        weights=inputs * outputs // groups * kernel**2 + outputs, groups=groups,
    )  # fmt: skip


def divisors(layer: LayerSpec) -> list[Any]:
    return [dict(choice.parameters)["rank_divisor"] for choice in W1F.choices(layer)]


@pytest.mark.parametrize(
    ("layer", "offered"),
    [
        (point(24, 144), [2, 4]),  # 3 of 24 would be too few
        (point(144, 24), [2, 4]),
        (point(64, 256), [2, 4, 8]),
        (point(64, 64), [4, 8]),  # half of them saves nothing
        (point(64, 96), [2, 4, 8]),  # 83 % stay
        (point(64, 88), [4, 8]),  # 86 % would
        (point(64, 64, kernel=3), []),
        (point(64, 64, groups=2), []),
        (point(6, 6), []),
    ],
)
def test_a_point_convolution_is_offered_what_saves_and_leaves_a_sensible_rank(
    layer: LayerSpec, offered: list[int]
) -> None:
    assert divisors(layer) == offered
    assert W1F.applies_to(layer) == bool(offered)


def test_dense_layers_are_offered_what_they_always_were() -> None:
    """Runs of networks without 1x1 convolutions go on: the actions are in their space's key."""
    assert divisors(lenet_spec(28).layer("fc1")) == [12, 6, 24]


def network(kind: str, **settings: Any) -> Any:
    """A 1x1 convolution of a map whose channels are alike, and its head."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    inputs = keras.Input((9, 7, 5) if kind == "2D" else (12, 5), name="x")
    conv, pool = getattr(layers, f"Conv{kind}"), getattr(layers, f"GlobalAveragePooling{kind}")
    x = conv(16, 3, activation="relu", name="before")(inputs)
    x = conv(24, 1, activation="relu", bias_initializer="normal", name="point", **settings)(x)
    return keras.Model(inputs, layers.Dense(3, name="head")(pool(name="pool")(x)))


def outputs(model: Any, x: Any) -> Any:
    return np.asarray(model(x, training=False))


def samples(model: Any, count: int = 40) -> Any:
    return np.random.default_rng(1).uniform(size=(count, *model.input_shape[1:])).astype("float32")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("2D", {}),
        ("2D", {"strides": 2, "padding": "same"}),
        ("2D", {"strides": (2, 1)}),
        ("2D", {"dilation_rate": 2, "use_bias": False}),
        ("1D", {}),
        ("1D", {"strides": 3, "padding": "causal"}),
    ],
)
def test_it_is_made_as_outlined_and_at_full_rank_computes_the_same(
    kind: str, settings: Any
) -> None:
    from adadeep.compress.describe import model_spec

    model = network(kind, **settings)
    x, spec = samples(model), model_spec(model)
    for given in (None, x):
        made = W1F.apply(model, "point", FULL, given)
        assert spec_of(made) == W1F.outline(spec, "point", FULL)
        assert outputs(made.network, x) == pytest.approx(outputs(model, x), abs=1e-4)
        half = W1F.apply(model, "point", HALF, given)
        assert spec_of(half) == W1F.outline(spec, "point", HALF)
        assert half.network.get_layer("point__inner").filters == 8
        assert spec_of(half).macs < spec.macs


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", ["2D", "1D"])
def test_what_samples_show_is_kept_better_than_what_weights_alone_tell(
    kind: str, use_bias: bool
) -> None:
    model = network(kind, use_bias=use_bias)
    x = samples(model)
    wanted = outputs(model, x)
    blind, seeing = (
        np.abs(outputs(W1F.apply(model, "point", HALF, given).network, x) - wanted).mean()
        for given in (None, x)
    )
    assert seeing < 0.7 * blind


def test_a_dense_layer_of_more_inputs_than_samples_show_is_left_to_its_weights() -> None:
    """So LeNet's plans are what they were: 500 samples do not tell 3,136 inputs."""
    model = network("2D")
    few, many = samples(model, 47), samples(model, 48)  # 24 inputs, twice as many samples

    def kernel(given: Any) -> Any:
        return np.asarray(
            W1F.apply(model, "head", FULL, given).network.get_layer("head__inner").kernel
        )

    assert np.array_equal(kernel(few), kernel(None))
    assert not np.array_equal(kernel(many), kernel(None))


def test_a_layer_that_is_called_twice_is_fitted_to_both_calls() -> None:
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    one, other = keras.Input((6, 6, 16)), keras.Input((6, 6, 16))
    shared = layers.Conv2D(24, 1, name="shared")
    model = keras.Model([one, other], layers.Add(name="sum")([shared(one), shared(other)]))
    random = np.random.default_rng(2)
    # Each input lives in other 4 channels of the 16.
    x = [np.zeros((30, 6, 6, 16), np.float32) for _ in range(2)]
    x[0][..., :4], x[1][..., 8:12] = random.normal(size=(2, 30, 6, 6, 4))
    made = W1F.apply(model, "shared", HALF, _together(x)).network
    assert [one.name for one in made.layers].count("shared__inner") == 1
    assert outputs(made, x) == pytest.approx(outputs(model, x), abs=0.02)


def _together(arrays: Any) -> Any:
    from adadeep.core.rows import together

    return together(iter(arrays))
