"""Costs that carry how they were obtained."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adadeep.core.reader import require_range

_HUGE = 1e18


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
class Quantity:
    """A number and where it came from; `value` is None exactly when it is unavailable.

    Attributes:
        value: in the unit that the field's name says.
        provenance: how it was obtained.
        source: for people: the device and agent, or the formula.
        suspect: why a measured number is to be taken with care; empty if it is not.
        low: lower end of its interval; None where it has none.
        high: upper end.
    """

    value: float | None
    provenance: Provenance
    source: str = ""
    suspect: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.provenance is Provenance.UNAVAILABLE):
            raise ValueError(f"value {self.value} does not go with {self.provenance}")
        require_range("value", 0, _HUGE, self.value, self.low, self.high)


UNAVAILABLE = Quantity(None, Provenance.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one inference of a network costs on a device.

    Attributes:
        latency_ms: T, one inference, median.
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
