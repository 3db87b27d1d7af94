"""Sessions of the meter that users have, on this computer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from adadeep.core.clock import Deadline
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether
from adadeep.devices.local import LocalTransport
from adadeep.measure.session import open_meter
from noise.record import Measure


@contextlib.contextmanager
def meter() -> Iterator[Measure]:
    """What measures, as `record.record` wants it; its agent is ended at the end."""
    with open_meter(LocalTransport(), Deadline.after(120)) as opened:

        def measure(
            models: Sequence[bytes], plan: MeasuringPlan, launches: int, name: str
        ) -> MeasuredTogether:
            del name
            session = opened.measure(models, plan, launches)
            opened.acknowledge([session.id])
            return session

        yield measure
