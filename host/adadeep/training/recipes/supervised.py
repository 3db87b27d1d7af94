"""Training by labels with Adam: what the recipes have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from adadeep.core.compressed import Compressed
from adadeep.core.task import Data

_FULL = 4  # times as many steps as in a search, of what is to be used


@dataclass(frozen=True, slots=True)
class Supervised:
    """A `Recipe` that minimises one of Keras' losses of outputs and labels.

    Attributes:
        name: in the registry, in tasks.
        title: for people.
        base_steps: that train the initial network.
        fine_tune_steps: after a compression, times what its techniques need.
        batch_size: samples a step of a fine-tuning.
        base_rate: on MNIST and digits, of 1e-3, 2e-3 and 3e-3 the best for a few hundred steps.
        fine_tune_rate: compressed networks inherit nearly all they need, and a higher rate forgets
            more of it in tens of steps than it learns.
        loss: as Keras names it.
        full_steps: of the fine-tuning of a network that is to be used.
        base_batch_size: samples a step from scratch, that is at a rate above `fine_tune_rate`;
            None for `batch_size`.
        shift: pixels by which images are moved at most, from scratch.
    """

    name: str
    title: str
    base_steps: int
    fine_tune_steps: int
    batch_size: int = 32
    base_rate: float = 3e-3
    fine_tune_rate: float = 5e-4
    loss: str = "sparse_categorical_crossentropy"
    full_steps: int | None = None
    base_batch_size: int | None = None
    shift: int = 0

    def __post_init__(self) -> None:
        if self.full_steps is None:
            object.__setattr__(self, "full_steps", _FULL * self.fine_tune_steps)

    def train(
        self, made: Compressed[Any], data: Data, steps: int, seed: int, learning_rate: float
    ) -> None:
        """Trains in place, by `fit.train`."""
        from adadeep.training import fit
        from adadeep.training.augment import shifted

        is_base = learning_rate > self.fine_tune_rate
        batch_size = (is_base and self.base_batch_size) or self.batch_size
        aid = (
            fit.Aid(augment=partial(shifted, most=self.shift)) if is_base and self.shift else None
        )
        schedule = fit.Schedule(steps, batch_size, learning_rate, seed)
        fit.train(made, data, schedule, self.loss, aid or fit.Aid())
