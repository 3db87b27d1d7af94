"""Who is compared: every registered sampler with each of its presets, and variants of dqn's."""

from __future__ import annotations

from dataclasses import replace

from adadeep.search.dqn.config import preset_config
from adadeep.search.dqn.sampler import DqnSampler
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
    return {**found, **variants()}


def variants() -> dict[str, Contender]:
    """Of hyper-parameters that no preset has."""
    return {
        "dqn model-free, reward on every step": variant(gamma=0.01, reward_on_every_step=True),
        "dqn model-free, a loss a column": variant(separate_columns=True),
    }


def registered(name: str, preset: str) -> Contender:
    """A sampler of the registry."""
    return lambda context: SAMPLERS.get(name).make(replace(context, preset=preset))


def variant(**changes: object) -> Contender:
    """The dqn without a model of the world, with other hyper-parameters."""
    config = replace(preset_config("model-free"), **changes)
    return lambda context: DqnSampler(
        context.space, [goal.demand for goal in context.goals], context.seed, config
    )
