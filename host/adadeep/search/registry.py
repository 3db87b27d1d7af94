"""The samplers by name. Adding one: a module with a factory, and a line here."""

from __future__ import annotations

from typing import Protocol

from adadeep.core.demand import UserDemand
from adadeep.core.protocols import Sampler
from adadeep.core.registry import Registry
from adadeep.search.space import SearchSpace

PRESETS = ("default", "paper")


class SamplerFactory(Protocol):
    """Makes a sampler of a search."""

    def __call__(self, space: SearchSpace, demand: UserDemand, seed: int, preset: str) -> Sampler:
        """Makes it; the same arguments and the same rewards give the same plans.

        Args:
            space: what there is to decide.
            demand: what the user wants.
            seed: of all its randomness.
            preset: one of `PRESETS`; samplers without hyper-parameters ignore it.
        """
        ...


SAMPLERS: Registry[SamplerFactory] = Registry(
    "sampler",
    {
        "dqn": "adadeep.search.dqn.sampler:make_sampler",
        "random": "adadeep.search.random_sampler:make_sampler",
    },
    group="adadeep.samplers",
)
