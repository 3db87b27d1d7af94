"""What every table of costs gives: a space, what is known, what is heard, and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from adadeep.core.cost import Cost
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import KnownCosts, TargetKnowledge
from adadeep.core.space import SearchSpace
from adadeep.core.trial import Trial

VALIDATION, TEST = "validation", "test"
PARTS = (VALIDATION, TEST)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """All plans of a table that can be made; arrays of (plans,), costs without noise.

    Attributes:
        accuracy: on one part of the data.
        energy_mj: E.
        latency_ms: T.
        storage_bytes: S_p.
    """

    accuracy: Floats
    energy_mj: Floats
    latency_ms: Floats
    storage_bytes: Floats


class Table(Protocol):
    """The costs of every plan of a network on a device.

    Attributes:
        name: of table and device: "digits-0 board", "conv2 3".
        space: what there is to decide.
        knowledge: of the device.
    """

    name: str
    space: SearchSpace
    knowledge: TargetKnowledge

    def known_costs(self, plan: CompressionPlan) -> KnownCosts | None:
        """As a study's: what formulas tell beforehand."""
        ...

    def hear(self, plan: CompressionPlan, seed: int) -> Trial:
        """What a study would find out about a plan: validation data, and noise by the seed."""
        ...

    def judge(self, plan: CompressionPlan, part: str) -> tuple[float, Cost] | None:
        """Accuracy on a part and costs without noise; None of a plan that can't be made."""
        ...

    def columns(self, part: str) -> Columns:
        """All plans that can be made."""
        ...


class Source(Protocol):
    """Where tables come from.

    Attributes:
        name: of its tables, without the seed.
        group: that it is reported in: "recorded", "conv2", "conv6".
        fingerprint: changes when what it draws does.
    """

    name: str
    group: str
    fingerprint: str

    def draw(self, seed: int) -> Table:
        """The table of that seed; the same one for all seeds where it is recorded."""
        ...
