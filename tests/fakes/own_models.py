"""A small trained network of "the user's own" and its data, as files. Imports TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SIDE, CLASSES = 12, 3


def samples(count, seed=0):
    """Images with a bright bar: where it lies is the class; a tenth of the labels is by chance."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    images = random.normal(0, 0.4, (count, SIDE, SIDE, 1)).astype(np.float32)
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 3, :, 0] += 1.0
    return images, labels


def write_data(path: Path, count=900, seed=0):
    """An .npz of so many samples."""
    x, y = samples(count, seed)
    np.savez(path, x=x, y=y)
    return path


def write_model(path: Path, seed=1, steps=40):
    """A network that tells the classes, compiled and trained a little."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = keras.layers.Conv2D(8, 3, padding="same", name="conv2")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(64, activation="relu", name="fc1")(x)
    outputs = keras.layers.Dense(CLASSES, activation="softmax", name="fc2")(x)
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    data, labels = samples(32 * steps, seed)
    model.fit(data, labels, batch_size=32, verbose=0)
    model.save(path)
    return path


if __name__ == "__main__":
    import sys

    folder = Path(sys.argv[1])
    write_model(folder / "bars.keras")
    write_data(folder / "bars.npz")
    print(json.dumps(sorted(p.name for p in folder.iterdir())))
