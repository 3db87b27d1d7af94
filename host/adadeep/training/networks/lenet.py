"""lenet: LeNet as section 5.3.3 counts it: C = 28,324,864 for (40, 40, 1) and 11 classes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from adadeep.core.errors import ConfigError

if TYPE_CHECKING:
    import keras


class LeNet:
    """Two convolutions of 5x5, each with pooling, and two dense layers, the last one a softmax."""

    name = "lenet"
    title = "LeNet"

    def build(self, input_shape: tuple[int, ...], classes: int, seed: int) -> keras.Model:
        """Untrained.

        Args:
            input_shape: (height, width, channels), at least 4x4.
            classes: outputs of the softmax.
            seed: of the weights.

        Raises:
            ConfigError: the input is no image, or too small.
        """
        if len(input_shape) != 3 or min(input_shape[:2]) < 4:
            raise ConfigError(
                f"LeNet takes images of 4x4 pixels and more, not {input_shape}; choose another"
                " network for this task."
            )
        return _lenet(input_shape, classes, seed)


def _lenet(input_shape: tuple[int, ...], classes: int, seed: int) -> keras.Model:
    import keras
    from keras import layers

    seeds = count(seed * 1000)

    def initial() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    inputs = keras.Input(input_shape, name="input")
    x = inputs
    for number, filters in ((1, 32), (2, 64)):
        x = layers.Conv2D(
            filters, 5, padding="same", activation="relu",
            kernel_initializer=initial(), name=f"conv{number}",
        )(x)  # fmt: skip
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(1024, activation="relu", kernel_initializer=initial(), name="fc1")(x)
    x = layers.Dense(classes, activation="softmax", kernel_initializer=initial(), name="fc2")(x)
    return keras.Model(inputs, x, name="lenet")


LENET = LeNet()
