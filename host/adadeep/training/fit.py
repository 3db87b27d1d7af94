"""Training for few steps, with pruning masks, and outputs.

A step loop of its own instead of `Model.fit`: at 50 steps a trial, the fixed costs of `fit`
(data adapters, callbacks, metrics) and the dozens of kernels of Keras' Adam are what one waits
for. Adam here is TensorFlow's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from adadeep.core.compressed import Compressed, LayerHook
from adadeep.core.task import Data

# Of this code: networks that another version trained are other networks.
TRAINING_VERSION = 1

_Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
_Step = Callable[..., Any]
_Batch = tuple[npt.NDArray[np.float32], npt.NDArray[Any]]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # Adam's usual settings
_WARM_UP = 0.1  # share of the steps in which the rate rises; then it falls to 0
_EVALUATION_BATCH = 250


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: number of batches; 0 changes nothing.
        batch_size: samples a batch.
        learning_rate: the highest one.
        seed: of the order of the samples; the same seed gives the same weights.
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int


def train(
    made: Compressed[keras.Model],
    data: Data,
    schedule: Schedule,
    loss: str = "sparse_categorical_crossentropy",
) -> None:
    """Trains in place on the training data with Adam.

    The learning rate rises linearly over the first tenth of the steps, then falls to 0.

    Args:
        made: whose outputs the loss takes; of a kernel with a mask only what is kept is trained.
        data: its training part is used.
        schedule: how long and how fast.
        loss: Keras' name of one of labels and outputs.
    """
    model = made.network
    loss_of_batch = keras.losses.get(loss)

    def mean_loss(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(loss_of_batch(y, model(x, training=True)))

    step = _compiled_step(model, mean_loss, _masks(model, made.hooks))
    _descend(step, _batches(data, schedule), schedule)


def outputs_of(model: keras.Model, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What the network gives for at least one sample; (n, ...)."""
    starts = range(0, len(x), _EVALUATION_BATCH)
    batches = (x[start : start + _EVALUATION_BATCH] for start in starts)
    return np.concatenate([np.asarray(model(batch, training=False)) for batch in batches])


def _batches(data: Data, schedule: Schedule) -> Iterator[_Batch]:
    """Batches of a shuffled training set, shuffled anew when it is used up."""
    rng = np.random.default_rng(schedule.seed)
    order: npt.NDArray[np.int64] = np.empty(0, np.int64)
    size = min(schedule.batch_size, len(data.x_train))
    for _ in range(schedule.steps):
        if len(order) < size:
            order = rng.permutation(len(data.x_train))
        chosen, order = order[:size], order[size:]
        yield data.x_train[chosen], data.y_train[chosen]


def _masks(model: keras.Model, hooks: Mapping[str, LayerHook]) -> dict[int, tf.Tensor]:
    """Position of a variable -> mask of its weights that are trained, where some are not."""
    positions = {id(variable): n for n, variable in enumerate(model.trainable_variables)}
    return {
        positions[id(model.get_layer(name).kernel)]: tf.constant(hook.kept, dtype=tf.float32)
        for name, hook in hooks.items()
        if hook.kept is not None
    }


def _descend(step_function: _Step, batches: Iterator[_Batch], schedule: Schedule) -> None:
    for step, (x, y) in enumerate(batches, start=1):
        rate = schedule.learning_rate * rate_share(step, schedule.steps)
        step_function(
            tf.constant(x), tf.constant(y), tf.constant(rate, tf.float32),
            tf.constant(_BETA1**step, tf.float32), tf.constant(_BETA2**step, tf.float32),
        )  # fmt: skip


def rate_share(step: int, steps: int) -> float:
    """Learning rate of a step (from 1) over the highest one, 0..1: up over a tenth, then down."""
    rising = step / (_WARM_UP * steps + 1)
    falling = (steps - step + 1) / ((1 - _WARM_UP) * steps + 1)
    return min(1.0, rising, falling)


def _compiled_step(model: keras.Model, loss_of: _Loss, masks: Mapping[int, tf.Tensor]) -> _Step:
    """One step of Adam as a graph: (x, y, rate, beta1^t, beta2^t)."""
    variables = [variable.value for variable in model.trainable_variables]
    first = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
    second = [tf.Variable(tf.zeros_like(variable)) for variable in variables]

    def step(
        x: tf.Tensor, y: tf.Tensor, rate: tf.Tensor, power1: tf.Tensor, power2: tf.Tensor
    ) -> None:
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

    return tf.function(step)
