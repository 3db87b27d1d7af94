"""Stand-ins for what is slow in a search: making networks and measuring them; both count calls."""

import hashlib

import numpy as np

from adadeep.core.errors import AgentError, ConversionError, TransientDeviceError
from adadeep.core.measurement import (
    Agent,
    Conditions,
    Delegate,
    Launch,
    Measurement,
    MeasureSettings,
    Memory,
)
from adadeep.core.scores import SampleScores
from adadeep.study.evaluate import MadeNetwork


class FakeMaker:
    """Makes "networks" whose costs follow from the plan; fails for the plans it is told to."""

    def __init__(self, failing=()):
        self.failing = set(failing)
        self.made = []

    def make(self, plan):
        self.made.append(plan.key)
        if plan.key in self.failing:
            raise ConversionError("no such operator")
        changed = len(plan.choices) + (plan.precision == "int8")
        return MadeNetwork(
            model=f"model of {plan.canonical_json}".encode(),
            scores=SampleScores.of(np.arange(200) < 196 - changed),
            macs=1000 - 100 * changed,
            storage_bytes=4000.0 / (1 + changed),
            activation_bytes=100.0,
            energy_mj=1.0 / (1 + changed),
        )


class FakeMeter:
    """Measures by the hash of the model; can be told to fail."""

    device_title = "Fake box"
    device_fingerprint = "f" * 16
    settings = MeasureSettings()
    study = "5717d1e5"

    def __init__(self):
        self.measured = []
        self.acknowledged = []
        self.recovered = ()
        self.gone_after = None
        self.refused = {}  # model -> error code

    def measure(self, model):
        if self.gone_after is not None and len(self.measured) >= self.gone_after:
            raise TransientDeviceError("Fake box: the link broke; plug it in again.")
        if model in self.refused:
            raise AgentError("Fake box: can't run it", self.refused[model])
        self.measured.append(model)
        return measurement(model)

    def acknowledge(self, keys):
        self.acknowledged += keys


def measurement(model, latency_ns=None):
    """What measuring that model gives: always the same for the same model."""
    sha256 = hashlib.sha256(model).hexdigest()
    latency = latency_ns or 500_000 + int(sha256[:5], 16)
    return Measurement(
        model_sha256=sha256,
        model_bytes=len(model),
        device_fingerprint=FakeMeter.device_fingerprint,
        device_title=FakeMeter.device_title,
        agent=Agent("fake", "0.1.0", "fake_runtime", "1"),
        settings=FakeMeter.settings,
        launches=(Launch(1000, latency, (), (latency,) * 3),),
        delegates=(Delegate("XNNPACK", 1),),
        memory=Memory(),
        before=Conditions(1.0),
        after=Conditions(2.0),
    )


class Watching:
    """An observer that keeps what it was told."""

    def __init__(self):
        self.stages, self.events = [], []
        self.known_limits = self.scale = None

    def stage(self, text):
        self.stages.append(text)

    def note(self, text):
        self.stages.append(text)

    def limits(self, limits, scale):
        self.known_limits, self.scale = limits, scale

    def trial(self, event):
        self.events.append(event)
