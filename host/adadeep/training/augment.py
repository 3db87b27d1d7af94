"""Samples made of samples, in a step of training."""

from __future__ import annotations

import tensorflow as tf


def shifted(images: tf.Tensor, most: int = 2) -> tf.Tensor:
    """Each image moved by up to `most` pixels either way, zeros coming in; (n, h, w, c)."""
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    padded = tf.pad(images, [[0, 0], [most, most], [most, most], [0, 0]])
    offsets = tf.random.uniform([2, count, 1], 0, 2 * most + 1, tf.int32)
    moved = tf.gather(padded, offsets[0] + tf.range(height), axis=1, batch_dims=1)
    return tf.gather(moved, offsets[1] + tf.range(width), axis=2, batch_dims=1)
