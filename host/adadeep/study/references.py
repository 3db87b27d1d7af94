"""What a candidate is measured beside: the references of its session.

Two networks are compared well only where their blocks take turns in one session, so each candidate
runs beside one or two that the graph of ratios knows: the best plan so far, the initial network,
and a *sharp* one that is small and lies in the caches whatever is done to it. A reference whose
run is longer than a block would take more time than the block that a candidate gets; it is left
out. So references never cost more than their candidate.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_plans import Offered, best_reference
from adadeep.core.noise_pool import Like

SHARP = "sharp"  # the name of the built-in reference in jobs
MOST = 2


@functools.cache
def sharp_model() -> bytes:
    """The .tflite of the sharp reference."""
    from adadeep.measure.noise_session import SHARP as NAME
    from adadeep.measure.noise_session import reference_model

    return reference_model(NAME)


@functools.cache
def sharp_sha256() -> str:
    """Its hash, by which sessions and graphs know it."""
    return hashlib.sha256(sharp_model()).hexdigest()


def built_in(name: str) -> bytes | None:
    """The model that is meant by a name in a job; None if it is a hash."""
    return sharp_model() if name == SHARP else None


@dataclass(frozen=True, slots=True)
class Reference:
    """A model that candidates may be measured beside.

    Attributes:
        name: in jobs: its hash, or `SHARP`.
        offered: its size, its time, and how well its ratio to the unit is known.
    """

    name: str
    offered: Offered


def chosen(
    known: Sequence[Reference], noise: NoiseModel, model_bytes: int, plan: MeasuringPlan
) -> tuple[str, ...]:
    """Names of the references of a candidate: those by which its ratio to the unit is sharpest.

    What a candidate takes is not known before. Beside references that run no longer than a block
    it does not matter: each gets as much time as its candidate at the least.

    Args:
        known: at least one that is short.
        noise: of the device.
        model_bytes: of the candidate.
        plan: of the session.
    """
    short = [one for one in known if one.offered.like.latency_ms <= plan.block_ms]
    times = [one.offered.like.latency_ms for one in short]
    candidate = Like(model_bytes, max(times), short[0].offered.like.cache_bytes)
    order = best_reference(noise, candidate, [one.offered for one in short], plan)
    return tuple(dict.fromkeys(short[number].name for number in order))[:MOST]
