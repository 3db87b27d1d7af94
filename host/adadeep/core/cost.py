"""Costs that carry how they were obtained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from adadeep.core.reader import require_range

_HUGE = 1e18
_Z95 = 1.96
_NO_BOUND = math.log(1e3)  # of an interval that reaches down to 0
MEDIAN, P95, P99, COLD = "median", "p95", "p99", "cold"
STATISTICS = (MEDIAN, P95, P99, COLD)


class Provenance(StrEnum):
    """How a number was obtained. Shown as it stands; never mixed unmarked."""

    MEASURED = "measured"  # on the device named beside it
    FITTED = "fitted"  # by a profile's fitted model
    ANALYTIC = "analytic"  # by the paper's formulas (Eq. 3-6)
    UNAVAILABLE = "unavailable"

    @property
    def is_modelled(self) -> bool:
        """Whether the number comes from a model of the device rather than from the device."""
        return self in (Provenance.FITTED, Provenance.ANALYTIC)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times another's a cost is, with the 95 % interval of that; no unit.

    Attributes:
        value: the estimate.
        low: lower end.
        high: upper end.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        require_range("a ratio", 0, _HUGE, self.value, self.low, self.high)
        if not self.low <= self.value <= self.high:
            raise ValueError(f"a ratio of {self.value} is not within {self.low} to {self.high}")

    @property
    def log_sd(self) -> float:
        """About the standard deviation of its logarithm."""
        return _log(self.high, self.low) / (2 * _Z95)

    def times(self, other: Ratio) -> Ratio:
        """The product of two that err independently: of their widths the squares add up."""
        value = self.value * other.value
        low = math.hypot(_log(self.value, self.low), _log(other.value, other.low))
        high = math.hypot(_log(self.high, self.value), _log(other.high, other.value))
        return Ratio(value, value * math.exp(-low), min(value * math.exp(high), _HUGE))


ITSELF = Ratio(1.0, 1.0, 1.0)


def _log(larger: float, smaller: float) -> float:
    """Of their ratio; what has no lower bound is a thousandth of nothing at the least."""
    return math.log(larger / smaller) if larger > 0 and smaller > 0 else _NO_BOUND


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and where it came from; `value` is None exactly when it is unavailable.

    Attributes:
        value: in the unit that the field's name says.
        provenance: how it was obtained.
        source: for people: the device and agent, or the formula.
        suspect: why a measured number is to be taken with care; empty if it is not.
        low: lower end of its interval; None where it has none.
        high: upper end.
        ratio: to the initial network's, measured in turn with it: sharper than the interval of
            the value, which has the uncertainty of the initial network's own, too. None where it
            was not measured so.
        statistic: of a latency, which one of its runs: "median", "p95", "p99", "cold".
    """

    value: float | None
    provenance: Provenance
    source: str = ""
    suspect: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    ratio: Ratio | None = None
    statistic: str = MEDIAN

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise ValueError(f"there is no statistic of that name but {', '.join(STATISTICS)}")
        if (self.value is None) != (self.provenance is Provenance.UNAVAILABLE):
            raise ValueError(f"value {self.value} does not go with {self.provenance}")
        require_range("value", 0, _HUGE, self.value, self.low, self.high)


UNAVAILABLE = Quantity(None, Provenance.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one inference of a network costs on a device.

    Attributes:
        latency_ms: T, one inference: the median, or the statistic that a demand names.
        energy_mj: E, one inference.
        storage_bytes: S_p, storage of the weights (Eq. 3).
        activation_bytes: S_f, storage of the activations (Eq. 3).
        file_bytes: size of the .tflite.
        macs: C.
    """

    latency_ms: Quantity
    energy_mj: Quantity
    storage_bytes: float
    activation_bytes: float
    file_bytes: int | None
    macs: int

    def __post_init__(self) -> None:
        require_range("storage_bytes", 0, _HUGE, self.storage_bytes)
        require_range("activation_bytes", 0, _HUGE, self.activation_bytes)
        require_range("file_bytes", 0, _HUGE, self.file_bytes)
        require_range("macs", 0, _HUGE, self.macs)
