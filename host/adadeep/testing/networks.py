"""Networks for the kits: LeNet trained on the digits, and some of other shapes, untrained."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from adadeep.core.compressed import Compressed
from adadeep.core.layers import ModelSpec
from adadeep.core.task import Data
from adadeep.training.networks.lenet import LENET
from adadeep.training.recipes.digits import DIGITS as RECIPE


@cache
def digits() -> Data:
    """The data that `trained` was trained on."""
    from adadeep.training.data_sets.digits import DIGITS

    return DIGITS.load()


@cache
def trained() -> Any:
    """LeNet on the digits; nobody may change it."""
    model = LENET.build(digits().input_shape, digits().classes, seed=0)
    RECIPE.train(Compressed(model), digits(), RECIPE.base_steps, 0, RECIPE.base_rate)
    return model


def _lenet(size: int) -> Any:
    return LENET.build((size, size, 1), 10, seed=0)


def _branched() -> Any:
    """A sum, a concatenation, a depthwise convolution, norms, dropouts."""
    import keras
    from keras import layers

    def conv(x: Any, name: str, filters: int, **settings: Any) -> Any:
        settings = {"padding": "same", **settings}
        return layers.Conv2D(filters, 3, name=name, **settings)(x)

    inputs = keras.Input((8, 8, 4), name="input")
    x = conv(inputs, "stem", 8)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_norm")(x))
    side = conv(conv(x, "side1", 8, activation="relu"), "side2", 8)
    x = layers.Add(name="sum")([layers.Dropout(0.1, name="drop")(x), side])
    wide = conv(x, "wide", 6, activation="relu")
    deep = conv(x, "deep1", 12, activation="relu")
    deep = layers.DepthwiseConv2D(3, padding="same", name="deep2")(deep)
    x = layers.Concatenate(name="both")([wide, deep])
    x = conv(x, "back1", 16, strides=2, use_bias=False)
    x = layers.BatchNormalization(name="back_norm", scale=False)(x)
    x = layers.LeakyReLU(name="back_relu")(x)
    x = layers.SpatialDropout2D(0.1, name="back_drop")(x)
    x = layers.AveragePooling2D(2, strides=1, name="back_pool")(x)
    x = conv(x, "back2", 8)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="fc1")(x)
    x = layers.Dropout(0.2, name="fc_drop")(x)
    x = layers.Dense(40, use_bias=False, name="fc2")(x)
    x = layers.Activation("relu", name="fc_relu")(x)
    x = layers.Dense(5, name="fc3")(x)
    return keras.Model(inputs, layers.Softmax(name="softmax")(x), name="branched")


UNTRAINED: dict[str, Callable[[], Any]] = {
    "lenet of 8x8": lambda: _lenet(8),
    "lenet of 28x28": lambda: _lenet(28),
    "with branches": _branched,
}


@cache
def untrained(name: str) -> Any:
    """One of `UNTRAINED`; nobody may change it."""
    return UNTRAINED[name]()


@cache
def untrained_spec(name: str) -> ModelSpec:
    """What one of `UNTRAINED` is."""
    from adadeep.compress.describe import model_spec

    return model_spec(untrained(name))


def spec_of(made: Compressed[Any]) -> ModelSpec:
    """What a compressed network is."""
    from adadeep.compress.describe import model_spec

    return model_spec(made.network, hooks=made.hooks)
