"""Fits the last linear part of a replacement to what the replaced layer does to real samples.

A factorisation looks at weights alone. With samples at hand, the last kernel of the replacement
can make up for what the first ones lost: linear least squares on the feature maps that really
come in (as in channel pruning, He et al. 2017). It costs a partial forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from adadeep.compress import forward, walk
from adadeep.compress.factorise import Matrix
from adadeep.compress.forward import Maps
from adadeep.core.rows import Rows

Fit = tuple[Callable[[Maps], Maps], Callable[[Maps], Maps]]

_MAX_ROWS = 20_000  # positions of feature maps; more changes nothing, but costs
_FEWEST_ROWS, _ROWS_A_CHANNEL = 2_000, 4  # of `rows_into`, where there are more
_WIDE = 512  # features whose products are summed in float32, which takes half the time
_RIDGE = 1e-3  # over the mean variance: directions that the samples don't excite stay small


def fitted(
    layer: tuple[keras.Model, keras.layers.Layer], samples: Rows, *fits: Fit
) -> list[tuple[Matrix, Matrix]]:
    """Kernels and biases of maps from features of what comes into a layer to targets of it.

    Args:
        layer: a flat network, and a layer of it; all of its calls count.
        samples: (n, ...) of each of the network's inputs.
        fits: features and targets, each of maps that come in; (n, ..., channels), of the same
            leading shape.
    """
    parts: list[list[tuple[Maps, Maps]]] = [[] for _ in fits]
    total = len(samples) * _calls(*layer)
    for maps in _batches(*layer, samples):
        for part, (features, targets) in zip(parts, fits, strict=True):
            given, wanted = _rows(features(maps)), _rows(targets(maps))
            step = _step(len(given), len(maps), total)
            part.append((given[::step], wanted[::step]))
    return [
        least_squares(*(np.concatenate(some) for some in zip(*part, strict=True)))
        for part in parts
    ]


def rows_into(
    model: keras.Model, layer: keras.layers.Layer, samples: Rows, of: Callable[[Maps], Maps]
) -> Maps:
    """(rows, channels) of what comes into a layer at some positions, in all of its calls.

    About as many rows as tell how so many channels hang together.

    Args:
        model: flat.
        layer: of it.
        samples: (n, ...) of each of the network's inputs.
        of: the part of the maps that the layer looks at.
    """
    total, parts = len(samples) * _calls(model, layer), []
    for maps in _batches(model, layer, samples):
        rows = _rows(of(maps))
        most = max(_FEWEST_ROWS, _ROWS_A_CHANNEL * rows.shape[-1])
        parts.append(rows[:: _step(len(rows), len(maps), total, most)])
    return np.concatenate(parts)


def inputs_of(
    model: keras.Model, layer: keras.layers.Layer, samples: Rows, of: Callable[[Maps], Maps]
) -> Maps:
    """Something of what comes into a layer for the samples; of its calls one after the other."""
    return np.concatenate([of(maps) for maps in _batches(model, layer, samples)])


def outputs_of(model: keras.Model, layer: keras.layers.Layer, samples: Rows) -> Maps:
    """What a layer that is called once gives for the samples."""
    (node,) = (node for node in walk.calls_of(model) if node.operation is layer)
    return np.concatenate([maps for (maps,) in forward.maps_of(model, node.outputs, samples)])


def _batches(model: keras.Model, layer: keras.layers.Layer, samples: Rows) -> Iterator[Maps]:
    """What comes into a layer, so many samples at a time that memory suffices."""
    nodes = [node for node in walk.calls_of(model) if node.operation is layer]
    for batch in forward.maps_of(model, [node.input_tensors[0] for node in nodes], samples):
        yield from batch


def _calls(model: keras.Model, layer: keras.layers.Layer) -> int:
    return sum(node.operation is layer for node in walk.calls_of(model))


def _step(rows: int, samples: int, total: int, most: int = _MAX_ROWS) -> int:
    """Of how many rows one is looked at, where some samples of them all have that many.

    It goes round all positions of a map: a step of 3 through maps of 9x9 would see three columns.
    """
    step = -(-rows * total // (samples * most))
    while math.gcd(step, rows // samples) > 1:
        step += 1
    return step


def _rows(maps: Maps) -> Maps:
    return maps.reshape(-1, maps.shape[-1])


def once(of: Callable[[Maps], Maps]) -> Callable[[Maps], Maps]:
    """The same of maps, not computed again for those that it was last asked for."""
    given: Maps | None = None
    found: Maps | None = None

    def remembered(maps: Maps) -> Maps:
        nonlocal given, found
        if found is None or maps is not given:
            given, found = maps, of(maps)
        return found

    return remembered


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
    given, wanted = given[::step], wanted[::step]
    centre, level = (one.mean(axis=0, dtype=np.float64) for one in (given, wanted))
    exact = np.float64 if given.shape[-1] < _WIDE else np.float32
    centred, missed = (given - centre).astype(exact), (wanted - level).astype(exact)
    gram = (centred.T @ centred).astype(np.float64)
    ridge = _RIDGE * max(float(np.trace(gram)) / len(gram), 1e-12)
    kernel = np.linalg.solve(
        gram + ridge * np.eye(len(gram)), (centred.T @ missed).astype(np.float64)
    )
    return kernel, level - centre @ kernel
