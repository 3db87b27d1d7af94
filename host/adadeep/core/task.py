"""A task and its parts: a network, data, a recipe to train it by, a metric to judge it by.

Each part is registered by its name, so that a task is four names. Listing parts imports neither
TensorFlow nor data: a part does that when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from adadeep.core.compressed import Compressed
from adadeep.core.rows import Rows, each


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Samples and their labels, in four parts that share none.

    Attributes:
        x_train: n samples of what the network takes: an array for each of its inputs; images are
            (n, height, width, channels), 0..1 where the data set is a registered one.
        y_train: what the recipe trains it to, an array for each output; of classes (n,), from 0.
        x_val: the search's quality is taken here.
        y_val: labels of `x_val`.
        x_held: held back from the search; finalists are tested here. A third of what validates.
        y_held: labels of `x_held`.
        x_test: touched at the very end only.
        y_test: labels of `x_test`.
        class_names: what each output of the network stands for, in order; empty where that is no
            class.
        source: where the data came from.
        weights_train: (n,), how much each training sample counts, 1 on average; None where all
            count the same.
        are_labels_its_own: whether the labels are what the initial network itself gives.
    """

    x_train: Rows
    y_train: Rows
    x_val: Rows
    y_val: Rows
    x_held: Rows
    y_held: Rows
    x_test: Rows
    y_test: Rows
    class_names: tuple[str, ...]
    source: str
    weights_train: npt.NDArray[np.float32] | None = None
    are_labels_its_own: bool = False

    @property
    def classes(self) -> int:
        """How many outputs a network has."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one sample, of the first input: (height, width, channels)."""
        return tuple(each(self.x_train)[0].shape[1:])

    @property
    def trained_on(self) -> tuple[npt.NDArray[Any], ...]:
        """What training depends on besides the initial weights, for a hash.

        Labels that the network itself gives follow from the rest, and their last bits from the
        number of threads: they are left out.
        """
        labels = () if self.are_labels_its_own else each(self.y_train)
        weights = () if self.weights_train is None else (self.weights_train,)
        return (*each(self.x_train), *labels, *weights)


class DataSet(Protocol):
    """Data with a fixed split.

    Attributes:
        name: in the registry, in tasks.
        title: for people.
        split: version of the split; a search of another one has seen what is held back now.
    """

    name: str
    title: str
    split: int

    def load(self) -> Data:
        """The data; everybody gets the same split, each time.

        Raises:
            ConfigError: they can't be had; says what to do.
        """
        ...


class Network(Protocol):
    """The network that is compressed.

    Attributes:
        name: in the registry, in tasks.
        title: for people.
    """

    name: str
    title: str

    def build(self, input_shape: tuple[int, ...], classes: int, seed: int) -> Any:
        """An untrained `keras.Model` of one input and one output, functional or Sequential.

        Args:
            input_shape: of one sample.
            classes: how many outputs.
            seed: of the weights: the same one gives the same.

        Raises:
            ConfigError: it can't take such an input.
        """
        ...


class Recipe(Protocol):
    """How a network is trained.

    A recipe may have two members more. `full_steps` (int): of the fine-tuning of a network that
    is to be used, where `fine_tune_steps` is that of a search; see `full_steps_of`. `distils`
    (bool): its `train` takes `teacher`, too; see `train_by`.

    Attributes:
        name: in the registry, in tasks.
        title: for people.
        base_steps: that train the initial network.
        fine_tune_steps: after a compression, times what its techniques need.
        batch_size: samples a step.
        base_rate: the highest learning rate from scratch.
        fine_tune_rate: likewise, for a network that inherited nearly all it needs.
    """

    name: str
    title: str
    base_steps: int
    fine_tune_steps: int
    batch_size: int
    base_rate: float
    fine_tune_rate: float

    def train(
        self, made: Compressed[Any], data: Data, steps: int, seed: int, learning_rate: float
    ) -> None:
        """Trains a `keras.Model` in place.

        Args:
            made: as a network builds it, or compressed: its hooks say what must stay zero.
            data: its training part is used, and no other.
            steps: of `batch_size`; 0 changes nothing.
            seed: of everything random: the same one gives the same weights.
            learning_rate: the highest one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Training:
    """One training of a network.

    Attributes:
        steps: of the recipe's `batch_size`; 0 changes nothing.
        seed: of everything random.
        learning_rate: the highest one.
        teacher: outputs of the initial network for the training samples, row by row, of which
            the network may learn besides the labels; None where it learns of the labels alone.
    """

    steps: int
    seed: int
    learning_rate: float
    teacher: Rows | None = None


_FULL_OVER_SHORT = 4


def full_steps_of(recipe: Recipe) -> int:
    """Steps of the fine-tuning of a network that is to be used, times what techniques need."""
    return int(getattr(recipe, "full_steps", _FULL_OVER_SHORT * recipe.fine_tune_steps))


def learns_from_teacher(recipe: Recipe) -> bool:
    """Whether a recipe makes use of `Training.teacher`; else nobody need compute it."""
    return bool(getattr(recipe, "distils", False))


def train_by(recipe: Recipe, made: Compressed[Any], data: Data, training: Training) -> None:
    """Trains in place; recipes that know no teacher are not told of it."""
    steps, seed, rate = training.steps, training.seed, training.learning_rate
    if training.teacher is None or not learns_from_teacher(recipe):
        recipe.train(made, data, steps, seed, rate)
        return
    recipe.train(made, data, steps, seed, rate, teacher=training.teacher)  # type: ignore[call-arg]


@dataclass(frozen=True, slots=True)
class Task:
    """What a search is about: one of each, by its registered name.

    Attributes:
        name: in the registry, on the command line.
        title: for people.
        network: that is compressed.
        data_set: that it is trained and tested on.
        recipe: that it is trained by.
        metric: that it is judged by.
    """

    name: str
    title: str
    network: str
    data_set: str
    recipe: str
    metric: str
