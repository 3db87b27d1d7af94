"""Statistics of latency samples: order statistics, no assumption about the distribution."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from adadeep_agent.wire import median_interval_ranks

_MANY = 5000  # samples; the binomial is then as good as normal


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


def quantile_ranks(count: int, fraction: float, level: float = 0.95) -> tuple[int, int]:
    """Which order statistics, from 0, hold a quantile with a probability of `level`.

    Distribution-free: how many of a sample are below the quantile is binomial. Where the sample is
    too small for it, an end is the smallest or largest one, and holds less often.

    Args:
        count: samples, 1 or more.
        fraction: which quantile, between 0 and 1.
        level: of both sides together.
    """
    tail = (1 - level) / 2
    if count > _MANY:
        spread = statistics.NormalDist().inv_cdf(1 - tail)
        spread *= math.sqrt(count * fraction * (1 - fraction))
        middle = count * fraction
        return max(math.floor(middle - spread), 0), min(math.ceil(middle + spread), count - 1)
    logs = (math.log(fraction), math.log1p(-fraction))
    below, low, high = 0.0, 0, count - 1
    for rank in range(count):
        ways = math.lgamma(count + 1) - math.lgamma(rank + 1) - math.lgamma(count - rank + 1)
        below += math.exp(ways + rank * logs[0] + (count - rank) * logs[1])
        if below <= tail:
            low = rank
        if below >= 1 - tail:
            high = rank
            break
    return low, min(high, count - 1)


@functools.lru_cache(maxsize=4096)
def t_quantile(probability: float, df: float) -> float:
    """The quantile of Student's t distribution, of any positive number of degrees of freedom.

    Args:
        probability: between 0 and 1.
        df: degrees of freedom, fractions of one too; infinite for the normal distribution.

    Raises:
        ValueError: one of them is out of range.
    """
    if not 0 < probability < 1 or not df > 0:
        raise ValueError(f"no quantile {probability} of a t distribution with {df} df")
    if df > 1e6:
        return statistics.NormalDist().inv_cdf(probability)
    if probability < 0.5:
        return -t_quantile(1 - probability, df)
    low, high = 0.0, 1.0
    while _t_above(high, df) > 1 - probability and high < 1e12:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_above(middle, df) > 1 - probability else (low, middle)
    return (low + high) / 2


def _t_above(t: float, df: float) -> float:
    """P(T > t) for t >= 0."""
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised one, by its continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x)
    c = 1.0
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 500):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + factor * d)
            c = _not_zero(1 + factor / c)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return math.exp(front) * value / a


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
