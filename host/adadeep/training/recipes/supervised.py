"""Training by labels with Adam: what the recipes have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adadeep.core.compressed import Compressed
from adadeep.core.task import Data


@dataclass(frozen=True, slots=True)
class Supervised:
    """A `Recipe` that minimises one of Keras' losses of outputs and labels.

    Attributes:
        name: in the registry, in tasks.
        title: for people.
        base_steps: that train the initial network.
        fine_tune_steps: after a compression, times what its techniques need.
        batch_size: samples a step.
        base_rate: on MNIST and digits, of 1e-3, 2e-3 and 3e-3 the best for a few hundred steps.
        fine_tune_rate: compressed networks inherit nearly all they need, and a higher rate forgets
            more of it in tens of steps than it learns.
        loss: as Keras names it.
    """

    name: str
    title: str
    base_steps: int
    fine_tune_steps: int
    batch_size: int = 32
    base_rate: float = 3e-3
    fine_tune_rate: float = 5e-4
    loss: str = "sparse_categorical_crossentropy"

    def train(
        self, made: Compressed[Any], data: Data, steps: int, seed: int, learning_rate: float
    ) -> None:
        """Trains in place, by `fit.train`."""
        from adadeep.training import fit

        schedule = fit.Schedule(steps, self.batch_size, learning_rate, seed)
        fit.train(made, data, schedule, self.loss)
