"""f1: how much of the second class is found, and how much of what is found is of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.paired_f1 import HIT, NEITHER, WRONG
from adadeep.training.ends import A_CLASS, End, Meaning


class F1:
    """The harmonic mean of recall and precision of flags, or of class 1 of two.

    A sample's score says whether it is a hit, wrong, or neither: not of the class, and not taken
    for it. Of those a quality is made by `core.paired_f1`.

    Args:
        end: what the output means.
    """

    name = "f1"
    title = "F1"
    higher_is_better = True
    low = 0.0
    high = 1.0
    is_binary = False
    least_agreement = 0.95

    def __init__(self, end: End = A_CLASS) -> None:
        self.end = end

    def suits(self, end: End) -> bool:
        """Only where a sample is of one of two classes."""
        return end.is_one and end.meaning is not Meaning.VALUES and end.classes == 2

    def of(self, end: End) -> F1:
        """The same for another output."""
        return F1(end)

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """Of outputs (n, 2) or (n, 1), and labels (n,)."""
        said = self.end.answers(outputs).reshape(len(outputs)) == 1
        true = self.end.truth(labels, outputs).reshape(len(outputs)) == 1
        return np.select([said & true, said | true], [HIT, WRONG], NEITHER)

    def agreement(self, a: Any, b: Any) -> float:
        """The share of answers that are the same."""
        return float(np.mean(self.end.answers(a) == self.end.answers(b)))


F1_OF_TWO = F1()
