"""How the noise of a device is learned, from one use of it to the next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from adadeep.core.device import DeviceFacts
from adadeep.core.noise import PRIOR, NoiseModel
from adadeep.core.session import MeasuredTogether

_FEWEST_REFERENCES = 2  # that a session of learning has; one runs beside many others


@dataclass(frozen=True, slots=True)
class NoiseSource:
    """What the noise of a device can be learned from.

    Attributes:
        sessions: in their order.
        references: hashes of the models in them that are the same in every use of any device.
    """

    sessions: Sequence[MeasuredTogether]
    references: Collection[str]


def learned_of(
    facts: DeviceFacts, known: NoiseModel | None, source: NoiseSource
) -> NoiseModel | None:
    """What is known after these sessions; None if that is no more than what holds anywhere.

    Args:
        facts: of the device.
        known: of it so far.
        source: sessions of another state than the known one's are passed over, unless they are
            sessions of learning: then that is learned anew in theirs.
    """
    before = known or _guess(facts)
    if known is not None and _is_learning(source) and not _fits(known, source):
        before = _guess(facts)
    learned = before.updated(source.sessions, source.references)
    return known if learned.is_prior else learned


def _guess(facts: DeviceFacts) -> NoiseModel:
    return replace(PRIOR, cache_bytes=last_cache_bytes(facts))


def _is_learning(source: NoiseSource) -> bool:
    of_session = (
        {one.model_sha256 for one in session.measurements} & set(source.references)
        for session in source.sessions
    )
    return any(len(found) >= _FEWEST_REFERENCES for found in of_session)


def _fits(known: NoiseModel, source: NoiseSource) -> bool:
    return any(known.fits(session.measurements[0]) for session in source.sessions)


def last_cache_bytes(facts: DeviceFacts) -> int | None:
    """The size of the device's largest cache; None if none is known."""
    sizes = [cache.size_bytes for cache in facts.caches if cache.type != "Instruction"]
    return max(sizes, default=0) or None


def sweep_bytes(facts: DeviceFacts) -> int:
    """How much is to be read to drive all else out of the caches: twice the last one.

    64 MB at the most, and where the caches are not known.
    """
    most = 64 << 20
    return min(2 * (last_cache_bytes(facts) or most), most)
