"""The metric of a network with several outputs: the mean of what each is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.metric import Metric, Scale
from adadeep.core.rows import Rows, each


class Together:
    """Of a sample the mean over outputs, each from 0, the worst, to 1, the best of its range.

    Args:
        metrics: of each output in order; None for one that is not judged.
        name: for the registry's users: that of the one metric, or "together".
    """

    higher_is_better = True
    low = 0.0
    high = 1.0
    is_binary = False

    def __init__(self, metrics: Sequence[Metric | None], outputs: Sequence[str]) -> None:
        self._metrics = tuple(metrics)
        judged = [(m, o) for m, o in zip(metrics, outputs, strict=True) if m is not None]
        names = {metric.name for metric, _ in judged}
        self.name = names.pop() if len(names) == 1 else "together"
        self.title = ", ".join(f"{metric.title} of {output}" for metric, output in judged)[:80]
        self.least_agreement = min(metric.least_agreement for metric, _ in judged)

    def scores(self, outputs: Rows, labels: Rows) -> npt.NDArray[Any]:
        """Of the outputs of a network, and their labels."""
        found = [
            _share(metric, metric.scores(given, wanted))
            for metric, given, wanted in zip(
                self._metrics, each(outputs), each(labels), strict=True
            )
            if metric is not None
        ]
        return np.asarray(np.mean(found, axis=0))

    def agreement(self, a: Rows, b: Rows) -> float:
        """The least of the outputs'."""
        return min(
            metric.agreement(first, second)
            for metric, first, second in zip(self._metrics, each(a), each(b), strict=True)
            if metric is not None
        )


def _share(metric: Metric, scores: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Scores as 0, the worst, to 1, the best."""
    scale = Scale.of(metric)
    share = (np.asarray(scores, np.float64) - scale.low) / scale.span
    return share if scale.higher_is_better else 1 - share
