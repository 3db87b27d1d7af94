"""The networks that adadeep is to work on besides its own: none is trained, none needs a download.

Each has a full size and a tiny one of the same kind for tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

CLASSES = 5


def build(name: str, tiny: bool = False, seed: int = 0) -> keras.Model:
    """A network of `ZOO`, with random weights."""
    keras.utils.set_random_seed(seed)
    return ZOO[name](tiny)


def shaken(model: keras.Model, seed: int = 0) -> keras.Model:
    """The network itself, with norms and biases that are not those of a fresh one."""
    random = keras.random.SeedGenerator(seed)
    for variable in model.variables:
        is_variance = variable.name in ("moving_variance", "gamma", "variance")
        if is_variance or variable.name in ("moving_mean", "beta", "bias", "mean"):
            low, high = (0.5, 1.5) if is_variance else (-0.3, 0.3)
            variable.assign(keras.random.uniform(variable.shape, low, high, seed=random))
    return model


def _normed(x: Any, layer: Any, activation: str | None = "relu6") -> Any:
    x = layers.BatchNormalization(name=f"{layer.name}_bn")(layer(x))
    return x if activation is None else layers.Activation(activation, name=f"{layer.name}_act")(x)


def _inverted(x: Any, name: str, filters: int, stride: int) -> Any:
    """An inverted residual block of MobileNetV2."""
    wide = x.shape[-1] * 3
    y = _normed(x, layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand"))
    window = layers.DepthwiseConv2D(
        3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )
    y = _normed(y, window)
    y = _normed(y, layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project"), None)
    is_residual = stride == 1 and x.shape[-1] == filters
    return layers.Add(name=f"{name}_add")([x, y]) if is_residual else y


def _small_mobilenet(size: int, include_top: bool) -> keras.Model:
    inputs = keras.Input((size, size, 3), name="image")
    first = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")
    x = _normed(inputs, first)
    x = _inverted(x, "block1", 8, 1)
    x = _inverted(x, "block2", 12, 2)
    x = _normed(x, layers.Conv2D(32, 1, use_bias=False, name="last"))
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dense(CLASSES, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="small_mobilenet")


def mobilenet_v2(tiny: bool) -> keras.Model:
    """keras.applications' own, of 96x96 pixels."""
    if tiny:
        return _small_mobilenet(16, include_top=True)
    return keras.applications.MobileNetV2((96, 96, 3), weights=None, classes=10)


def transfer(tiny: bool) -> keras.Model:
    """What the transfer-learning guide of Keras makes: a frozen backbone within a network."""
    size = 16 if tiny else 96
    if tiny:
        backbone = _small_mobilenet(size, include_top=False)
    else:
        backbone = keras.applications.MobileNetV2(
            (size, size, 3), alpha=0.5, include_top=False, weights=None
        )
    backbone.trainable = False
    augmentation = keras.Sequential(
        [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)], name="augmentation"
    )
    inputs = keras.Input((size, size, 3), name="image")
    x = augmentation(inputs)
    x = x / 127.5 - 1.0
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="drop")(x)
    x = layers.Dense(16 if tiny else 128, activation="relu", name="hidden")(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="logits")(x), name="transfer")


def _block(x: Any, name: str, filters: int, stride: int = 1) -> Any:
    """A bottleneck of ResNet."""
    wide = filters * 4
    if stride != 1 or x.shape[-1] != wide:
        short = _normed(x, layers.Conv2D(wide, 1, strides=stride, name=f"{name}_0"), None)
    else:
        short = x
    x = _normed(x, layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1"), "relu")
    x = _normed(x, layers.Conv2D(filters, 3, padding="same", name=f"{name}_2"), "relu")
    x = _normed(x, layers.Conv2D(wide, 1, name=f"{name}_3"), None)
    x = layers.Add(name=f"{name}_add")([short, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def resnet50(tiny: bool) -> keras.Model:
    """keras.applications' own, of 224x224 pixels and 1,000 classes."""
    if not tiny:
        return keras.applications.ResNet50(weights=None)
    inputs = keras.Input((16, 16, 3), name="image")
    x = layers.ZeroPadding2D(1, name="stem_pad")(inputs)
    x = _normed(x, layers.Conv2D(8, 3, strides=2, name="stem"), "relu")
    x = _block(x, "a1", 8)
    x = _block(x, "a2", 8)
    x = _block(x, "b1", 12, stride=2)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(CLASSES, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name="small_resnet")


def siamese(tiny: bool) -> keras.Model:
    """Two images through the same layers; the distance of what they give says if they match."""
    size, widths = (12, (8, 12)) if tiny else (48, (32, 64, 128))
    image = keras.Input((size, size, 1), name="image")
    x = image
    for number, width in enumerate(widths, 1):
        x = layers.Conv2D(width, 3, padding="same", name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(48 if tiny else 128, activation="relu", name="embed1")(x)
    tower = keras.Model(image, layers.Dense(16 if tiny else 64, name="embed2")(x), name="tower")
    left = keras.Input((size, size, 1), name="left")
    right = keras.Input((size, size, 1), name="right")
    distance = ops.abs(tower(left) - tower(right))
    outputs = layers.Dense(1, activation="sigmoid", name="same")(distance)
    return keras.Model([left, right], outputs, name="siamese")


def two_in_two_out(tiny: bool) -> keras.Model:
    """An image and a table's row to a class and a number, by name."""
    size, width = (12, 8) if tiny else (64, 32)
    image = keras.Input((size, size, 3), name="image")
    row = keras.Input((10,), name="row")
    x = layers.Rescaling(1 / 255, name="scale")(image)
    x = layers.Conv2D(width, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.SeparableConv2D(2 * width, 3, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(2 * width, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    y = layers.Dense(64, activation="relu", name="table1")(row)
    y = layers.Dense(48, activation="relu", name="table2")(y)
    both = layers.Concatenate(name="both")([x, y])
    both = layers.Dense(96, activation="relu", name="joint")(both)
    outputs = {
        "kind": layers.Dense(CLASSES, activation="softmax", name="kind")(both),
        "amount": layers.Dense(1, name="amount")(both),
    }
    return keras.Model({"image": image, "row": row}, outputs, name="two_in_two_out")


def unet(tiny: bool, size: int = 96) -> keras.Model:
    """Segmentation: down and up again, with the maps of the way down joined to those up."""
    size, width, depth = (16, 8, 1) if tiny else (size, 16, 3)
    inputs = keras.Input((size, size, 3), name="image")
    x, joined = inputs, []
    for level in range(depth):
        x = _twice(x, f"down{level + 1}", width * 2**level)
        joined.append(x)
        x = layers.MaxPooling2D(name=f"pool{level + 1}")(x)
    x = _twice(x, "bottom", width * 2**depth)
    for level in reversed(range(depth)):
        x = layers.Conv2DTranspose(
            width * 2**level, 2, strides=2, padding="same", name=f"grow{level + 1}"
        )(x)
        x = layers.Concatenate(name=f"join{level + 1}")([joined[level], x])
        x = _twice(x, f"up{level + 1}", width * 2**level)
    outputs = layers.Conv2D(3, 1, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="unet")


def _twice(x: Any, name: str, width: int) -> Any:
    for part in "ab":
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}{part}")(x)
        x = layers.BatchNormalization(name=f"{name}{part}_norm")(x)
        x = layers.ReLU(name=f"{name}{part}_relu")(x)
    return x


def cnn1d(tiny: bool) -> keras.Model:
    """Windows of nine sensors' samples to an activity."""
    steps, width = (32, 16) if tiny else (128, 64)
    return keras.Sequential(
        [
            keras.Input((steps, 9), name="window"),
            layers.Conv1D(width, 5, activation="relu", name="conv1"),
            layers.Conv1D(width, 5, name="conv2"),
            layers.BatchNormalization(name="norm2"),
            layers.ReLU(name="relu2"),
            layers.Dropout(0.3, name="drop"),
            layers.MaxPooling1D(2, name="pool"),
            layers.Conv1D(2 * width, 3, activation="relu", name="conv3"),
            layers.Flatten(name="flatten"),
            layers.Dense(64 if tiny else 256, activation="relu", name="fc1"),
            layers.Dense(6, activation="softmax", name="fc2"),
        ],
        name="cnn1d",
    )


ZOO: dict[str, Callable[[bool], keras.Model]] = {
    "transfer": transfer,
    "siamese": siamese,
    "two_in_two_out": two_in_two_out,
    "unet": unet,
    "cnn1d": cnn1d,
    "mobilenet_v2": mobilenet_v2,
    "resnet50": resnet50,
}
