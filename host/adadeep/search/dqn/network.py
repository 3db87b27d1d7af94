"""The Q network: a shared trunk (omega), column G (beta) and column H (eta); Q = G + H (Eq. 7).

Pure numpy: on so small a network TensorFlow takes twice as long, besides the seconds and the
memory that loading it costs.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from adadeep.search.dqn.adam import Adam
from adadeep.search.dqn.config import DqnConfig
from adadeep.search.dqn.targets import column_targets
from adadeep.search.dqn.weights import Dense, Floats, QWeights, linear, relu
from adadeep.search.replay import Batch

Actions = npt.NDArray[np.int32]


class QNetwork:
    """The network that learns; `weights` give what it computes.

    Args:
        features: length of a state vector.
        actions: number of actions.
        config: sizes and learning rate.
        seed: of the weights; the same seed gives the same weights.
    """

    def __init__(self, features: int, actions: int, config: DqnConfig, seed: int) -> None:
        weights = _initial(features, actions, config, np.random.default_rng(seed))
        if config.starts_at_zero:
            for _, (kernel, _) in (weights.gain, weights.satisfaction):
                kernel[:] = 0.0
        self._parameters = _flat(weights)
        self._weights = _shaped(self._parameters, weights)  # views: they move with the parameters
        self._adam = Adam(self._parameters.size, config.learning_rate)
        self._separate = config.separate_columns

    @property
    def weights(self) -> QWeights:
        """A copy of the weights as they are now."""
        return _shaped(self._parameters.copy(), self._weights)

    def descend(self, batch: Batch, target: QWeights, gamma: float, steps: int) -> QWeights:
        """Gradient steps, each on as many transitions; their targets are taken before the first.

        Args:
            batch: transitions for all steps.
            target: weights of the target network.
            gamma: discount of Eq. 10.
            steps: how many.

        Returns:
            The weights afterwards.
        """
        ahead = [weights.columns(batch.next_states) for weights in (self.weights, target)]
        return self.approach(batch, column_targets(batch, gamma, *ahead), steps)

    def approach(self, batch: Batch, targets: Floats, steps: int) -> QWeights:
        """Gradient steps towards targets of G and H, each on as many transitions.

        Args:
            batch: transitions for all steps.
            targets: (rows, 2).
            steps: how many.

        Returns:
            The weights afterwards.
        """
        rows = len(batch.actions) // steps
        self.learn(
            batch.states.reshape(steps, rows, -1),
            batch.actions.reshape(steps, rows),
            targets.reshape(steps, rows, 2),
        )
        return self.weights

    def learn(self, states: Floats, actions: Actions, targets: Floats) -> float:
        """Several gradient steps towards the targets of G and H.

        Args:
            states: (steps, rows, features).
            actions: that were taken; (steps, rows).
            targets: of G and H; (steps, rows, 2).

        Returns:
            The loss before the last step.
        """
        loss = 0.0
        for step in zip(states, actions, targets, strict=True):
            loss, gradients = loss_and_gradients(self._weights, *step, separate=self._separate)
            self._adam.step(self._parameters, _flat(gradients))
        return loss


def loss_and_gradients(
    weights: QWeights, states: Floats, actions: Actions, targets: Floats, *, separate: bool
) -> tuple[float, QWeights]:
    """The mean squared error of what was taken, and its derivative by every weight.

    Args:
        weights: where.
        states: (rows, features).
        actions: that were taken; (rows,).
        targets: of G and H; (rows, 2).
        separate: compare G and H each with its target; else their sums (Eq. 9).
    """
    shared = [states]  # what each layer of the trunk takes, and last what the columns take
    for layer in weights.trunk:
        shared.append(relu(shared[-1], layer))
    columns = (weights.gain, weights.satisfaction)
    hidden = [relu(shared[-1], first) for first, _ in columns]
    outputs = [linear(inputs, last) for inputs, (_, last) in zip(hidden, columns, strict=True)]
    loss, by_outputs = _loss(outputs, actions, targets, separate)

    by_shared, column_gradients = np.zeros_like(shared[-1]), []
    for (first, last), inputs, by_output in zip(columns, hidden, by_outputs, strict=True):
        by_hidden = (by_output @ last[0].T) * (inputs > 0)
        column_gradients += [_by_layer(shared[-1], by_hidden), _by_layer(inputs, by_output)]
        by_shared += by_hidden @ first[0].T
    return loss, QWeights.of([*_by_trunk(weights.trunk, shared, by_shared), *column_gradients])


def _loss(
    outputs: list[Floats], actions: Actions, targets: Floats, separate: bool
) -> tuple[float, list[Floats]]:
    """The loss, and its derivatives by G and by H of every action."""
    taken = np.arange(len(actions)), actions
    errors = np.stack([output[taken] for output in outputs], axis=1) - targets
    if not separate:
        errors = errors.sum(axis=1, keepdims=True)  # Eq. 9: of Q, the sum of the columns
    loss = float(np.square(errors).mean())
    by_taken = np.broadcast_to(errors * (2 / errors.size), targets.shape)
    by_outputs = [np.zeros_like(output) for output in outputs]
    for number, by_output in enumerate(by_outputs):
        by_output[taken] = by_taken[:, number]
    return loss, by_outputs


def _by_trunk(layers: tuple[Dense, ...], shared: list[Floats], by_shared: Floats) -> list[Dense]:
    """Derivatives by the layers of the trunk, by those by its last outputs."""
    gradients: list[Dense] = []
    for (kernel, _), (inputs, outputs) in reversed([*zip(layers, pairwise(shared), strict=True)]):
        by_linear = by_shared * (outputs > 0)
        gradients.append(_by_layer(inputs, by_linear))
        by_shared = by_linear @ kernel.T
    return gradients[::-1]


def _by_layer(inputs: Floats, by_outputs: Floats) -> Dense:
    """Derivatives by kernel and bias of a layer, by those of what it gives before any ReLU."""
    return inputs.T @ by_outputs, by_outputs.sum(axis=0)


def _initial(features: int, actions: int, config: DqnConfig, rng: np.random.Generator) -> QWeights:
    """Kernels after Glorot and Bengio (2010), evenly distributed; biases 0."""
    sizes = (features, *config.trunk_units)
    column = [(sizes[-1], config.column_units), (config.column_units, actions)]

    def dense(inputs: int, outputs: int) -> Dense:
        limit = (6 / (inputs + outputs)) ** 0.5
        kernel = rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)
        return kernel, np.zeros(outputs, np.float32)

    return QWeights.of([dense(*shape) for shape in (*pairwise(sizes), *column, *column)])


def _flat(weights: QWeights) -> Floats:
    """All numbers in one vector."""
    return np.concatenate([part.ravel() for layer in weights.layers for part in layer])


def _shaped(numbers: Floats, like: QWeights) -> QWeights:
    """Views of such a vector in the shapes of some weights."""
    ends = np.cumsum([part.size for layer in like.layers for part in layer])[:-1]
    parts = iter(np.split(numbers, ends))
    return QWeights.of(
        [(next(parts).reshape(kernel.shape), next(parts)) for kernel, _ in like.layers]
    )
