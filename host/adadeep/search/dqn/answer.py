"""What Q alone answers to a demand, once it is told what came of plans for others.

The network is untaught: its greedy walk then follows the outlook of the belief, which is nearly
all of Q. So an answer takes no learning, and is there at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import SearchContext
from adadeep.core.trial import TrialState
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.known_tables import Decisions
from adadeep.search.world import World


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, and what is believed of it: *fitted*, but for what formulas tell.

    Attributes:
        plan: that Q decides on.
        loss: of quality against the initial network, a fraction of the metric's range.
        latency_ms: T.
        energy_mj: E.
        storage_bytes: S_p.
        violation: by how much limits are broken, as of `Reward`.
        reward: R1 + R2.
        told: of how many plans besides the initial one the belief knows what came.
    """

    plan: CompressionPlan
    loss: float
    latency_ms: float
    energy_mj: float
    storage_bytes: float
    violation: float
    reward: float
    told: int


def answer_to(context: SearchContext, config: ImaginationConfig | None = None) -> Answer | None:
    """What Q decides on; None where what formulas tell of that breaks a limit.

    Args:
        context: of one goal; its history holds the initial network and all that was tried.
        config: hyper-parameters of the network; of the default preset if none are given.

    Raises:
        ValueError: the numbers of the history are such that nothing can be believed.
    """
    world = World(context)
    told = _tell(world, context)
    untaught = replace(config or ImaginationConfig(), first_batches=0)
    mind = Imagination(world, untaught, np.random.default_rng(context.seed))
    decided = mind.decided(mind.own(1), world.mean())
    return _answer(world, decided, told) if world.may_keep(decided)[0] else None


def _tell(world: World, context: SearchContext) -> int:
    """Draws the conclusions once from all that was tried; how many plans that is."""
    count = 0
    for scored in context.history:
        try:
            decisions = world.space.decisions(scored.plan)
        except ValueError:  # of an earlier search with other techniques
            continue
        if scored.state is not TrialState.INCOMPLETE:
            world.tell(decisions, scored)
        count += scored.state is TrialState.COMPLETE and scored.plan != CompressionPlan()
    world.fit()
    return count


def _answer(world: World, decided: Decisions, told: int) -> Answer:
    weights = world.mean().weights
    loss, costs = world.quantities(decided, weights)
    violation, reward = world.judged(decided, weights)
    latency_ms, energy_mj, storage_bytes = (float(one[0, 0]) for one in costs)
    return Answer(
        plan=world.space.plan([int(number) for number in decided[0]]),
        loss=float(loss[0, 0]),
        latency_ms=latency_ms,
        energy_mj=energy_mj,
        storage_bytes=storage_bytes,
        violation=float(violation[0, 0]),
        reward=float(reward[0, 0]),
        told=told,
    )
