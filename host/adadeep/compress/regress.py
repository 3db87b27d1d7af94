"""Fits the last linear part of a replacement to what the replaced layer does to real samples.

A factorisation looks at weights alone. With samples at hand, the last kernel of the replacement
can make up for what the first ones lost: linear least squares on the feature maps that really
come in (as in channel pruning, He et al. 2017). It costs one partial forward pass.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from adadeep.compress.factorise import Matrix

Maps = npt.NDArray[np.float32]

_MAX_ROWS = 20_000  # positions of feature maps; more changes nothing, but costs
_RIDGE = 1e-3  # over the mean variance: directions that the samples don't excite stay small


def inputs_of(model: keras.Model, layer: keras.layers.Layer, samples: Maps) -> Maps:
    """What comes into a layer for the samples."""
    return np.asarray(keras.Model(model.input, layer.input)(samples, training=False))


def before_activation(layer: keras.layers.Layer, maps: Maps) -> Maps:
    """What a convolution computes before its activation."""
    padding = layer.padding.upper()
    output = tf.nn.conv2d(maps, tf.convert_to_tensor(layer.kernel), layer.strides, padding)
    return np.asarray(output if layer.bias is None else output + tf.convert_to_tensor(layer.bias))


def depthwise(layer: keras.layers.Layer, maps: Maps, kernel: Matrix) -> Maps:
    """A depthwise convolution with a layer's strides and padding; kernel (h, w, inputs)."""
    strides = [1, *layer.strides, 1]
    filters = tf.constant(kernel[..., None], tf.float32)
    return np.asarray(tf.nn.depthwise_conv2d(maps, filters, strides, layer.padding.upper()))


def squeezed(maps: Maps, kernel: Matrix) -> Maps:
    """A 1x1 convolution with ReLU; kernel (inputs, outputs)."""
    return np.maximum(maps @ kernel.astype(np.float32), 0)


def patches(maps: Maps, size: int, strides: tuple[int, int]) -> Maps:
    """(n, height, width, size * size * channels): what a "same" convolution multiplies."""
    window, steps = [1, size, size, 1], [1, *strides, 1]
    return np.asarray(tf.image.extract_patches(maps, window, steps, [1, 1, 1, 1], "SAME"))


def least_squares(features: Maps, targets: Maps) -> tuple[Matrix, Matrix]:
    """Kernel (features, targets) and bias (targets,) of the nearest affine map.

    Args:
        features: (..., features).
        targets: (..., targets), with the same leading shape.
    """
    wanted = targets.reshape(-1, targets.shape[-1])
    given = features.reshape(-1, features.shape[-1])
    step = -(-len(given) // _MAX_ROWS)
    given, wanted = given[::step].astype(np.float64), wanted[::step].astype(np.float64)
    centre, level = given.mean(axis=0), wanted.mean(axis=0)
    centred = given - centre
    gram = centred.T @ centred
    ridge = _RIDGE * max(float(np.trace(gram)) / len(gram), 1e-12)
    kernel = np.linalg.solve(gram + ridge * np.eye(len(gram)), centred.T @ (wanted - level))
    return kernel, level - centre @ kernel
