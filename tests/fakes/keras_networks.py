"""Small Keras networks of shapes that the shipped ones don't have."""

from __future__ import annotations

from typing import Any


def branched() -> Any:
    """A sum, a concatenation, a depthwise convolution, norms, dropouts; untrained."""
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
