"""Measurements that nobody made, for what is made of measurements."""

from __future__ import annotations

import hashlib

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Conditions, Delegate, Launch, Measurement, Memory
from adadeep.core.target import Target


def target(name: str = "Fake box", fingerprint: str = "f" * 16) -> Target:
    """A device that is not there."""
    return Target(fingerprint, name, "fake", "fake_runtime", "1", MeasureSettings())


def measurement(
    model: bytes, latency_ns: int | None = None, of: Target | None = None
) -> Measurement:
    """What measuring that model gives: always the same for the same model.

    Args:
        model: any bytes.
        latency_ns: of each run; None for what the model's hash says.
        of: the device; None for `target`.
    """
    sha256, of = hashlib.sha256(model).hexdigest(), of or target()
    latency = latency_ns or 500_000 + int(sha256[:5], 16)
    return Measurement(
        model_sha256=sha256,
        model_bytes=len(model),
        device_fingerprint=of.device_fingerprint,
        device_title=of.device_title,
        agent=Agent(of.agent, "0.1.0", of.runtime, of.runtime_version),
        settings=of.settings,
        launches=(Launch(1000, latency, (), (latency,) * 3),),
        delegates=(Delegate("XNNPACK", 1),),
        memory=Memory(),
        before=Conditions(1.0),
        after=Conditions(2.0),
    )
