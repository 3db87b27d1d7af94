"""Stand-ins for what is slow in a search: making networks and measuring them; both count calls."""

import hashlib
import time
from dataclasses import replace

import numpy as np

from adadeep.core.cost_source import UnitLatency
from adadeep.core.device import DeviceFacts, hashed
from adadeep.core.errors import AdaDeepError, AgentError, ConversionError, TransientDeviceError
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.noise import PRIOR
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.storage.records import TargetRecord, Unit
from adadeep.study.jobs import Done, MadeNetwork
from adadeep.study.references import built_in, sharp_model
from adadeep.testing.measurements import target, together, usual_ns

FACTS = DeviceFacts("box-1", "adb", model="Fake box")
SOURCES = {"latency_ms": "measured", "energy_mj": "analytic"}


def with_launches(session, launches):
    """A session whose placements are of so many launches."""

    def placed(one):
        return tuple(replace(p, launch=p.number % launches) for p in one.placements)

    measured = tuple(replace(m, placements=placed(m)) for m in session.measurements)
    return replace(session, measurements=measured)


def unit_of(session, noise=PRIOR):
    """The unit as a session tells it, whose first model is the initial network."""
    first = session.measurements[0]
    found = noise.latency([first])
    latency = UnitLatency(found.median_ms, found.low_ms, found.high_ms)
    return Unit(
        first.target.key, first.model_sha256, (session.id,), latency, found.basis, noise
    )  # fmt: skip


def target_record(name="Fake box", fingerprint="f" * 16):
    facts = replace(FACTS, serial=hashed(f"{name} 1"))  # as runs hold it
    return TargetRecord(target(name, fingerprint), facts, SOURCES, dict(SOURCES))


def model_of(plan):
    """The "model" that a plan makes."""
    return f"model of {plan.canonical_json}".encode()


def full_model_of(plan):
    """The "model" that the full recipe makes of a plan."""
    return b"full " + model_of(plan)


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
        self.remade, self.failing_full = [], set()

    def start(self, job):
        self.waiting.append(job)

    def finished(self, wait_s):
        if not self.waiting:
            time.sleep(min(wait_s, 0.01))
            return None
        job = self.waiting.pop(0)
        (self.remade if job.full else self.made).append(job.plan.key)
        try:
            self.hook(job.plan)
            if job.plan.key in (self.failing_full if job.full else self.failing):
                raise ConversionError("no such operator")
        except AdaDeepError as error:
            return Done(job, None, error, 0.0)
        model = full_model_of(job.plan) if job.full else model_of(job.plan)
        changed = len(job.plan.choices) + (job.plan.precision == "int8")
        lost = 0 if job.full else changed
        scores = SampleScores.of(np.arange(200) < 196 - lost)
        made = MadeNetwork(self.store.put(model), len(model), scores, spec_of(job.plan))
        if self.keeps_networks and job.plan.choices:
            network = b"network of " + model
            self.store.path(made.model_sha256, "keras").write_bytes(network)
            made = replace(made, network_sha256=hashlib.sha256(network).hexdigest())
        return Done(job, made, None, 1.0)

    def measure(self, job):
        bench = self.benches[job.target]
        try:
            models = [built_in(name) or self.store.get(name) for name in job.models]
            result = bench.measure(models, job.measuring, job.launches)
        except AdaDeepError as error:
            return Done(job, None, error, 0.0)
        return Done(job, result, None, 1.0)


class FakeBench:
    """Measures by the hash of the model; can be told to fail."""

    def __init__(self, name="Fake box", fingerprint="f" * 16):
        self.record = target_record(name, fingerprint)
        self.resource = "training"
        self.noise = PRIOR
        self.measured = []  # models, the first of each session
        self.sessions = []  # (models, launches)
        self.times_ns = {}  # by model, where it is not the usual
        self.slower = 1.0  # than usual
        self.acknowledged = []
        self.recovered = ()
        self.gone_after = None
        self.refused = {}  # model -> error code

    def measure(self, models, plan, launches=1):
        if self.gone_after is not None and len(self.measured) >= self.gone_after:
            raise TransientDeviceError("Fake box: the link broke; plug it in again.")
        for model in models:
            if model in self.refused:
                name = hashlib.sha256(model).hexdigest()[:8]
                raise AgentError("Fake box: can't run it", self.refused[model], name)
        self.sessions.append((tuple(models), launches))
        unit = model_of(CompressionPlan())  # with one launch it is measured once more
        is_first = launches == 3 if models[0] == unit else launches == 1
        if is_first and models[0] != sharp_model():
            self.measured.append(models[0])
        times = [round(self.slower * self.times_ns.get(m, usual_ns(m))) for m in models]
        return with_launches(together(models, times, self.record.target, plan), launches)

    def acknowledge(self, session_ids):
        self.acknowledged += session_ids


class Watching:
    """An observer that keeps what it was told."""

    def __init__(self):
        self.stages, self.notes, self.events, self.known_limits = [], [], [], {}
        self.prices, self.units = [], {}

    def stage(self, text):
        self.stages.append(text)

    def note(self, text):
        self.notes.append(text)

    def limits(self, title, limits, scale):
        self.known_limits[title] = limits

    def unit(self, title, unit, drift):
        self.units[title] = unit, drift

    def price(self, price):
        self.prices.append(price)

    def trial(self, event):
        self.events.append(event)
