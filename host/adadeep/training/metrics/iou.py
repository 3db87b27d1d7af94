"""iou: intersection over union of what is marked and what is to be marked, by image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.training.ends import A_CLASS, End, Meaning


class IoU:
    """Of an image the mean of its classes' intersection over union; of flags that of what is set.

    Classes that an image neither has nor was given are left out; one without any is wholly right.

    Args:
        end: what the output means.
    """

    name = "iou"
    title = "IoU by image"
    higher_is_better = True
    low = 0.0
    high = 1.0
    is_binary = False
    least_agreement = 0.9

    def __init__(self, end: End = A_CLASS) -> None:
        self.end = end

    def suits(self, end: End) -> bool:
        """Whether it can judge such an output."""
        return end.meaning is not Meaning.VALUES and not end.is_one

    def of(self, end: End) -> IoU:
        """The same for another output."""
        return IoU(end)

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """Of outputs (n, h, w, classes) or (n, h, w, 1), and labels (n, h, w)."""
        return self._overlap(self.end.answers(outputs), self.end.truth(labels, outputs))

    def agreement(self, a: Any, b: Any) -> float:
        """The mean of the images."""
        return float(np.mean(self._overlap(self.end.answers(a), self.end.answers(b))))

    def _overlap(self, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
        a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
        first = 1 if self.end.meaning is Meaning.FLAGS else 0
        total, present = np.zeros(len(a)), np.zeros(len(a))
        for number in range(first, max(int(a.max()), int(b.max())) + 1):
            is_a, is_b = a == number, b == number
            union = (is_a | is_b).sum(axis=1)
            total += (is_a & is_b).sum(axis=1) / np.maximum(union, 1)
            present += union > 0
        return np.where(present > 0, total / np.maximum(present, 1), 1.0)


IOU = IoU()
