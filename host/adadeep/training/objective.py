"""What is minimised: a loss for each output, and how far a network is from its teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from adadeep.training.ends import End, Meaning

Loss = Callable[[Any, Any], Any]

_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Teaching:
    """How much a network learns of a teacher.

    Attributes:
        share: of the loss that is the distance from the teacher's outputs, 0..1; the rest is of
            the labels.
        temperature: that both networks' classes are softened by.
    """

    share: float = 0.5
    temperature: float = 2.0


@dataclass(frozen=True, slots=True)
class Objective:
    """Losses of a network's outputs.

    Attributes:
        losses: of labels and outputs, one for each output; None for one that is not trained.
        weights: of the losses.
        ends: what outputs mean, for a teacher; empty where there is none.
        teaching: how much is learnt of it.
    """

    losses: tuple[Loss | None, ...] = field(repr=False)
    weights: tuple[float, ...]
    ends: tuple[End, ...] = ()
    teaching: Teaching = Teaching()

    def of(
        self, y: Sequence[tf.Tensor], outputs: Sequence[tf.Tensor], taught: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        """A loss a sample, (n,).

        Args:
            y: labels, for each output.
            outputs: of the network.
            taught: the teacher's; empty where there is none.
        """
        total = tf.zeros(tf.shape(outputs[0])[0])
        share = self.teaching.share if taught else 0.0
        for place, (loss, weight) in enumerate(zip(self.losses, self.weights, strict=True)):
            if loss is not None and share < 1:
                total += (1 - share) * weight * by_sample(loss, y[place], outputs[place])
            if taught and loss is not None:
                far = distance(
                    self.ends[place], taught[place], outputs[place], self.teaching.temperature
                )
                total += share * weight * far
        return total


def by_sample(loss: Loss, y: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """A loss of Keras' or the user's own as one number a sample, (n,)."""
    function = loss.call if isinstance(loss, keras.losses.Loss) else loss
    return _mean(tf.cast(function(y, outputs), tf.float32), outputs)


def _mean(values: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """(n,) of (n, ...); a scalar counts for each sample."""
    rank = values.shape.rank
    if rank == 0:
        return tf.fill([tf.shape(outputs)[0]], values)
    return values if rank == 1 else tf.reduce_mean(values, axis=list(range(1, rank)))


def matched(loss: Loss, end: End) -> Loss:
    """The loss, of labels in the shape of the outputs where they differ by axes of 1 only."""

    def shaped(y: Any, outputs: Any) -> Any:
        if end.meaning is Meaning.CLASSES and not end.is_hot:
            return loss_of(tf.reshape(y, tf.shape(outputs)[:-1]), outputs)
        return loss_of(tf.reshape(tf.cast(y, outputs.dtype), tf.shape(outputs)), outputs)

    loss_of = loss.call if isinstance(loss, keras.losses.Loss) else loss
    return shaped


def loss_name(end: End) -> str:
    """Keras' name of the loss that an output of that meaning is trained by."""
    if end.meaning is Meaning.CLASSES:
        return f"{'' if end.is_hot else 'sparse_'}categorical_crossentropy"
    return "binary_crossentropy" if end.meaning is Meaning.FLAGS else "mean_squared_error"


def loss_of_end(end: End) -> Loss:
    """That loss; of outputs before their softmax or sigmoid where they are."""
    function = keras.losses.get(loss_name(end))
    if not end.is_raw:
        return matched(function, end)
    return matched(lambda y, outputs: function(y, outputs, from_logits=True), end)


def distance(end: End, taught: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
    """How far outputs are from a teacher's, (n,).

    Of classes and flags the cross-entropy of both, softened by the temperature and times its
    square (Hinton et al. 2015), less the least that it can be; else the mean squared difference.
    """
    if end.meaning is Meaning.CLASSES:
        wanted, given = (_softened(end, one, temperature) for one in (taught, outputs))
        far = tf.reduce_sum(tf.exp(wanted) * (wanted - given), axis=-1)
        return _mean(far, outputs) * temperature**2
    if end.meaning is Meaning.FLAGS:
        wanted, given = (_logits(end, one) for one in (taught, outputs))
        least = tf.nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(wanted), wanted)
        far = tf.nn.sigmoid_cross_entropy_with_logits(tf.sigmoid(wanted), given) - least
        return _mean(far, outputs)
    return _mean(tf.square(tf.cast(taught, outputs.dtype) - outputs), outputs)


def _softened(end: End, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
    """Logarithms of the shares of the classes: those of a softmax are logits as good as any."""
    raw = outputs if end.is_raw else tf.math.log(tf.maximum(outputs, _TINY))
    return tf.nn.log_softmax(tf.cast(raw, tf.float32) / temperature)


def _logits(end: End, outputs: tf.Tensor) -> tf.Tensor:
    if end.is_raw:
        return outputs
    safe = tf.clip_by_value(outputs, _TINY, 1 - _TINY)
    return tf.math.log(safe) - tf.math.log1p(-safe)
