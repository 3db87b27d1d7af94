"""TimePrior: what a network's latency is expected to be before it is measured."""

from __future__ import annotations

from typing import Protocol

from adadeep.core.layers import ModelSpec


class TimePrior(Protocol):
    """Tells about how long a network takes on a device, without running it.

    What it tells is *fitted*. A search takes it for a first guess, which its own measurements
    correct; no limit is held against it. Today's fits MACs and bytes of a profile's layers
    (`profiles.time_prior`). A later one is the piecewise model of FastDeepIoT (Yao et al., SenSys
    2018), which also knows where time is not proportional to the work.
    """

    def latency_ms(self, spec: ModelSpec) -> float | None:
        """T of a network in the precision that its layers' bits say.

        None where it can't tell: nothing was measured in that precision, or a layer is of a kind
        of which nothing is known.
        """
        ...
