"""Statistics of latency samples: order statistics, no assumption about the distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from adadeep_agent.wire import median_interval_ranks


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a sample, in the unit of the sample.

    Attributes:
        count: samples.
        median: 50th percentile.
        ci_low: lower end of the 95 % confidence interval of the median.
        ci_high: upper end.
        p5: 5th percentile.
        p95: 95th percentile.
        minimum: smallest.
        maximum: largest.
    """

    count: int
    median: float
    ci_low: float
    ci_high: float
    p5: float
    p95: float
    minimum: float
    maximum: float

    @property
    def ci_relative(self) -> float:
        """Width of the interval over the median."""
        return (self.ci_high - self.ci_low) / self.median if self.median else math.inf


def percentile(ordered: Sequence[float], fraction: float) -> float:
    """Linear interpolation between the two nearest of an ascending sample (numpy's default)."""
    position = fraction * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def summarise(samples: Sequence[float]) -> Summary:
    """Median with a distribution-free 95 % confidence interval, and percentiles.

    The interval is between the order statistics that `median_interval_ranks` names; with fewer
    than 6 samples it is the whole range (and covers less than 95 %).

    Raises:
        ValueError: the sample is empty.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    low, high = median_interval_ranks(len(ordered))
    return Summary(
        count=len(ordered),
        median=percentile(ordered, 0.5),
        ci_low=ordered[low],
        ci_high=ordered[high],
        p5=percentile(ordered, 0.05),
        p95=percentile(ordered, 0.95),
        minimum=ordered[0],
        maximum=ordered[-1],
    )
