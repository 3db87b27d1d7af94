"""accuracy: the share of samples whose largest output is at the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.training.ends import A_CLASS, End, Meaning


class Accuracy:
    """Right (1) where the answer is the label, else wrong (0); of several answers their share.

    Args:
        end: what the output means.
    """

    name = "accuracy"
    title = "accuracy"
    higher_is_better = True
    low = 0.0
    high = 1.0
    least_agreement = 0.95

    def __init__(self, end: End = A_CLASS) -> None:
        self.end = end
        self.is_binary = end.is_one

    def suits(self, end: End) -> bool:
        """Whether it can judge such an output."""
        return end.meaning is not Meaning.VALUES

    def of(self, end: End) -> Accuracy:
        """The same for another output."""
        return type(self)(end)

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """Of outputs (n, classes) and labels (n,), or what else `end` says."""
        return self._same(self.end.answers(outputs), self.end.truth(labels, outputs))

    def agreement(self, a: Any, b: Any) -> float:
        """The share of answers that are the same."""
        return float(np.mean(self._same(self.end.answers(a), self.end.answers(b))))

    def _same(self, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
        same = np.asarray(a == b, np.float64).reshape(len(a), -1)
        return np.asarray(same.mean(axis=1))


ACCURACY = Accuracy()
