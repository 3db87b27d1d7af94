"""agreement: how far a network says what the initial one says; needs no labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.training.ends import A_CLASS, End, Meaning


class Agreement:
    """The same answer (1) or another (0); of values one less their difference over the range.

    Args:
        end: what the output means; of values it has the range that the initial network gives.
    """

    name = "agreement"
    title = "agreement with the initial network"
    higher_is_better = True
    low = 0.0
    high = 1.0
    least_agreement = 0.95
    labels_are_outputs = True

    def __init__(self, end: End = A_CLASS) -> None:
        self.end = end
        self.is_binary = end.is_one and end.meaning is not Meaning.VALUES

    def suits(self, end: End) -> bool:  # noqa: ARG002  # any
        """Whether it can judge such an output."""
        return True

    def of(self, end: End) -> Agreement:
        """The same for another output."""
        return Agreement(end)

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """Of outputs, and those of the initial network, or its classes (n,)."""
        if self.end.meaning is not Meaning.VALUES:
            same = self.end.answers(outputs) == self.end.truth(labels, outputs)
            return np.asarray(same, np.float64).reshape(len(same), -1).mean(axis=1)
        span = self.end.high - self.end.low
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.abs(np.asarray(outputs, np.float64) - labels).reshape(len(outputs), -1)
            return np.asarray(1 - np.minimum(np.nan_to_num(far / span, nan=1.0), 1).mean(axis=1))

    def agreement(self, a: Any, b: Any) -> float:
        """The mean."""
        return float(np.mean(self.scores(a, b)))


AGREEMENT = Agreement()
