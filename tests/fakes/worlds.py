"""Spaces with a reward that is known for every plan, for tests of what samplers ask for."""

from __future__ import annotations

from adadeep.core.layers import LayerSpec, ModelSpec
from adadeep.core.reward import Reward
from adadeep.core.search import GoalScore, ScoredTrial, SearchContext, Stop
from adadeep.core.space import build_space
from adadeep.core.trial import Trial, TrialState
from adadeep.search.moves import initial_decisions
from adadeep.testing.samplers import GOAL
from adadeep.testing.spaces import DENSE, PRECISIONS, SPACE, SVD

DEEP_LAYERS = tuple(
    LayerSpec(f"fc{n}", DENSE, (64,), (64,), weights=4160, nonzero_weights=4160) for n in range(8)
)
DEEP = build_space(ModelSpec("deep", (64,), DEEP_LAYERS), [SVD], PRECISIONS)  # 13,122 plans


def scored(plan, total, violation=0.0, state=TrialState.FAILED):
    """A trial of that reward; violation None: there is no network."""
    trial = Trial(plan, state, reason="of a test")
    return ScoredTrial((GoalScore(trial, Reward(total, 0.0, violation)),))


def context(space=SPACE, seed=0, preset="default", total=0.0):
    """Of a search that knows what the initial network earns."""
    initial = scored(space.plan(initial_decisions(space)), total)
    return SearchContext(space, (GOAL,), seed, preset, history=(initial,))


def asks(sampler, space, worth=lambda decisions: 0.0, count=10_000, ahead=1):
    """Decisions of the plans asked for, and why it stopped (None: it did not).

    Args:
        sampler: to ask.
        space: of its plans.
        worth: of decisions: a reward, or a reward and a violation.
        count: of asks at most.
        ahead: how many may be open.
    """
    asked, told = [], 0

    def tell():
        found = worth(asked[told])
        found = found if isinstance(found, tuple) else (found, 0.0)
        sampler.tell(scored(space.plan(asked[told]), *found))

    while len(asked) < count:
        answer = sampler.ask()
        if isinstance(answer, Stop):
            return asked, answer.reason
        asked.append(space.decisions(answer))
        if len(asked) - told == ahead:
            tell()
            told += 1
    return asked, None
