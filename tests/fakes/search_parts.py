"""Stand-ins for what is slow in a search: making networks and measuring them; both count calls."""

import hashlib
import time
from dataclasses import replace

import numpy as np

from adadeep.core.device import DeviceFacts, hashed
from adadeep.core.errors import AdaDeepError, AgentError, ConversionError, TransientDeviceError
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.scores import SampleScores
from adadeep.storage.records import TargetRecord
from adadeep.study.jobs import Done, MadeNetwork
from adadeep.testing.measurements import measurement, target

FACTS = DeviceFacts("box-1", "adb", model="Fake box")
SOURCES = {"latency_ms": "measured", "energy_mj": "analytic"}


def target_record(name="Fake box", fingerprint="f" * 16):
    facts = replace(FACTS, serial=hashed(f"{name} 1"))  # as runs hold it
    return TargetRecord(target(name, fingerprint), facts, SOURCES, dict(SOURCES))


def model_of(plan):
    """The "model" that a plan makes."""
    return f"model of {plan.canonical_json}".encode()


def spec_of(plan):
    """A network whose costs follow from the plan."""
    changed = len(plan.choices) + (plan.precision == "int8")
    weights = 1000 // (1 + changed)
    layer = LayerSpec(
        "fc", LayerKind.DENSE, (10,), (10,), weights=weights, nonzero_weights=weights
    )
    return ModelSpec("fake", (10,), (layer,))


class FakeCrew:
    """Makes "networks" by the plan and has benches measure them; fails where it is told to."""

    def __init__(self, benches, store, failing=(), make=None):
        self.benches = {bench.record.key: bench for bench in benches}
        self.store, self.failing = store, set(failing)
        self.made, self.waiting, self.hook = [], [], make or (lambda plan: None)
        self.keeps_networks = False  # a .keras beside each .tflite

    def start(self, job):
        self.waiting.append(job)

    def finished(self, wait_s):
        if not self.waiting:
            time.sleep(min(wait_s, 0.01))
            return None
        job = self.waiting.pop(0)
        self.made.append(job.plan.key)
        try:
            self.hook(job.plan)
            if job.plan.key in self.failing:
                raise ConversionError("no such operator")
        except AdaDeepError as error:
            return Done(job, None, error, 0.0)
        model = model_of(job.plan)
        changed = len(job.plan.choices) + (job.plan.precision == "int8")
        scores = SampleScores.of(np.arange(200) < 196 - changed)
        made = MadeNetwork(self.store.put(model), len(model), scores, spec_of(job.plan))
        if self.keeps_networks and job.plan.choices:
            network = b"network of " + model
            self.store.path(made.model_sha256, "keras").write_bytes(network)
            made = replace(made, network_sha256=hashlib.sha256(network).hexdigest())
        return Done(job, made, None, 1.0)

    def measure(self, job):
        bench = self.benches[job.target]
        try:
            result = tuple(bench.measure([self.store.get(sha256) for sha256 in job.models]))
        except AdaDeepError as error:
            return Done(job, None, error, 0.0)
        return Done(job, result, None, 1.0)


class FakeBench:
    """Measures by the hash of the model; can be told to fail."""

    def __init__(self, name="Fake box", fingerprint="f" * 16):
        self.record = target_record(name, fingerprint)
        self.resource = "training"
        self.measured = []
        self.acknowledged = []
        self.recovered = ()
        self.gone_after = None
        self.refused = {}  # model -> error code

    def measure(self, models):
        return [self._measured(model) for model in models]

    def _measured(self, model):
        if self.gone_after is not None and len(self.measured) >= self.gone_after:
            raise TransientDeviceError("Fake box: the link broke; plug it in again.")
        if model in self.refused:
            raise AgentError("Fake box: can't run it", self.refused[model])
        self.measured.append(model)
        return measurement(model, of=self.record.target)

    def acknowledge(self, keys):
        self.acknowledged += keys


class Watching:
    """An observer that keeps what it was told."""

    def __init__(self):
        self.stages, self.notes, self.events, self.known_limits = [], [], [], {}
        self.prices = []

    def stage(self, text):
        self.stages.append(text)

    def note(self, text):
        self.notes.append(text)

    def limits(self, title, limits, scale):
        self.known_limits[title] = limits

    def price(self, price):
        self.prices.append(price)

    def trial(self, event):
        self.events.append(event)
