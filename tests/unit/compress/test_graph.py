"""Networks as users bring them, made flat, with norms folded; and what is fed to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.rows import Rows, Several
from fakes.own_networks import flat, given, outputs, samples, standard
from own.zoo import ZOO, shaken

pytestmark = pytest.mark.tf


def tiny(name: str) -> tuple[Any, Any, Any]:
    """A network of the zoo, the same flat, and with norms folded."""
    return given(name), flat(name), standard(name)


def rows(model: Any) -> Rows:
    """Three samples."""
    return samples(model, 3)


@pytest.mark.parametrize("name", ZOO)
def test_flat_and_folded_networks_compute_what_the_one_given_does(name: str) -> None:
    network, flat, folded = tiny(name)
    x = rows(network)
    wanted = outputs(network, x)
    for other in (flat, folded):
        assert [one.shape for one in other.inputs] == [one.shape for one in network.inputs]
        for found, want in zip(outputs(other, x), wanted, strict=True):
            assert np.ptp(want) > 0.01
            assert found == pytest.approx(want, abs=1e-4)


@pytest.mark.parametrize("name", ZOO)
def test_a_flat_network_holds_layers_alone_and_shares_no_weights(name: str) -> None:
    import keras

    network, flat, folded = tiny(name)
    theirs = {id(variable) for variable in network.variables}
    for other in (flat, folded):
        assert not any(isinstance(one, keras.Model) for one in other.operations)
        assert not theirs & {id(variable) for variable in other.variables}
    assert flat.count_params() == network.count_params()


@pytest.mark.parametrize("name", ZOO)
def test_norms_behind_convolutions_are_folded(name: str) -> None:
    from keras import layers

    assert not any(isinstance(one, layers.BatchNormalization) for one in tiny(name)[2].layers)


def test_layers_keep_their_names_and_get_their_networks_where_these_are_taken() -> None:
    import keras
    from keras import layers

    from adadeep.compress.graph import flattened

    image = keras.Input((4,), name="x")
    inner = keras.Model(image, layers.Dense(3, name="dense")(image), name="my net")
    x = keras.Input((4,), name="x")
    y = layers.Dense(4, name="odd__name=1")(x)
    outer = keras.Model(x, layers.Dense(2, name="dense")(inner(y)))
    names = [one.name for one in flattened(outer).operations]
    assert names == ["x", "odd_name_1", "my_net_dense", "dense"]


def test_what_is_called_twice_still_is_with_the_same_weights() -> None:
    from adadeep.compress.walk import calls_of

    flat = tiny("siamese")[2]
    calls = [node.operation.name for node in calls_of(flat)]
    assert calls.count("conv1") == 2
    assert [one.name for one in flat.layers].count("conv1") == 1


def test_a_frozen_backbone_stays_frozen() -> None:
    _, flat, folded = tiny("transfer")
    hidden = {"hidden", "logits"}
    for other in (flat, folded):
        trained = {one.name for one in other.layers if one.trainable_variables}
        assert trained == hidden


def test_inputs_and_outputs_keep_their_names_and_order() -> None:
    from adadeep.compress.graph import inputs_as

    network, _, standard = tiny("two_in_two_out")
    x = rows(network)
    fed = inputs_as(standard, x)
    assert {name: one.shape for name, one in fed.items()} == {
        "image": (3, 12, 12, 3),
        "row": (3, 10),
    }
    given = standard(fed, training=False)
    kind, amount = (np.asarray(given[name]) for name in ("kind", "amount"))
    # Keras sorts what is in a dictionary by name.
    assert [one.shape for one in outputs(standard, x)] == [amount.shape, kind.shape]
    with pytest.raises(ValueError, match="1 arrays for 2 inputs"):
        inputs_as(standard, np.zeros((1, 10)))


def test_arrays_that_belong_together_are_fed_as_a_list_where_the_network_takes_one() -> None:
    from adadeep.compress.graph import inputs_as

    standard = tiny("siamese")[2]
    x = rows(standard)
    assert isinstance(x, Several)
    left, right = inputs_as(standard, x)
    assert left is x.arrays[0]
    assert right is x.arrays[1]


def test_norms_that_something_else_comes_before_stay() -> None:
    import keras
    from keras import layers

    from adadeep.compress.graph import folded

    x = keras.Input((6, 6, 4))
    active = layers.Conv2D(4, 3, padding="same", activation="relu", name="active")(x)
    behind_active = layers.BatchNormalization(name="behind_active")(active)
    both = layers.Conv2D(4, 3, padding="same", name="both")(behind_active)
    behind_both = layers.BatchNormalization(name="behind_both")(both)
    joined = layers.Add(name="joined")([both, behind_both])
    behind_sum = layers.BatchNormalization(name="behind_sum")(joined)
    last = layers.Conv2D(4, 1, name="last")(behind_sum)
    behind_last = layers.BatchNormalization(name="behind_last", center=False)(last)
    model = shaken(keras.Model(x, behind_last))
    after = folded(model)
    names = {one.name for one in after.layers if isinstance(one, layers.BatchNormalization)}
    assert names == {"behind_active", "behind_both", "behind_sum"}
    given = rows(model)
    assert outputs(after, given)[0] == pytest.approx(outputs(model, given)[0], abs=1e-5)


@pytest.mark.parametrize("kind", ["DepthwiseConv2D", "Conv2DTranspose", "Conv2D"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_norm_is_folded_into_any_convolution(kind: str, use_bias: bool) -> None:
    import keras
    from keras import layers

    from adadeep.compress.graph import folded

    settings = {"depth_multiplier": 2} if kind == "DepthwiseConv2D" else {"filters": 6}
    x = keras.Input((5, 5, 3))
    y = getattr(layers, kind)(kernel_size=3, use_bias=use_bias, **settings)(x)
    model = shaken(keras.Model(x, layers.BatchNormalization()(y)))
    after = folded(model)
    assert len(after.layers) == 2
    given = rows(model)
    assert outputs(after, given)[0] == pytest.approx(outputs(model, given)[0], abs=1e-5)


def test_preprocessing_with_a_state_of_its_own_keeps_it() -> None:
    import keras
    from keras import layers

    from adadeep.compress.graph import standard

    norm = layers.Normalization(name="scale")
    norm.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)))
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2)(norm(x)))
    given = rows(model)
    assert outputs(standard(model), given)[0] == pytest.approx(outputs(model, given)[0], abs=1e-6)


def test_a_network_of_half_precision_computes_in_float32() -> None:
    import keras
    from keras import layers

    from adadeep.compress.graph import standard

    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, dtype="mixed_float16")(x))
    assert standard(model).outputs[0].dtype == "float32"


def test_a_network_that_is_no_graph_is_refused() -> None:
    import keras

    from adadeep.compress.graph import flattened

    class Theirs(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ConfigError, match="'theirs' is a Theirs, not a graph of layers"):
        flattened(Theirs(name="theirs"))
    x = keras.Input((4,))
    with pytest.raises(ConfigError, match="layer 'inner' is a network of the class Theirs"):
        flattened(keras.Model(x, Theirs(name="inner")(x)))
