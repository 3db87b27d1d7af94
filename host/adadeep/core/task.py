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


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Samples and their labels, in four parts that share none.

    Attributes:
        x_train: (n, ...) what the network takes; images are (n, height, width, channels), 0..1.
        y_train: (n, ...) what the recipe trains it to; of classes (n,), from 0.
        x_val: the search's quality is taken here.
        y_val: labels of `x_val`.
        x_held: held back from the search; finalists are tested here. A third of what validates.
        y_held: labels of `x_held`.
        x_test: touched at the very end only.
        y_test: labels of `x_test`.
        class_names: what each output of the network stands for, in order.
        source: where the data came from.
    """

    x_train: npt.NDArray[np.float32]
    y_train: npt.NDArray[Any]
    x_val: npt.NDArray[np.float32]
    y_val: npt.NDArray[Any]
    x_held: npt.NDArray[np.float32]
    y_held: npt.NDArray[Any]
    x_test: npt.NDArray[np.float32]
    y_test: npt.NDArray[Any]
    class_names: tuple[str, ...]
    source: str

    @property
    def classes(self) -> int:
        """How many outputs a network has."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one sample: (height, width, channels)."""
        return tuple(self.x_train.shape[1:])


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
