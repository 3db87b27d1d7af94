"""Measurements that nobody made, for what is made of measurements."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Block,
    Conditions,
    Delegate,
    Measurement,
    Memory,
    Placement,
)
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended, MeasuredTogether, session_id
from adadeep.core.target import Target

_BLOCK_NS = 15_000_000


def target(name: str = "Fake box", fingerprint: str = "f" * 16) -> Target:
    """A device that is not there."""
    return Target(fingerprint, name, "fake", "fake_runtime", "1", MeasureSettings())


def usual_ns(model: bytes) -> int:
    """What a run of that model takes where nothing else is said: by its hash, 0.5 to 1.5 ms."""
    return 500_000 + int(hashlib.sha256(model).hexdigest()[:5], 16)


def placement(number: int, latency_ns: int, rounds: int = 2, **more: int) -> Placement:
    """One in which every run takes as long; `more` goes to its blocks.

    Args:
        number: of the session.
        latency_ns: of each run.
        rounds: as many blocks of three runs.
        more: other fields of the blocks.
    """
    blocks = tuple(
        Block(n, (number * rounds + n) * _BLOCK_NS, 1, (latency_ns,) * 3, **more)
        for n in range(rounds)
    )
    return Placement(number, 0, 1000, latency_ns, blocks)


def measurement(
    model: bytes, latency_ns: int | None = None, of: Target | None = None, placements: int = 2
) -> Measurement:
    """What measuring that model gives: always the same for the same model.

    Args:
        model: any bytes.
        latency_ns: of each run; None for what the model's hash says.
        of: the device; None for `target`.
        placements: how many.
    """
    of = of or target()
    latency = latency_ns or usual_ns(model)
    return Measurement(
        model_sha256=hashlib.sha256(model).hexdigest(),
        model_bytes=len(model),
        device_fingerprint=of.device_fingerprint,
        device_title=of.device_title,
        agent=Agent(of.agent, "0.1.0", of.runtime, of.runtime_version),
        settings=of.settings,
        placements=tuple(placement(number, latency) for number in range(placements)),
        delegates=(Delegate("XNNPACK", 1),),
        memory=Memory(),
        before=Conditions(1.0),
        after=Conditions(2.0),
    )


def together(
    models: Sequence[bytes],
    latencies_ns: Sequence[int] | None = None,
    of: Target | None = None,
    plan: MeasuringPlan | None = None,
) -> MeasuredTogether:
    """A session of those models, in which every run of a model takes as long.

    Args:
        models: any bytes.
        latencies_ns: of a run of each; None for what their hashes say.
        of: the device; None for `target`.
        plan: how it went; None for the usual one. It has 4 placements at the most.
    """
    of, plan = of or target(), plan or MeasuringPlan()
    latencies = latencies_ns or [usual_ns(model) for model in models]
    digests = [hashlib.sha256(model).hexdigest() for model in models]
    session = session_id(digests, plan, of.key)
    made = (
        measurement(model, latency, of, min(4, plan.placements))
        for model, latency in zip(models, latencies, strict=True)
    )
    measured = tuple(replace(one, session=session) for one in made)
    return MeasuredTogether(session, plan, measured, Ended.PLACEMENTS)
