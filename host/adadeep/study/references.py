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


def chosen(known_ms: Sequence[tuple[str, float]], block_ms: float) -> tuple[str, ...]:
    """The references of a candidate, the sharp one first.

    Args:
        known_ms: names or hashes of those that there are, and about how long they run, what is
            compared with most likely first.
        block_ms: of the plan of the session.
    """
    short = [name for name, ms in known_ms if ms <= block_ms and name != SHARP]
    return (SHARP, *dict.fromkeys(short))[:MOST]
