"""CostSource: where a quantity of a network's cost on a target comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adadeep.core.cost import Provenance, Quantity
from adadeep.core.layers import ModelSpec
from adadeep.core.measurement import Measurement
from adadeep.core.target import Target

LATENCY, ENERGY = "latency_ms", "energy_mj"
QUANTITIES = (LATENCY, ENERGY)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A network whose cost is asked for.

    Attributes:
        spec: what it is, in the precision that it runs in.
        file_bytes: size of its .tflite.
        measurement: of its latency on the target; None if there is none.
    """

    spec: ModelSpec
    file_bytes: int
    measurement: Measurement | None = None


class CostSource(Protocol):
    """An entry of the registry of cost sources. Pure: what was measured is given to it.

    Attributes:
        name: in the registry, in headers: "measured".
        title: for people.
        needs_measurement: whether a candidate has to be measured on the target for it.
    """

    name: str
    title: str
    needs_measurement: bool

    def offers(self, target: Target) -> Mapping[str, Provenance]:
        """The quantities (`QUANTITIES`) that it can give for a target, and their provenance."""
        ...

    def costs(
        self, candidates: Sequence[Candidate], reference: Candidate, target: Target
    ) -> Sequence[Mapping[str, Quantity]]:
        """What it knows of each candidate, in their order; what it can't tell is left out.

        Args:
            candidates: networks.
            reference: the initial network, on the same target: costs may be ratios to its.
            target: where they run.
        """
        ...
