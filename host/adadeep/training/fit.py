"""Training for few steps, with pruning masks, and accuracy.

A step loop of its own instead of `Model.fit`: at 50 steps a trial, the fixed costs of `fit`
(data adapters, callbacks, metrics) and the dozens of kernels of Keras' Adam are what one waits
for. Adam here is TensorFlow's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from adadeep.training.tasks import Images, Labels, Task

# Of this code: networks that another version trained are other networks.
TRAINING_VERSION = 1

# On MNIST and digits, of 1e-3, 2e-3 and 3e-3 the best for a few hundred steps from scratch.
LEARNING_RATE = 3e-3
# For compressed networks: they inherit nearly all they need, and a higher rate forgets more of it
# in tens of steps than it learns.
FINE_TUNING_RATE = 5e-4

OnStep = Callable[[int, float], None]
_Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # Adam's usual settings
_WARM_UP = 0.1  # share of the steps in which the rate rises; then it falls to 0
_EVALUATION_BATCH = 250


def train(
    model: keras.Model,
    task: Task,
    steps: int,
    seed: int,
    learning_rate: float = LEARNING_RATE,
    on_step: OnStep | None = None,
) -> None:
    """Trains in place on the task's training data with Adam.

    The learning rate rises linearly over the first tenth of the steps, then falls to 0.

    Kernels that hold zeros because a technique pruned them keep those zeros.

    Args:
        model: ends in a softmax.
        task: gives data and batch size.
        steps: number of batches; 0 changes nothing.
        seed: of the order of the samples; the same seed gives the same weights.
        learning_rate: the highest one; `FINE_TUNING_RATE` for a compressed network.
        on_step: called after each step with its number (from 1) and its loss.
    """

    def loss(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
        )

    _descend(model, loss, _batches(task, steps, seed), (steps, learning_rate, on_step))


def correct(model: keras.Model, x: Images, y: Labels) -> npt.NDArray[np.bool_]:
    """Whether the largest output is at the label; (n,)."""
    right = np.empty(len(x), np.bool_)
    for start in range(0, len(x), _EVALUATION_BATCH):
        batch = slice(start, start + _EVALUATION_BATCH)
        outputs = np.asarray(model(x[batch], training=False))
        right[batch] = outputs.argmax(axis=-1) == y[batch]
    return right


def accuracy(model: keras.Model, x: Images, y: Labels) -> float:
    """Share of samples whose largest output is at the label, 0..1."""
    return float(np.mean(correct(model, x, y)))


def _batches(task: Task, steps: int, seed: int) -> Iterator[tuple[Images, Labels]]:
    """Batches of a shuffled training set, shuffled anew when it is used up."""
    rng = np.random.default_rng(seed)
    order: npt.NDArray[np.int64] = np.empty(0, np.int64)
    size = min(task.batch_size, len(task.x_train))
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(len(task.x_train))
        chosen, order = order[:size], order[size:]
        yield task.x_train[chosen], task.y_train[chosen]


def _pruning_masks(model: keras.Model) -> dict[int, tf.Tensor]:
    """Position of a variable -> mask of its weights that are not zero, where some are zero.

    A kernel that was never pruned holds no exact zeros; biases do (they start there).
    """
    masks = {}
    for position, variable in enumerate(model.trainable_variables):
        kept = np.asarray(variable) != 0
        if len(variable.shape) > 1 and not kept.all():
            masks[position] = tf.constant(kept, dtype=tf.float32)
    return masks


def _descend(
    model: keras.Model,
    loss_of: _Loss,
    batches: Iterator[tuple[Images, Labels]],
    schedule: tuple[int, float, OnStep | None],
) -> None:
    steps, learning_rate, on_step = schedule
    step_function = _compiled_step(model, loss_of)
    for step, (x, y) in enumerate(batches, start=1):
        rate = learning_rate * rate_share(step, steps)
        loss = step_function(
            tf.constant(x), tf.constant(y), tf.constant(rate, tf.float32),
            tf.constant(_BETA1**step, tf.float32), tf.constant(_BETA2**step, tf.float32),
        )  # fmt: skip
        if on_step is not None:
            on_step(step, float(loss))


def rate_share(step: int, steps: int) -> float:
    """Learning rate of a step (from 1) over the highest one, 0..1: up over a tenth, then down."""
    rising = step / (_WARM_UP * steps + 1)
    falling = (steps - step + 1) / ((1 - _WARM_UP) * steps + 1)
    return min(1.0, rising, falling)


def _compiled_step(model: keras.Model, loss_of: _Loss) -> Callable[..., Any]:
    """One step of Adam as a graph: (x, y, rate, beta1^t, beta2^t) -> loss."""
    variables = [variable.value for variable in model.trainable_variables]
    first = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
    second = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
    masks = _pruning_masks(model)

    def step(
        x: tf.Tensor, y: tf.Tensor, rate: tf.Tensor, power1: tf.Tensor, power2: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(x, y)
        gradients = tape.gradient(loss, variables)
        for position, gradient in enumerate(gradients):
            # A masked gradient leaves both moments, and so the weight, at 0.
            masked = gradient * masks[position] if position in masks else gradient
            tf.raw_ops.ResourceApplyAdam(
                var=variables[position].handle,
                m=first[position].handle, v=second[position].handle,
                beta1_power=power1, beta2_power=power2, lr=rate,
                beta1=_BETA1, beta2=_BETA2, epsilon=_EPSILON, grad=masked,
            )  # fmt: skip
        return loss

    return tf.function(step)
