"""accuracy: the share of samples whose largest output is at the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Accuracy:
    """Right (1) where the largest output is at the label, else wrong (0)."""

    name = "accuracy"
    title = "accuracy"
    higher_is_better = True
    low = 0.0
    high = 1.0
    is_binary = True
    least_agreement = 0.95

    def scores(self, outputs: npt.NDArray[Any], labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of outputs (n, classes) and labels (n,)."""
        return np.asarray(outputs.argmax(axis=-1) == labels, np.float64)

    def agreement(self, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
        """The share of samples whose largest output is at the same place."""
        return float(np.mean(a.argmax(axis=-1) == b.argmax(axis=-1)))


ACCURACY = Accuracy()
