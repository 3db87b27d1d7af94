"""mean_error: how far outputs are from their labels, on average."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.training.ends import A_VALUE, End, Meaning

_SAME = 0.01  # of the range: as far as two runtimes may be apart


class MeanError:
    """The mean absolute error of a sample, at most the range of the labels.

    Args:
        end: what the output means: it has the range of the labels.
    """

    name = "mean_error"
    title = "mean error"
    higher_is_better = False
    is_binary = False
    low = 0.0
    least_agreement = 0.9

    def __init__(self, end: End = A_VALUE) -> None:
        self.end = end
        self.high = end.high - end.low

    def suits(self, end: End) -> bool:
        """Whether it can judge such an output."""
        return end.meaning is Meaning.VALUES

    def of(self, end: End) -> MeanError:
        """The same for another output."""
        return MeanError(end)

    def scores(self, outputs: Any, labels: Any) -> npt.NDArray[Any]:
        """Of outputs and labels of one shape."""
        given = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
        wanted = np.asarray(labels, np.float64).reshape(given.shape)
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.nan_to_num(np.abs(given - wanted), nan=self.high, posinf=self.high)
        return np.asarray(np.minimum(far, self.high).mean(axis=1))

    def agreement(self, a: Any, b: Any) -> float:
        """The share of samples that are at most a hundredth of the range apart."""
        return float(np.mean(self.scores(a, b) <= _SAME * self.high))


MEAN_ERROR = MeanError()
