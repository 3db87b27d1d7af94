"""Training for few steps, with pruning masks, and accuracy.

A step loop of its own instead of `Model.fit`: at 50 steps a trial, the fixed costs of `fit`
(data adapters, callbacks, metrics) and the dozens of kernels of Keras' Adam are what one waits
for. Adam here is TensorFlow's fused kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from adadeep.core.compressed import NO_HOOKS, LayerHook
from adadeep.training.tasks import Images, Labels, Task

# Of this code: networks that another version trained are other networks.
TRAINING_VERSION = 1

# On MNIST and digits, of 1e-3, 2e-3 and 3e-3 the best for a few hundred steps from scratch.
LEARNING_RATE = 3e-3
# For compressed networks: they inherit nearly all they need, and a higher rate forgets more of it
# in tens of steps than it learns.
FINE_TUNING_RATE = 5e-4

_Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
_Step = Callable[..., Any]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # Adam's usual settings
_WARM_UP = 0.1  # share of the steps in which the rate rises; then it falls to 0
_EVALUATION_BATCH = 250


def train(
    model: keras.Model,
    task: Task,
    steps: int,
    seed: int,
    learning_rate: float = LEARNING_RATE,
    hooks: Mapping[str, LayerHook] = NO_HOOKS,
) -> None:
    """Trains in place on the task's training data with Adam.

    The learning rate rises linearly over the first tenth of the steps, then falls to 0.

    Args:
        model: ends in a softmax.
        task: gives data and batch size.
        steps: number of batches; 0 changes nothing.
        seed: of the order of the samples; the same seed gives the same weights.
        learning_rate: the highest one; `FINE_TUNING_RATE` for a compressed network.
        hooks: by layer: of a kernel with a mask only what is kept is trained.
    """

    def loss(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
        )

    step = _compiled_step(model, loss, _masks(model, hooks))
    _descend(step, _batches(task, steps, seed), (steps, learning_rate))


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


def _masks(model: keras.Model, hooks: Mapping[str, LayerHook]) -> dict[int, tf.Tensor]:
    """Position of a variable -> mask of its weights that are trained, where some are not."""
    positions = {id(variable): n for n, variable in enumerate(model.trainable_variables)}
    return {
        positions[id(model.get_layer(name).kernel)]: tf.constant(hook.kept, dtype=tf.float32)
        for name, hook in hooks.items()
        if hook.kept is not None
    }


def _descend(
    step_function: _Step, batches: Iterator[tuple[Images, Labels]], schedule: tuple[int, float]
) -> None:
    steps, learning_rate = schedule
    for step, (x, y) in enumerate(batches, start=1):
        rate = learning_rate * rate_share(step, steps)
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
