"""The sessions that tell how a device strays: what `core/noise.py` learns from."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from adadeep.core.errors import AgentError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import MeasuredTogether
from adadeep.measure.meter import LatencyMeter
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.reference_models import REFERENCES as REFERENCES
from adadeep.measure.reference_models import SHARP as SHARP
from adadeep.measure.reference_models import reference_model as reference_model

SECONDS = 18.0  # of a profile; with starting agents 20
_SERIES = 0.3  # of the time, for the long stretch in one placement
_LAUNCHES = 2  # of each of the other sessions
_SESSION_S = 4.0  # of these, starts of agents left out
_AGENT_START_S = 1.0
_PLACEMENT_MS = 250.0
_BLOCK_MS = 12.0
_LONGEST_SERIES_S = 60.0
_SHORTEST_S = 1.0
_LONGEST_RUN_MS = 250.0
_PROBE = MeasuringPlan(
    placements=1, least_placements=1, placement_ms=3.0, block_ms=1.0, warmup_ms=1.0
)


@dataclass(frozen=True, slots=True)
class NoisePlan:
    """A session that noise is learned from.

    Attributes:
        plan: how it goes.
        launches: of the agent.
    """

    plan: MeasuringPlan
    launches: int


def noise_plans(seconds: float, seed: int = 0) -> Iterator[NoisePlan]:
    """The sessions that so much time allows: a long placement, then many short ones.

    The first tells how averages of longer and longer stretches stray (Allan curves), the others
    what a new place in memory and a new process change, and how sessions differ.

    Args:
        seconds: for all of them, starts of agents counted in; below 1 there are none.
        seed: of their orders; another one each time, as a session is known by what it is to do.
    """
    if seconds < _SHORTEST_S:
        return
    series_ms = 1000 * min(_SERIES * seconds, _LONGEST_SERIES_S)
    series = MeasuringPlan(
        seed=seed, placements=1, least_placements=1, placement_ms=series_ms, block_ms=_BLOCK_MS,
        max_ms=1.1 * series_ms,
    )  # fmt: skip
    yield NoisePlan(series, 1)
    left_s = seconds - series_ms / 1000
    each_s = _SESSION_S + _LAUNCHES * _AGENT_START_S
    count = max(1, math.floor(left_s / each_s))
    timed_ms = 1000 * max(0.5, left_s / count - _LAUNCHES * _AGENT_START_S)
    placements = max(4, math.ceil(timed_ms / _PLACEMENT_MS))
    for number in range(count):
        yield NoisePlan(
            MeasuringPlan(
                seed=seed + 1 + number, placements=placements, least_placements=2,
                placement_ms=_PLACEMENT_MS, block_ms=_BLOCK_MS, max_ms=timed_ms,
            ),
            _LAUNCHES,
        )  # fmt: skip


def learn_noise(meter: LatencyMeter, plans: Iterable[NoisePlan]) -> tuple[MeasuredTogether, ...]:
    """Measures the references in turn; one that the device can't run, or not soon, is left out.

    Args:
        meter: of the device.
        plans: of the sessions, see `noise_plans`.

    Raises:
        AgentError: the runtime can't run any of them.
        TransientDeviceError: the device is gone.
    """
    names: dict[str, str] = {}
    done = []
    for one in plans:
        names = names or _soon_done(meter, one.plan.seed)
        done.append(_learned(meter, one, names))
    return tuple(done)


def _learned(meter: LatencyMeter, one: NoisePlan, names: dict[str, str]) -> MeasuredTogether:
    """A session of the references; from `names` goes what can't be run."""
    while True:
        models = [reference_model(name) for name in names]
        try:
            return meter.measure(models, one.plan, one.launches)
        except AgentError as error:
            if len(names) == 1:
                raise
            at_fault = [name for name, short in names.items() if short == error.model]
            del names[at_fault[0] if at_fault else _largest(names)]


def _soon_done(meter: LatencyMeter, seed: int) -> dict[str, str]:
    """The references, with what errors call them, that take no age on the device.

    One of them tells of the others by their work: on an emulator the largest takes seconds a run.
    """
    most_macs = math.inf
    probe = replace(_PROBE, seed=seed)
    with contextlib.suppress(AgentError):
        [found] = meter.measure([reference_model(SHARP)], probe).measurements
        most_macs = _LONGEST_RUN_MS / found.latency_ms * REFERENCES[SHARP].layer.macs
    soon = [name for name, single in REFERENCES.items() if single.layer.macs <= most_macs]
    return {name: model_name(reference_model(name)) for name in soon or [SHARP]}


def _largest(names: Iterable[str]) -> str:
    """The reference with the most weights: the first that may lack memory."""
    return max(names, key=lambda name: REFERENCES[name].layer.weights)
