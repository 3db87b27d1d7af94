"""Made-up devices: flicker that all models share; placements, launches, blocks of their own."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Block, Conditions, Measurement, Memory, Placement
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import Ended, MeasuredTogether

AGENT = Agent("linux-python", "0", "ai_edge_litert", "2")
SMALL, LARGE = 40_000, 13_000_000


@dataclass(frozen=True)
class Model:
    """A model of a made-up device."""

    name: str
    ms: float
    size: int = SMALL
    white: float = 0.01
    placement: float = 0.005
    launch: float = 0.0

    @property
    def sha(self):
        return hashlib.sha256(self.name.encode()).hexdigest()


def flicker(random, count, deviation):
    """1/f noise whose Allan deviation is about `deviation` at every time."""
    spectrum = random.normal(size=count) + 1j * random.normal(size=count)
    frequency = np.arange(1, count + 1)
    shaped = np.concatenate([[0], spectrum / np.sqrt(frequency)])
    series = np.fft.irfft(shaped, 2 * count)[:count]
    differences = np.diff(series[: count // 2 * 2].reshape(-1, 2).mean(axis=1))
    return series * deviation / np.sqrt(np.mean(differences**2) / 2)


class World:
    """A device; sessions are at any time of its one long series of flicker."""

    def __init__(self, seed=0, deviation=0.03, seconds=7200, step_s=0.015, exact=False):
        self.random = np.random.default_rng(seed)
        self.step_s = step_s
        self.exact = exact
        count = 2 ** math.ceil(math.log2(seconds / step_s))  # quickly transformed
        self.level = np.zeros(count) if exact else flicker(self.random, count, deviation)

    def session(self, models, at_s=0.0, placements=12, rounds=4, launches=1, state="f" * 16):
        at = int(at_s / self.step_s)
        made = [[] for _ in models]
        launch_of = self._offsets([m.launch for m in models], launches)
        for number in range(placements):
            launch = number * launches // placements
            offsets = self._offsets([m.placement for m in models], 1)[0] + launch_of[launch]
            blocks = [[] for _ in models]
            for turn in range(rounds):
                for index in self.random.permutation(len(models)):
                    model = models[index]
                    log = np.log(model.ms) + self.level[at] + offsets[index]
                    log += 0 if self.exact else self.random.normal(0, model.white)
                    ns = max(round(float(np.exp(log)) * 1e9), 1)  # groups of 1000
                    start = int(at * self.step_s * 1e9)
                    blocks[index].append(Block(turn, start, 1000, (ns, ns, ns)))
                    at += 1
            for own, of in zip(made, blocks, strict=True):
                own.append(Placement(number, launch, 1000, 1000, tuple(of)))
        return together(models, made, at_s, state)

    def _offsets(self, sds, count):
        size = (count, len(sds))
        return np.zeros(size) if self.exact else self.random.normal(0, 1, size) * np.array(sds)


def together(models, placements, at_s=0.0, state="f" * 16):
    """A session of these placements."""
    when = Conditions(1.7e9 + at_s)
    name = hashlib.sha256(f"{[m.name for m in models]} {at_s}".encode()).hexdigest()[:16]
    measured = tuple(
        Measurement(m.sha, m.size, state, "made up", AGENT, MeasureSettings(), tuple(own),
                    (), Memory(), when, when, name)
        for m, own in zip(models, placements, strict=True)
    )  # fmt: skip
    return MeasuredTogether(name, MeasuringPlan(), measured, Ended.PLACEMENTS)
