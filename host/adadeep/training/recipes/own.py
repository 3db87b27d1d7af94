"""How a user's own network is trained: as its file, the user or the labels say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adadeep.core.compressed import Compressed
from adadeep.core.rows import Rows
from adadeep.core.task import Data

if TYPE_CHECKING:
    from adadeep.training.objective import Objective


@dataclass(frozen=True, slots=True)
class OwnRecipe:
    """A `Recipe` of a user's own task; its text is the same wherever the same is asked for.

    Attributes:
        name: "own".
        title: for people: "50 steps of 32, 200 for the winner; from the labels".
        base_steps: that train the initial network; 0 of one that is trained.
        fine_tune_steps: after a compression, times what its techniques need.
        full_steps: likewise, of a network that is to be used.
        batch_size: samples a step.
        base_rate: the highest learning rate from scratch.
        fine_tune_rate: likewise, after a compression.
        says: what is minimised, and what code of the user's has a part in it, by its hash.
        is_pretrained: whether batch normalisations go by the statistics that they have.
        objective: what is minimised.
        augment: makes other samples of a batch's; None for none.
        optimizer: makes an optimizer of Keras; None for Adam.
        distils: whether networks learn of the initial one, too.
    """

    name: str
    title: str
    base_steps: int
    fine_tune_steps: int
    full_steps: int
    batch_size: int
    base_rate: float
    fine_tune_rate: float
    says: str
    is_pretrained: bool
    objective: Objective
    augment: Callable[[Any], Any] | None = field(default=None, repr=False)
    optimizer: Callable[[], Any] | None = field(default=None, repr=False)
    distils: bool = False

    def train(
        self,
        made: Compressed[Any],
        data: Data,
        steps: int,
        seed: int,
        learning_rate: float,
        teacher: Rows | None = None,
    ) -> None:
        """Trains in place, by `fit.train`; what is frozen stays as it is."""
        from adadeep.training import fit, frozen

        if self.is_pretrained:
            frozen.hold_statistics(made.network)
        if data.are_labels_its_own and teacher is None:
            teacher = data.y_train  # all that there is to learn of
        aid = fit.Aid(teacher, self.augment, self.optimizer)
        schedule = fit.Schedule(steps, self.batch_size, learning_rate, seed)
        fit.train(made, data, schedule, self.objective, aid)
