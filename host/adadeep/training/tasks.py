"""The tasks, and how one becomes what it names."""

from __future__ import annotations

from dataclasses import dataclass

from adadeep.core.metric import Metric
from adadeep.core.task import Data, Network, Recipe, Task
from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES, TASKS

DIGITS = Task(
    "digits", "Handwritten digits, 8x8 (scikit-learn)", "lenet", "digits", "digits", "accuracy"
)
MNIST = Task("mnist", "MNIST handwritten digits, 28x28", "lenet", "mnist", "mnist", "accuracy")


@dataclass(frozen=True, slots=True, eq=False)
class LoadedTask:
    """A task's parts.

    Attributes:
        title: of the task.
        network: that is compressed.
        data: that it is trained and tested on.
        recipe: that it is trained by.
        metric: that it is judged by.
        notes: for people: what was inferred, what is odd about the data.
        is_trained: whether the network comes with the weights that it is to be compressed with.
    """

    title: str
    network: Network
    data: Data
    recipe: Recipe
    metric: Metric
    notes: tuple[str, ...] = ()
    is_trained: bool = False


def load_task(name: str) -> LoadedTask:
    """The task of that name with its data.

    Raises:
        ConfigError: no such task or part of it, or its data can't be had.
    """
    task = TASKS.get(name)
    return LoadedTask(
        title=task.title,
        network=NETWORKS.get(task.network),
        recipe=RECIPES.get(task.recipe),
        metric=METRICS.get(task.metric),
        data=DATA_SETS.get(task.data_set).load(),
    )
