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
from adadeep.core.rows import Array, Rows, each, together
from adadeep.core.task import Data
from adadeep.training.frozen import about_map_bytes, drawing, reseed
from adadeep.training.objective import Objective

# Of this code: networks that another version trained are other networks.
TRAINING_VERSION = 2

_Step = Callable[..., Any]
_Tensors = tuple[tf.Tensor, ...]
Augment = Callable[[Any], Any]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # Adam's usual settings
_WARM_UP = 0.1  # share of the steps in which the rate rises; then it falls to 0
_EVALUATION_BATCH = 250
_EVALUATION_BYTES = 5e8  # of a batch's feature maps: Keras keeps all until the last is made


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: number of batches; 0 changes nothing.
        batch_size: samples a batch.
        learning_rate: the highest one.
        seed: of the order of the samples and of what layers draw; the same seed gives the same
            weights.
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class Aid:
    """What may help training.

    Attributes:
        teacher: outputs of another network for the training samples; None for none.
        augment: makes other samples of a batch's, for the first input; None for none. What a
            layer of Keras draws follows from the seed; a function sees to that itself.
        optimizer: makes an optimizer of Keras; None for Adam.
    """

    teacher: Rows | None = None
    augment: Augment | None = None
    optimizer: Callable[[], Any] | None = None


def train(
    made: Compressed[keras.Model],
    data: Data,
    schedule: Schedule,
    loss: str | Objective = "sparse_categorical_crossentropy",
    aid: Aid = Aid(),
) -> None:
    """Trains in place on the training data.

    The learning rate rises linearly over the first tenth of the steps, then falls to 0.

    Args:
        made: whose outputs the loss takes; of a kernel with a mask only what is kept is trained,
            and of the variables only those that are trainable.
        data: its training part is used.
        schedule: how long and how fast.
        loss: Keras' name of one of labels and outputs, or one for each output.
        aid: a teacher and more.
    """
    if not schedule.steps:
        return
    objective = (
        loss if isinstance(loss, Objective) else Objective((keras.losses.get(loss),), (1.0,))
    )
    model = made.network
    keras.utils.set_random_seed(schedule.seed)  # of what augments
    reseed(drawing(model), schedule.seed)
    if isinstance(aid.augment, keras.layers.Layer):
        reseed(drawing(aid.augment), schedule.seed + 1)
    loss_of_batch = _loss_of_batch(model, objective, aid.augment)
    masks = _masks(model, made.hooks)
    variables = [variable.value for variable in model.trainable_variables]
    optimizer = _Kerass(model, aid.optimizer) if aid.optimizer else _Adam(variables)
    step = _compiled_step(variables, loss_of_batch, masks, optimizer)
    _descend(step, _batches(data, schedule, aid.teacher), schedule)


def outputs_of(model: keras.Model, x: Rows) -> Rows:
    """What the network gives for at least one sample; an array of (n, ...) for each output."""
    run = flat(model)
    affordable = int(_EVALUATION_BYTES // max(about_map_bytes(model), 1.0))
    size = min(max(affordable, 1), _EVALUATION_BATCH)
    found: list[tuple[Array, ...]] = []
    for start in range(0, len(x), size):
        batch = _cast(model, [tf.constant(part) for part in each(x[start : start + size])])
        found.append(tuple(np.asarray(one) for one in run(batch, training=False)))
    return together(np.concatenate(parts) for parts in zip(*found, strict=True))


def flat(model: keras.Model) -> Callable[..., tuple[tf.Tensor, ...]]:
    """The network as a function of its inputs, in order, to its outputs, in order.

    Whatever they are for its callers: one tensor, a list, a dictionary.
    """
    if len(model.inputs) == len(model.outputs) == 1 and _is_plain(model):
        return lambda inputs, training: (model(inputs[0], training=training),)
    ends = keras.Model(list(model.inputs), list(model.outputs))

    def run(inputs: list[tf.Tensor], training: bool) -> tuple[tf.Tensor, ...]:
        found = ends(list(inputs), training=training)
        return tuple(keras.tree.flatten(found))  # Keras gives one tensor for a list of one

    return run


def _is_plain(model: keras.Model) -> bool:
    """Whether it takes and gives one tensor, in no list or dictionary."""
    ends = (getattr(model, f"_{way}_struct", None) for way in ("inputs", "outputs"))
    return not any(isinstance(end, (dict, list, tuple)) for end in ends)


def _cast(model: keras.Model, tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    """As the network's inputs are typed: images are kept as bytes until here."""
    return [tf.cast(one, port.dtype) for one, port in zip(tensors, model.inputs, strict=True)]


def _loss_of_batch(
    model: keras.Model, objective: Objective, augment: Augment | None
) -> Callable[..., tf.Tensor]:
    """The mean loss of a batch: of samples, labels, weights and a teacher's outputs."""
    run = flat(model)

    def mean_loss(x: _Tensors, y: _Tensors, weights: _Tensors, taught: _Tensors) -> tf.Tensor:
        inputs = _cast(model, list(x))
        if augment is not None:
            inputs[0] = augment(inputs[0])
        outputs = run(inputs, training=True)
        values = objective.of(y, outputs, taught)
        loss = tf.reduce_mean(values * weights[0] if weights else values)
        extra = model.losses  # regularisers of layers
        return loss + tf.add_n([tf.cast(one, loss.dtype) for one in extra]) if extra else loss

    return mean_loss


def _batches(
    data: Data, schedule: Schedule, teacher: Rows | None
) -> Iterator[tuple[tuple[Array, ...], ...]]:
    """Batches of a shuffled training set, shuffled anew when it is used up."""
    rng = np.random.default_rng(schedule.seed)
    order: npt.NDArray[np.int64] = np.empty(0, np.int64)
    size = min(schedule.batch_size, len(data.x_train))
    weights = () if data.weights_train is None else (data.weights_train,)
    taught = () if teacher is None else each(teacher)
    kinds = (each(data.x_train), each(data.y_train), weights, taught)
    for _ in range(schedule.steps):
        if len(order) < size:
            order = rng.permutation(len(data.x_train))
        chosen, order = order[:size], order[size:]
        yield tuple(tuple(array[chosen] for array in arrays) for arrays in kinds)


def _masks(model: keras.Model, hooks: Mapping[str, LayerHook]) -> dict[int, tf.Tensor]:
    """Position of a variable -> mask of its weights that are trained, where some are not."""
    positions = {id(variable): n for n, variable in enumerate(model.trainable_variables)}
    kernels = (
        (positions.get(id(model.get_layer(name).kernel)), hook.kept)
        for name, hook in hooks.items()
    )
    return {
        place: tf.constant(kept, dtype=tf.float32)
        for place, kept in kernels
        if kept is not None and place is not None  # a frozen layer has no place
    }


def _descend(
    step_function: _Step, batches: Iterator[tuple[tuple[Array, ...], ...]], schedule: Schedule
) -> None:
    for step, kinds in enumerate(batches, start=1):
        rate = schedule.learning_rate * rate_share(step, schedule.steps)
        tensors = (tuple(tf.constant(array) for array in arrays) for arrays in kinds)
        step_function(
            *tensors, tf.constant(rate, tf.float32), tf.constant(float(step), tf.float32)
        )


def rate_share(step: int, steps: int) -> float:
    """Learning rate of a step (from 1) over the highest one, 0..1: up over a tenth, then down."""
    rising = step / (_WARM_UP * steps + 1)
    falling = (steps - step + 1) / ((1 - _WARM_UP) * steps + 1)
    return min(1.0, rising, falling)


class _Adam:
    """Adam by TensorFlow's fused kernel."""

    def __init__(self, variables: list[tf.Variable]) -> None:
        self._variables = variables
        self._first = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self._second = [tf.Variable(tf.zeros_like(variable)) for variable in variables]

    def apply(self, gradients: list[tf.Tensor | None], rate: tf.Tensor, step: tf.Tensor) -> None:
        """Changes each variable that has a gradient."""
        for position, gradient in enumerate(gradients):
            if gradient is None:
                continue
            tf.raw_ops.ResourceApplyAdam(
                var=self._variables[position].handle,
                m=self._first[position].handle, v=self._second[position].handle,
                beta1_power=tf.constant(_BETA1) ** step, beta2_power=tf.constant(_BETA2) ** step,
                lr=rate, beta1=_BETA1, beta2=_BETA2, epsilon=_EPSILON, grad=gradient,
            )  # fmt: skip


class _Kerass:
    """An optimizer of Keras, by our rate."""

    def __init__(self, model: keras.Model, make: Callable[[], Any]) -> None:
        self._optimizer = make()
        self._variables = list(model.trainable_variables)
        self._optimizer.build(self._variables)

    def apply(self, gradients: list[tf.Tensor | None], rate: tf.Tensor, step: tf.Tensor) -> None:  # noqa: ARG002
        """Changes each variable that has a gradient."""
        self._optimizer.learning_rate.assign(rate)
        pairs = zip(gradients, self._variables, strict=True)
        self._optimizer.apply_gradients([pair for pair in pairs if pair[0] is not None])


def _compiled_step(
    variables: list[tf.Variable],
    loss_of: Callable[..., tf.Tensor],
    masks: Mapping[int, tf.Tensor],
    optimizer: _Adam | _Kerass,
) -> _Step:
    """One step as a graph: (x, y, weights, taught, rate, number of the step from 1)."""

    def step(
        x: _Tensors, y: _Tensors, weights: _Tensors, taught: _Tensors,
        rate: tf.Tensor, number: tf.Tensor,
    ) -> None:  # fmt: skip
        with tf.GradientTape() as tape:
            loss = loss_of(x, y, weights, taught)
        gradients = [
            None if one is None else tf.convert_to_tensor(one)
            for one in tape.gradient(loss, variables)
        ]
        # A masked gradient leaves both moments, and so the weight, at 0.
        masked = [
            gradient * masks[position] if position in masks and gradient is not None else gradient
            for position, gradient in enumerate(gradients)
        ]
        optimizer.apply(masked, rate, number)

    return tf.function(step)
