"""The Q network: a shared trunk (omega), column G (beta) and column H (eta); Q = G + H (Eq. 7)."""

from __future__ import annotations

from itertools import count

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from adadeep.search.dqn.config import DqnConfig
from adadeep.search.dqn.weights import QWeights

Floats = npt.NDArray[np.float32]

_COLUMNS = ("gain", "satisfaction")


class QNetwork:
    """The network that learns; `weights` give what it computes.

    Args:
        features: length of a state vector.
        actions: number of actions.
        config: sizes and learning rate.
        seed: of the weights; the same seed gives the same weights.
    """

    def __init__(self, features: int, actions: int, config: DqnConfig, seed: int) -> None:
        self._model = _build(features, actions, config, seed)
        self._optimizer = keras.optimizers.Adam(config.learning_rate)
        self._optimizer.build(self._model.trainable_variables)
        self._separate = config.separate_columns
        self._layer_names = [f"trunk{number}" for number in range(len(config.trunk_units))]
        self._layer_names += [f"{name}{part}" for name in _COLUMNS for part in ("_hidden", "")]
        several = tf.TensorSpec((None, None, features), tf.float32)
        numbers = tf.TensorSpec((None, None), tf.int32)
        targets = tf.TensorSpec((None, None, 2), tf.float32)
        self._steps = tf.function(self._learn, input_signature=[several, numbers, targets])

    @property
    def weights(self) -> QWeights:
        """A copy of the weights as they are now."""
        layers = [self._model.get_layer(name) for name in self._layer_names]
        dense = [tuple(variable.numpy() for variable in layer.weights) for layer in layers]
        *trunk, gain1, gain2, satisfaction1, satisfaction2 = dense
        return QWeights(tuple(trunk), (gain1, gain2), (satisfaction1, satisfaction2))

    def learn(self, states: Floats, actions: npt.NDArray[np.int32], targets: Floats) -> float:
        """Several gradient steps towards the targets of G and H, in one call of TensorFlow.

        Args:
            states: (steps, rows, features).
            actions: that were taken; (steps, rows).
            targets: of G and H; (steps, rows, 2).

        Returns:
            The loss before the last step.
        """
        return float(self._steps(states, actions, targets))

    def _learn(self, states: tf.Tensor, actions: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        loss = tf.constant(0.0)
        for step in tf.range(tf.shape(states)[0]):
            loss = self._descend(states[step], actions[step], targets[step])
        return loss

    def _descend(self, states: tf.Tensor, actions: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            columns = tf.stack(self._model(states), axis=-1)  # (rows, actions, 2)
            taken = tf.gather(columns, actions, axis=1, batch_dims=1)
            errors = targets - taken
            if not self._separate:
                errors = tf.reduce_sum(errors, axis=1)  # Eq. 9: of Q, the sum of the columns
            loss = tf.reduce_mean(tf.square(errors))
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss


def _build(features: int, actions: int, config: DqnConfig, seed: int) -> keras.Model:
    seeds = count(seed)

    def dense(units: int, activation: str | None, name: str) -> layers.Dense:
        initial = keras.initializers.GlorotUniform(seed=next(seeds))
        return layers.Dense(units, activation=activation, kernel_initializer=initial, name=name)

    state = keras.Input((features,), name="state")
    trunk = state
    for number, units in enumerate(config.trunk_units):
        trunk = dense(units, "relu", f"trunk{number}")(trunk)
    columns = [
        dense(actions, None, name)(dense(config.column_units, "relu", f"{name}_hidden")(trunk))
        for name in _COLUMNS
    ]
    return keras.Model(state, columns, name="dqn")
