"""The zoo's networks trained as their users would have, by Keras alone, and kept as .keras files.

For so many steps as a benchmark can wait for; none is as good as it could be. What a search makes
of one is compared with the network itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from own import data, zoo

BATCH = 32
_SEED = 5


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes:
        steps: of 32 samples.
        losses: Keras' names, by output where there are several.
        rate: the highest learning rate.
    """

    steps: int
    losses: Any = "sparse_categorical_crossentropy"
    rate: float = 1e-3


TRAININGS = {
    "transfer": Training(
        200, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ),
    "siamese": Training(600, "binary_crossentropy"),
    "two_in_two_out": Training(
        600, {"kind": "sparse_categorical_crossentropy", "amount": "mean_squared_error"}
    ),
    "unet": Training(600),
    "cnn1d": Training(800),
    "mobilenet_v2": Training(1200),
    "resnet50": Training(900),
}  # fmt: skip
_PRETRAINING_STEPS = 500


def trained(name: str, file: Path, members: data.Members, steps: int | None = None) -> None:
    """Writes the file of a trained network, where it is not there yet.

    Args:
        name: of the zoo.
        file: ending with .keras.
        members: samples that the search is not given.
        steps: instead of the usual ones.
    """
    if file.exists():
        return
    keras.utils.set_random_seed(_SEED)
    training = TRAININGS[name]
    model = built(name)
    if name == "transfer":
        _pretrain(model, steps or _PRETRAINING_STEPS)
    _fit(model, training, members, steps or training.steps)
    model.save(file)


def built(name: str) -> keras.Model:
    """A network of the full size; two of smaller images, or ten plans would take hours."""
    if name == "resnet50":
        return keras.applications.ResNet50(
            weights=None, input_shape=(32, 32, 3), classes=10, name="resnet50"
        )
    if name == "unet":
        return zoo.unet(tiny=False, size=data.DRAWN_SIZE)
    return zoo.build(name)


def _pretrain(model: keras.Model, steps: int) -> None:
    """Teaches the backbone five other classes of CIFAR-10, then freezes it again."""
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model)
                    and not isinstance(layer, keras.Sequential))  # fmt: skip
    backbone.trainable = True
    inputs = keras.Input(model.input_shape[1:])
    x = backbone(keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs))
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = keras.layers.Dense(5, activation="softmax")(x)
    others = data.last_classes(np.random.default_rng(_SEED), 2000)
    _fit(keras.Model(inputs, outputs), Training(steps), others, steps)
    backbone.trainable = False


def _fit(model: keras.Model, training: Training, members: data.Members, steps: int) -> None:
    rate = keras.optimizers.schedules.CosineDecay(training.rate, steps)
    _keep_up(model)
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=training.losses)
    x = _given([tensor.name for tensor in model.inputs], members, "x")
    names = list(training.losses) if isinstance(training.losses, dict) else ["y"]
    y = _given(names, members, "y")
    batches = tf.data.Dataset.from_tensor_slices((x, y))
    batches = batches.shuffle(len(next(iter(members.values()))), seed=_SEED).repeat().batch(BATCH)
    model.fit(batches, steps_per_epoch=steps, epochs=1, verbose=2)


def _keep_up(model: keras.Model) -> None:
    """Norms follow within tens of steps: by the usual 0.999 they'd be those of the beginning."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9


def _given(names: list[str], members: data.Members, single: str) -> Any:
    if single in members:
        return members[single]
    return {name: members[name] for name in names}
