"""Whether a network is better than guessing: else it is not trained, or is fed what is strange."""

from __future__ import annotations

from typing import Any

import numpy as np

from adadeep.core.scores import SampleScores
from adadeep.core.units import format_percent
from adadeep.training.metrics.accuracy import Accuracy

_ERRORS = 2.0  # standard errors: closer than so to the share of a class is by chance


def largest_share(metric: Any, outputs: Any, labels: Any) -> float | None:
    """The accuracy of who always names the largest class; None of a metric that counts no answers.

    Args:
        metric: that a network is judged by.
        outputs: (n, ...) of the network, for their shape.
        labels: (n, ...) of the same samples.
    """
    if not isinstance(metric, Accuracy):
        return None
    truth = metric.end.truth(np.asarray(labels), np.asarray(outputs))
    counts = np.unique(truth, return_counts=True)[1]
    return float(counts.max() / counts.sum())


def guess_notes(metric: Any, scores: SampleScores, outputs: Any, labels: Any) -> tuple[str, ...]:
    """What to say of a network that is no better than guessing on some samples; else nothing.

    Args:
        metric: that it is judged by.
        scores: its own, of these samples.
        outputs: (n, ...) of the network.
        labels: (n, ...).
    """
    share = largest_share(metric, outputs, labels)
    if share is None:
        return ()
    error = float(np.sqrt(share * (1 - share) / scores.count))
    if scores.quality > share + _ERRORS * error:
        return ()
    return (
        "the initial network is no better than guessing on the validation data: its"
        f" {metric.title} is {format_percent(scores.quality)}, the largest class alone"
        f" {format_percent(share)} of them; see that the samples are scaled and the classes"
        " ordered as it was trained, or train it (--untrained)",
    )
