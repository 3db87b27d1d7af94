"""Who is compared: every registered sampler with each of its presets, and dqn less its parts."""

from __future__ import annotations

from dataclasses import replace

from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.planning import PlanningDqnSampler
from adadeep.search.registry import SAMPLERS
from search.replay import Choose, Contender

# What is replayed each time; the curves of all others are stored.
OWN = ("dqn default", "planner default")
# Of those that deliver another plan than the best of what was heard.
CHOOSE: dict[str, Choose] = {}


def contenders() -> dict[str, Contender]:
    """By name: "dqn default"."""
    found = {
        f"{name} {preset}": registered(name, preset)
        for name in SAMPLERS
        for preset in SAMPLERS.get(name).presets
    }
    return {**found, **ablation()}


def ablation() -> dict[str, Contender]:
    """The default of dqn without one of its parts; without Q it is the planner, without a belief
    its model-free preset.
    """
    one_column = replace(ImaginationConfig().network, separate_columns=False)
    return {
        "dqn, known costs learned": lambda context: _made(
            replace(context, known_costs=lambda _: None)
        ),
        "dqn, no prior of T": lambda context: _made(
            replace(context, targets=tuple(replace(t, time_prior=None) for t in context.targets))
        ),
        "dqn, no design": lambda context: _made(context, design=0),
        "dqn, no ascent": lambda context: _made(context, rounds=0),
        "dqn, one column": lambda context: _made(context, network=one_column),
        "dqn, the outlook alone": lambda context: _made(context, first_batches=0, later_batches=0),
        "dqn, learns before the start only": lambda context: _made(context, later_batches=0),
    }


def registered(name: str, preset: str) -> Contender:
    """A sampler of the registry."""
    return lambda context: SAMPLERS.get(name).make(replace(context, preset=preset))


def _made(context, **changes: object) -> PlanningDqnSampler:
    return PlanningDqnSampler(context, replace(ImaginationConfig(), **changes))
