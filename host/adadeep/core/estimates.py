"""What is said of latencies: values with the intervals in which the truth lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

from adadeep.core.reader import require_finite, require_range
from adadeep.core.statistics import t_quantile

LEAST_SD = 1e-4  # of anything: no clock and no machine is better
_LARGEST_LOG = 50.0
_MOST_DF = 1e9


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """What sessions tell of a model's latency on a device; times in ms, intervals of 95 %.

    Attributes:
        median_ms: of its runs.
        low_ms: the device's centre, about which sessions an hour apart scatter, is above it.
        high_ms: the device's centre is below it.
        next_low_ms: the median of another session, some time later, is above it.
        next_high_ms: likewise below.
        session_low_ms: the narrow interval of this session's own median, which tells of the
            minute in which it was measured and of no other.
        session_high_ms: likewise.
        basis: what the wide ones are made of, in words.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    next_low_ms: float
    next_high_ms: float
    session_low_ms: float
    session_high_ms: float
    basis: str = ""

    @property
    def relative(self) -> float:
        """Half the width of the centre's interval over the median; 0.11: give or take 11 %."""
        return (self.high_ms - self.low_ms) / 2 / self.median_ms


@dataclass(frozen=True, slots=True)
class PercentileEstimate:
    """A percentile of the runs of a session, in ms.

    Attributes:
        value_ms: of all timed runs.
        low_ms: lower end of the 95 % interval in which it lies in sessions of another hour.
        high_ms: upper end.
    """

    value_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True)
class RatioEstimate:
    """How much longer one model takes than another.

    Attributes:
        log_ratio: natural logarithm of the first's latency over the second's.
        sd: its standard error.
        df: degrees of freedom of that; large where it is known well.
        left_out: rounds that could not be compared: blocks that waited for a processor, or ran on
            another kind of core.
    """

    log_ratio: float
    sd: float
    df: float
    left_out: int = 0

    def __post_init__(self) -> None:
        require_finite("a ratio", self.log_ratio, self.sd, self.df)
        require_range("log_ratio", -_LARGEST_LOG, _LARGEST_LOG, self.log_ratio)
        require_range("sd", 0, _LARGEST_LOG, self.sd)
        require_range("df", 1e-3, _MOST_DF, self.df)

    @property
    def ratio(self) -> float:
        """The first's latency over the second's."""
        return math.exp(self.log_ratio)

    @property
    def margin(self) -> float:
        """Of `log_ratio`, to either side of the 95 % interval."""
        return self.margin_of(0.95)

    @property
    def low(self) -> float:
        """Lower end of the ratio's 95 % interval."""
        return _exp(self.log_ratio - self.margin)

    @property
    def high(self) -> float:
        """Upper end."""
        return _exp(self.log_ratio + self.margin)

    @property
    def is_different(self) -> bool:
        """Whether the interval has no place for equally fast models."""
        return abs(self.log_ratio) > self.margin

    @property
    def inverse(self) -> RatioEstimate:
        """The second's over the first's."""
        return RatioEstimate(-self.log_ratio, self.sd, self.df, self.left_out)

    def margin_of(self, level: float) -> float:
        """Of `log_ratio`, to either side, of an interval of another level: 0.9."""
        return t_quantile((1 + level) / 2, self.df) * self.sd if self.sd else 0.0


def summed(*parts: tuple[float, float]) -> tuple[float, float]:
    """The variance of a sum of independent terms, and its degrees of freedom (Satterthwaite).

    Args:
        parts: variance and degrees of freedom of each term.
    """
    variance = sum(part for part, _ in parts)
    if variance <= 0:
        return 0.0, min((df for _, df in parts if df > 0), default=1.0)
    uncertain = sum((part / variance) ** 2 / df for part, df in parts if part > 0)
    return variance, min(1 / uncertain, _MOST_DF) if uncertain > 0 else _MOST_DF


def error_of(*parts: tuple[float, float]) -> tuple[float, float]:
    """Standard error and degrees of freedom of a sum of terms, as a `RatioEstimate` has them.

    Args:
        parts: variance and degrees of freedom of each.
    """
    variance, df = summed(*parts)
    return max(math.sqrt(variance), LEAST_SD / 10), max(df, 1.0)


def interval_of(value: float, margin: float) -> tuple[float, float]:
    """From a value over e^margin to the value times it."""
    bounded = min(margin, _LARGEST_LOG)
    return value * math.exp(-bounded), value * math.exp(bounded)


def _exp(log: float) -> float:
    return math.exp(min(max(log, -2 * _LARGEST_LOG), 2 * _LARGEST_LOG))
