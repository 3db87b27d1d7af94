"""What Keras' layers and operations are, and what they do to channels.

The same table tells `describe` what to say and `surgery` what it may slice, so that what an
outline says of channels that go or change place is what happens.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from adadeep.compress import walk
from adadeep.core.layers import LayerKind

# In order: the first that fits. DepthwiseConv2D is no Conv2D in Keras 3.
_KINDS: tuple[tuple[Any, LayerKind], ...] = (
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), LayerKind.DEPTHWISE),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose), LayerKind.TRANSPOSED),
    ((layers.Conv1D, layers.Conv2D), LayerKind.CONV),
    (layers.Dense, LayerKind.DENSE),
    (
        (
            layers.MaxPooling1D, layers.AveragePooling1D,
            layers.MaxPooling2D, layers.AveragePooling2D,
        ),
        LayerKind.POOL,
    ),
    (
        (
            layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D,
            layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D,
        ),
        LayerKind.GLOBAL_POOL,
    ),
    ((layers.Flatten, layers.Reshape), LayerKind.RESHAPE),
)  # fmt: skip
WINDOWED = (LayerKind.CONV, LayerKind.DEPTHWISE, LayerKind.TRANSPOSED, LayerKind.POOL)
_ACTIVATIONS = (
    layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Softmax,
)  # fmt: skip
_MERGING = (
    layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
)  # fmt: skip
# Of keras.ops: element by element, whatever the channel.
_ELEMENTWISE_OPERATIONS = (
    "Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum", "Abs", "Absolute",
    "Negative", "Square", "Sqrt", "Rsqrt", "Exp", "Log", "Log1p", "Clip", "Power", "Sign", "Round",
    "Relu", "Relu6", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "HardSilu", "Silu", "Swish",
    "Elu", "Selu", "Gelu", "LeakyRelu", "Softplus", "Softsign", "Cast",
)  # fmt: skip
_SHIFTING = (
    layers.ZeroPadding1D, layers.ZeroPadding2D, layers.Cropping1D, layers.Cropping2D,
    layers.UpSampling1D, layers.UpSampling2D,
)  # fmt: skip
# Act while a network is trained, and pass on what they get at inference.
NOT_AT_INFERENCE = tuple(
    getattr(layers, name)
    for name in (
        "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise",
        "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Identity", "RandomFlip",
        "RandomRotation", "RandomTranslation", "RandomZoom", "RandomContrast", "RandomBrightness",
        "RandomHeight", "RandomWidth", "RandomHue", "RandomSaturation", "RandomGrayscale",
        "RandomColorJitter", "RandomColorDegeneration", "RandomErasing", "RandomShear",
        "RandomSharpness", "RandomPosterization", "RandomPerspective", "RandomInvert",
        "RandomGaussianBlur", "RandomElasticTransform", "RandAugment", "AugMix", "MixUp", "CutMix",
    )
    if hasattr(layers, name)
)  # fmt: skip


def is_operation(operation: Any, *names: str) -> bool:
    """Whether it is one of those operations of keras.ops, and no layer."""
    is_bare = not isinstance(operation, layers.Layer)
    return is_bare and type(operation).__name__ in names


def kind_of(node: Any) -> LayerKind:
    """What a call computes.

    Merges and norms are such where the channels, the last axis, stay what they are; else they
    are of another kind.
    """
    operation, tensors = node.operation, node.input_tensors
    if not type(operation).__module__.startswith("keras."):
        return LayerKind.OTHER  # whatever it is derived from, it may compute something else
    if _is_elementwise(node):
        if len(tensors) == 1 and tensors[0].shape == node.outputs[0].shape:
            return LayerKind.ACTIVATION
        return LayerKind.ADD if _same_channels(node) else LayerKind.OTHER
    if isinstance(operation, layers.Concatenate) or is_operation(operation, "Concatenate"):
        is_last = operation.axis in (-1, len(node.outputs[0].shape) - 1)
        return LayerKind.CONCAT if is_last else LayerKind.OTHER
    if isinstance(operation, layers.BatchNormalization):
        is_last = operation.axis in (-1, len(node.outputs[0].shape) - 1)
        return LayerKind.BATCH_NORM if is_last else LayerKind.OTHER
    if len(tensors) != 1:
        return LayerKind.OTHER
    return next((kind for types, kind in _KINDS if isinstance(operation, types)), LayerKind.OTHER)


def keeps_channels(operation: Any) -> bool:
    """Whether a layer of another kind makes each channel of the one that it gets alone."""
    return isinstance(operation, _SHIFTING)


def flattens(node: Any) -> bool:
    """Whether it puts all that it gets in one row."""
    return kind_of(node) is LayerKind.RESHAPE and len(node.outputs[0].shape) == 2


def activation_of(operation: Any) -> str | None:
    """Name of the function that a layer ends with; None if it is linear."""
    if isinstance(operation, layers.Softmax):
        return "softmax"
    function = getattr(operation, "activation", None)
    name = getattr(function, "__name__", None)
    return None if name == "linear" else name


def _is_elementwise(node: Any) -> bool:
    operation = node.operation
    if isinstance(operation, layers.Rescaling):
        return all(isinstance(one, (int, float)) for one in (operation.scale, operation.offset))
    if is_operation(operation, *_ELEMENTWISE_OPERATIONS):
        arguments = keras.tree.flatten((node.arguments.args, node.arguments.kwargs))
        return all(walk.is_symbolic(one) or np.ndim(one) == 0 for one in arguments)
    return isinstance(operation, (*_ACTIVATIONS, *_MERGING))


def _same_channels(node: Any) -> bool:
    shape = node.outputs[0].shape
    same = (
        len(one.shape) == len(shape) and one.shape[-1] == shape[-1] for one in node.input_tensors
    )
    return all(same)
