"""cells: a task of their own, from its data to its metric: 569 measured cells, benign or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from adadeep.core.task import Data, Task
from adadeep.training.recipes.supervised import Supervised

SHARES = (0.2, 0.1, 0.2)  # test, held back, validation


class Cells:
    name = "cells"
    title = "breast cancer (scikit-learn)"
    split = 1

    def load(self) -> Data:
        from sklearn.datasets import load_breast_cancer

        bundle = load_breast_cancer()
        y = np.asarray(bundle.target, np.int64)
        order = np.random.default_rng(7).permutation(len(y))
        ends = np.cumsum([int(share * len(y)) for share in SHARES])
        test, held, val, train = np.split(order, ends)
        mean, deviation = bundle.data[train].mean(axis=0), bundle.data[train].std(axis=0)
        x = ((bundle.data - mean) / deviation).astype(np.float32)
        return Data(
            x[train], y[train], x[val], y[val], x[held], y[held], x[test], y[test],
            tuple(map(str, bundle.target_names)), "scikit-learn load_breast_cancer",
        )  # fmt: skip


class Perceptron:
    name = "perceptron"
    title = "two hidden layers of 64"

    def build(self, input_shape: tuple[int, ...], classes: int, seed: int) -> Any:
        import keras

        x = inputs = keras.Input(input_shape, name="input")
        for number, units in enumerate((64, 64, classes), start=1):
            x = keras.layers.Dense(
                units, "relu" if number < 3 else "softmax", name=f"fc{number}",
                kernel_initializer=keras.initializers.GlorotUniform(seed=10 * seed + number),
            )(x)  # fmt: skip
        return keras.Model(inputs, x, name=self.name)


class Brier:
    """The squared distance of the outputs to what they should be: 0 is best."""

    name = "brier"
    title = "Brier score"
    higher_is_better = False
    low = 0.0
    high = 2.0
    is_binary = False
    least_agreement = 0.9

    def scores(self, outputs: Any, labels: Any) -> Any:
        wanted = np.eye(outputs.shape[1])[labels]
        given = np.nan_to_num(np.asarray(outputs, np.float64)).clip(0.0, 1.0)
        return np.minimum(np.square(given - wanted).sum(axis=1), self.high)

    def agreement(self, a: Any, b: Any) -> float:
        return float(np.mean(np.abs(a - b).max(axis=1) < 0.05))


CELLS = Cells()
PERCEPTRON = Perceptron()
RECIPE = Supervised("cells", "100 steps of 32, 20 after a compression", 100, 20)
BRIER = Brier()
TASK = Task("cells", "Cells, benign or not", "perceptron", "cells", "cells", "brier")
