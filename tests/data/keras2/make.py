"""Writes the files here, by Keras 2: `pip install tf_keras`, then run this in this folder.

Each .npz has what the network beside it is given (x, or x0, x1) and gives (y).
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers


def write(name, network, *inputs):
    given = list(inputs)
    y = network.predict(given if len(given) > 1 else given[0], verbose=0)
    members = {f"x{n}" if len(given) > 1 else "x": one for n, one in enumerate(given)}
    np.savez_compressed(f"{name}.npz", **members, y=y)
    network.save(f"{name}.h5")


def photos():
    """A backbone within, operations before and behind it, compiled."""
    inner = x = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2, name="first")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.DepthwiseConv2D(3, name="deep")(tf.nn.relu6(x))
    backbone = keras.Model(inner, x, name="backbone")
    pixels = keras.Input((16, 16, 3), name="pixels")
    x = backbone(keras.applications.mobilenet_v2.preprocess_input(pixels))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(8, activation="relu", name="hidden")(x * 2.0 + 0.5)
    network = keras.Model(pixels, tf.nn.softmax(layers.Dense(3, name="out")(1.0 - x)))
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.get_layer("backbone").get_layer("norm").set_weights(
        [np.float32([1, 2, 3, 4]), np.ones(4), np.float32([0.1, 0.2, 0.3, 0.4]), np.ones(4)]
    )
    return network


def pair():
    """A network called twice, whose outputs are compared by operations of two tensors."""
    inner = keras.Input((6,))
    outer = layers.Dense(5, activation="tanh")(inner / 2.0 - 1.0) * 3.0
    encoder = keras.Model(inner, outer, name="encoder")
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    one, other = encoder(a), encoder(b)
    x = tf.stack([tf.abs(one - other), tf.math.l2_normalize(one, axis=-1) * other], axis=1)
    x = tf.squeeze(tf.expand_dims(tf.clip_by_value(tf.reshape(x, [-1, 10]), -1.0, 1.0), 1), 1)
    return keras.Model([a, b], layers.Dense(1, activation="sigmoid")(x))


def maps():
    """Many operations, slices and concatenations among them."""
    image = x = keras.Input((4, 4, 2))
    x = tf.concat([tf.image.resize(x, (8, 8)), tf.image.resize(x, (8, 8)) ** 2.0], axis=-1)
    x = x[:, 1:7, ::2, :3]
    x = tf.maximum(tf.reduce_sum(x, axis=-1, keepdims=True), 0.1)
    x = tf.exp(tf.nn.silu(tf.nn.leaky_relu(-tf.transpose(x, [0, 2, 1, 3]), alpha=0.3)))
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))


def names():
    """Layers with the names that Keras 3 makes up for operations, and lists of numbers."""
    image = x = keras.Input((4, 4, 3))
    x = tf.subtract([1.0, 2.0, 3.0], x[..., ::-1])
    x = keras.applications.resnet50.preprocess_input(x * [0.5, 0.25, 2.0])
    one = layers.Dense(4, name="one")(x + 0.5)
    other = tf.nn.relu(tf.nn.tanh(layers.Dense(4, name="other")(x)))
    x = layers.Add(name="add")([tf.nn.silu(one), other])
    x = tf.math.l2_normalize(layers.Multiply(name="multiply")([x, x]) - 1.0, axis=-1)
    return keras.Model(image, layers.Flatten()(x))


def small():
    """Whole numbers: TensorFlow's resizing gives others, its mean does not."""
    image = keras.Input((4, 4, 3), dtype="uint8")
    wide = tf.image.resize(image, (6, 6)) / 255.0
    mean = tf.cast(tf.reduce_mean(tf.cast(image, "int32"), axis=[1, 2]), "float32")
    return keras.Model(image, layers.Concatenate()([layers.Flatten()(wide), mean]))


def swapped():
    """Branches that Keras 3 would give each other's weights."""
    x = keras.Input((4,))
    one = tf.nn.silu(layers.Dense(4, name="a")(x), 2.0)  # three operations of Keras 3
    other = tf.nn.relu(tf.nn.tanh(layers.Dense(4, name="b")(x)))
    return keras.Model(x, layers.Concatenate()([one, other]))


def masked():
    """A sum of what is masked and what is not, which Keras 3 does not mask."""
    x = keras.Input((4,))
    tokens = layers.Embedding(5, 3, mask_zero=True)(x)
    return keras.Model(x, layers.LSTM(2)(layers.Add()([tokens, layers.Embedding(5, 3)(x)])))


def settings():
    """Layers that Keras 3 has without some of their settings."""
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.RandomFlip(), layers.RandomZoom(0.1)]
    )
    for layer in (
        layers.SeparableConv2D(4, 3), layers.SpatialDropout2D(0.1), layers.Conv2DTranspose(3, 3),
        layers.Reshape((16, 12)), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(4, return_sequences=True), layers.DepthwiseConv1D(3),
        layers.Conv1DTranspose(3, 2), layers.SeparableConv1D(4, 2),
        layers.SimpleRNN(3, return_sequences=True), layers.LeakyReLU(0.1),
    ):  # fmt: skip
        network.add(layer)
    x = network.output
    x = layers.MultiHeadAttention(2, 3)(x, x)
    body = keras.Model(network.input, x)
    head = keras.Sequential(
        [keras.Input(body.output_shape[1:]), layers.Flatten(), layers.Dense(2)]
    )
    return keras.Model(body.input, head(body.output))  # a Sequential gives the output


def main():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    write("photos", photos(), rng.uniform(0, 255, (4, 16, 16, 3)).astype(np.float32))
    write("pair", pair(), *rng.normal(size=(2, 4, 6)).astype(np.float32))
    write("maps", maps(), rng.normal(size=(3, 4, 4, 2)).astype(np.float32))
    write("settings", settings(), rng.normal(size=(3, 8, 8, 3)).astype(np.float32))
    write("names", names(), rng.normal(size=(3, 4, 4, 3)).astype(np.float32))
    write("small", small(), rng.integers(0, 256, (3, 4, 4, 3), np.uint8))
    swapped().save("swapped.h5")
    x = keras.Input((None, None, 3), name="photo")
    keras.Model(x, layers.Conv2D(2, 3)(x / 255.0)).save("open.h5")
    masked().save("masked.h5")
    x = keras.Input((4,))
    keras.Model(x, layers.Dense(2)(tf.math.erf(x))).save("unknown.h5")
    keras.Model(x, layers.Dense(2, activation="hard_sigmoid", name="gate")(x)).save("gate.h5")
    keras.Model(x, layers.Dense(2)(x)).save("keras2.keras")


if __name__ == "__main__":
    main()
