"""balanced_accuracy: the mean over classes of the share of a class that is right."""

from __future__ import annotations

from adadeep.training.ends import End, Meaning
from adadeep.training.metrics.accuracy import Accuracy


class BalancedAccuracy(Accuracy):
    """Accuracy on parts in which every class has as many samples.

    Weights a sample would do with all samples, but the interval of a loss would then be that of
    scores from 0 to the largest weight: of 2,000 samples, wider than any limit. Parts with as many
    of each class (`training.parts.balanced`, which `load_own` and `load_task` see to) have the
    same mean, and samples that are right or wrong.
    """

    name = "balanced_accuracy"
    title = "balanced accuracy"
    wants_balanced_parts = True

    def suits(self, end: End) -> bool:
        """Only where a sample is of one class."""
        return end.is_one and end.meaning is not Meaning.VALUES


BALANCED_ACCURACY = BalancedAccuracy()
