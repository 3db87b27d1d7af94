"""The samplers by name. Adding one: a module with a `SamplerKind`, and a line here."""

from __future__ import annotations

from adadeep.core.registry import Registry
from adadeep.core.sampler import SamplerKind

SAMPLERS: Registry[SamplerKind] = Registry(
    "sampler",
    {
        "dqn": "adadeep.search.dqn.kind:DQN",
        "planner": "adadeep.search.planner:PLANNER",
        "random": "adadeep.search.random_sampler:RANDOM",
        "sweep": "adadeep.search.sweep:SWEEP",
        "pairs": "adadeep.search.pairs:PAIRS",
        "greedy": "adadeep.search.greedy:GREEDY",
        "tpe": "adadeep.search.tpe:TPE",
    },
    group="adadeep.samplers",
    protocol=SamplerKind,
)
