"""Sessions in this process: with the real runtime, or with models and clocks that are played."""

import dataclasses
import hashlib
import math

from adadeep.core.measuring_plan import MeasuringPlan
from adadeep_agent import session, wire

SETTINGS = {"threads": 1, "core_mask": None}
QUICK = MeasuringPlan(placements=2, placement_ms=2, block_ms=1, drop_ms=0, warmup_ms=0, max_ms=200)


@dataclasses.dataclass
class Told:
    """What a session said: its result, its parts, its progress."""

    result: dict
    parts: list
    progress: list

    def blocks(self, model=0):
        return [block for part in self.parts for block in part["models"][model]["blocks"]]


class Asks:
    """Has models measured; `plan` and `settings` may be changed by name."""

    def __init__(self, folder, runtime):
        self.folder, self.runtime = folder, runtime

    def request(self, contents, samples=(), plan=QUICK, settings=None, **more):
        models = []
        for number, content in enumerate(contents):
            path = self.folder / f"{number}.tflite"
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            models.append({"name": f"m{number}", "path": str(path), "sha256": digest})
            if samples:
                models[-1]["inputs"] = samples
        fields = {"type": "measure", "id": 1, "job": "j", "models": models, "plan": plan.message}
        return {**fields, "settings": {**SETTINGS, **(settings or {})}, **more}

    def __call__(self, *contents, check=lambda: None, clocks=None, warm=False, **more):
        request = wire.decode_request(wire.encode(self.request(contents, **more)))
        return self.asked(request, check, clocks, warm)

    def asked(self, request, check=lambda: None, clocks=None, warm=False):
        told = Told({}, [], [])
        hooks = session.Hooks(check, told.progress.append, told.parts.append)
        told.result = session.measure(self.runtime, request, hooks, clocks, warm)
        return told


class PlayedClocks:
    """Clocks that go on as models run; a time costs nothing to read."""

    def __init__(self):
        self.time, self.asleep, self.steps = 10**12, 0, 1
        self.core = lambda: 3

    def now(self):
        return self.time

    def boot(self):
        return self.time + self.asleep

    def cpu(self):
        return self.time

    def quality(self):
        return self.steps, 1


class PlayedModel:
    """A model whose runs take what a script says, by how many there were since it was loaded."""

    def __init__(self, name, run_ns, clocks, events):
        self.name, self._run_ns, self._clocks, self._events = name, run_ns, clocks, events
        self.load_ns, self.inputs, self.delegates, self.runs = 10_000, [], [], 0
        clocks.time += self.load_ns
        events.append(("load", name))

    def values(self, *_):
        return []

    def feed(self, values):
        self.fed = values

    def outputs(self):
        return []

    def invoke(self):
        self._clocks.time += math.floor(self._run_ns(self.runs))
        self.runs += 1
        self._events.append(("run", self.name))


@dataclasses.dataclass
class Played:
    """A device with models that are played; `runs_ns` by the number of the model."""

    asks: Asks
    clocks: PlayedClocks
    events: list
    runs_ns: dict

    def __call__(self, models=2, **more):
        return self.asks(*[f"{n}".encode() for n in range(models)], clocks=self.clocks, **more)

    def runs(self, name):
        return self.events.count(("run", name))
