"""T of plans before they are tried, as the profile of a device lets expect it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import UNCHANGED_PRECISION, CompressionPlan
from adadeep.core.search import TargetKnowledge
from adadeep.core.space import PrecisionChoice, SearchSpace
from adadeep.core.target import Target
from adadeep.core.time_prior import TimePrior
from adadeep.profiles.time_prior import MeasuredWay, ProfileTimePrior

GUESSED = "latency is first guessed from the device's profile (fitted)."

Networks = Callable[[CompressionPlan], ModelSpec | None]


class ExpectedTime:
    """T of plans by a prior, each found once.

    Args:
        prior: of networks on the device.
        network: what a plan makes, in its precision; None where that can't be told.
        used: is called at the first plan.
    """

    def __init__(
        self, prior: TimePrior, network: Networks, used: Callable[[], None] = lambda: None
    ) -> None:
        self._prior, self._network, self._used = prior, network, used
        self._found: dict[str, float | None] = {}

    def __call__(self, plan: CompressionPlan) -> float | None:
        """T in ms; None where outline or prior can't tell.

        Raises:
            ConfigError: an unknown technique or precision.
        """
        if not self._found:
            self._used()
        if plan.key not in self._found:
            spec = self._network(plan)
            self._found[plan.key] = None if spec is None else self._prior.latency_ms(spec)
        return self._found[plan.key]


def with_expected_time(
    knowledge: TargetKnowledge,
    target: Target,
    space: SearchSpace,
    network: Networks,
    used: Callable[[], None],
) -> TargetKnowledge:
    """What is known of a device, with the time that its profile lets expect of plans.

    Left as it is where the profile has no table for the target's runtime and threads, or one that
    can't tell the initial network's time in each precision: formulas tell more then.

    Args:
        knowledge: of the device.
        target: how it runs models.
        space: of the search.
        network: what a plan makes, in its precision.
        used: is called when a sampler asks for the first time.
    """
    if knowledge.profile is None:
        return knowledge
    way = MeasuredWay(target.runtime, target.settings.threads)
    prior = ProfileTimePrior.of(knowledge.profile, way, PRECISIONS.usable())
    if prior is None or not _tells_all_precisions(prior, space, network):
        return knowledge
    return replace(knowledge, time_prior=ExpectedTime(prior, network, used))


def _tells_all_precisions(prior: TimePrior, space: SearchSpace, network: Networks) -> bool:
    names = [one.name for one in space.actions if isinstance(one, PrecisionChoice)]
    tell = ExpectedTime(prior, network)
    return all(tell(CompressionPlan((), name)) for name in names or [UNCHANGED_PRECISION])
