"""What the planner and the DQN share: what is known, the plans that open a search, what to try.

A search opens with a design: each precision alone, then the uniform plans (one choice or two,
wherever they fit) that the belief likes best, or what it likes better near them. From then on
candidates are weighed by how much each is expected to raise the best reward (expected
improvement; Jones, Schonlau and Welch 1998), over draws of the whole belief, so that a plan which
may break a limit counts as far as it may keep it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext
from adadeep.core.space import SearchSpace
from adadeep.core.trial import TrialState
from adadeep.search import moves
from adadeep.search.ascent import Climbed
from adadeep.search.explored import Explored
from adadeep.search.known_tables import Decisions, Floats
from adadeep.search.neighbours import Moves, distinct, keys
from adadeep.search.view import View
from adadeep.search.world import World

Plan = tuple[int, ...]  # decisions
Masks = npt.NDArray[np.bool_]

TRIED_ALL = "every plan was tried"

DESIGN = 3  # asks that open a search
_DRAWS = 64  # of the belief, to weigh candidates
_REFINED = 3  # steps from the best candidate
_SCREENED, _SCREENS = 96, 8  # neighbours that are weighed in all draws, the best in so many
_NONE_KEPT = -2.0  # the least reward that there can be
_NEAR, _NEAR_WHILE_NONE = 1e-3, 0.1  # what it counts how far a plan stays behind
_TOLERANCE = 1e-9


class Explorer:
    """What is known of a search's plans, and what is worth trying next.

    Args:
        context: of the search; its history is told at once.
        design: asks that open a search.

    Attributes:
        world: what is believed.
        moves: from plan to plan.
        rng: of all draws.
    """

    def __init__(self, context: SearchContext, design: int = DESIGN) -> None:
        self.space = context.space
        self._design = design
        self.world = World(context)
        self.moves = Moves(context.space)
        self.rng = np.random.default_rng(context.seed)
        self._explored = Explored(context)
        self._explored.skip(moves.initial_decisions(context.space))
        self._asked = 0
        self._gain: float | None = None
        self._raised = 0.0  # what the best of the candidates is expected to add
        self._precisions = moves.precision_plans(context.space)
        self._uniform = uniform_plans(context.space)
        for scored in context.history:
            self.tell(scored)

    def tell(self, scored: ScoredTrial) -> Plan | None:
        """Learns from a plan, whoever asked for it; its decisions if there is something in it."""
        decisions = self._explored.tell(scored)
        if decisions is None or scored.state is TrialState.INCOMPLETE:
            return None
        self.world.tell(decisions, scored)
        self.world.fit()
        return decisions

    def ask(self, plan: Plan) -> CompressionPlan:
        """Notes that a plan is asked for."""
        self._asked += 1
        return self._explored.ask(plan)

    @property
    def expected_gain(self) -> float | None:
        """What going on may still add to the best reward; None before there is a belief on it."""
        return self._gain

    def believed_quality(self, plan: CompressionPlan) -> float | None:
        """Of a plan that was tried, its sampling luck taken out; None if that can't be told."""
        try:
            return self.world.believed_quality(self.space.decisions(plan))
        except ValueError:  # of an earlier search with other techniques
            return None

    def opening(self) -> Plan | None:
        """The next plan of the design; None when it is through."""
        if self._asked >= self._design:
            return None
        shape = (-1, len(self.space.points))
        alone = self._hopeful(np.array(self._precisions, np.int64).reshape(shape))
        if len(alone):
            return as_plan(alone[0])
        uniform = self._hopeful(np.array(self._uniform, np.int64).reshape(shape))
        return self.best_of([uniform]) if len(uniform) else None

    def choose(self, mean: Climbed, dreams: Sequence[Climbed]) -> Plan | None:
        """The plan to try next, and what going on may still add to the best reward.

        That is what the best of the candidates are expected to add, or what those of dreams add
        there, whichever is more: the one knows nothing of what will be learned, the other nothing
        of how a plan strays from its sum.

        Args:
            mean: plans of the world as it most likely is, and what they are worth there.
            dreams: likewise of samples of it.
        """
        best = self.best_reward
        added = [
            float(worths[self._is_hopeful(plans)].max(initial=best) - best)
            for plans, worths in dreams
        ]
        self._raised = 0.0
        chosen = self.best_of([plans for plans, _ in (mean, *dreams)])
        self._gain = max(self._raised, sum(added) / len(added))
        return chosen

    def best_of(self, candidates: Sequence[Decisions]) -> Plan | None:
        """The best of candidates or near it, else one near what was tried.

        Args:
            candidates: plans, each (n, points).
        """
        drawn = self.world.sample(self.rng, _DRAWS)
        every = np.concatenate(candidates)
        plans = self._hopeful(every[distinct(every)])
        if not len(plans):
            return self._any_fresh()
        promise = self._noted(drawn.dreams(plans, self.rng))
        best, most = plans[np.argmax(promise)], float(promise.max())
        for _ in range(_REFINED):
            around, promise = self._around(best, drawn)
            if not len(around) or promise.max() <= most:
                break
            best, most = around[np.argmax(promise)], float(promise.max())
        return as_plan(best)

    def _around(self, plan: Decisions, drawn: View) -> tuple[Decisions, Floats]:
        """Of a plan (points,) the hopeful neighbours, (n, points), and their promise, (n,)."""
        near = self.moves.around(plan[np.newaxis])
        is_wanted = near.is_open[0].copy()
        around, _ = self.moves.neighbours(plan[np.newaxis])
        is_wanted[is_wanted] = is_hopeful = self._is_hopeful(around)
        around = around[is_hopeful]
        if len(around) > _SCREENED:
            some = drawn.dreams_around(near, is_wanted, self.rng, _SCREENS)
            order = np.argsort(-self._promise(some), kind="stable")
            around = around[np.sort(order[:_SCREENED])]
            return around, self._noted(drawn.dreams(around, self.rng))
        return around, self._noted(drawn.dreams_around(near, is_wanted, self.rng))

    def _noted(self, dreams: tuple[Floats, Floats]) -> Floats:
        """The promise of plans; notes what the best of them in each draw adds."""
        raised = self._raise(dreams)
        self._raised = max(self._raised, float(raised.max(axis=1, initial=0.0).mean()))
        return self._promise(dreams)

    def _promise(self, dreams: tuple[Floats, Floats]) -> Floats:
        """By how much each plan is expected to raise the best reward; (n,).

        And a little by how near it is expected to come, to tell those apart that raise it in no
        draw; where no plan keeps the limits yet that is what counts.

        Args:
            dreams: violation and reward in each draw; (draws, n).
        """
        violation, reward = dreams
        best = self.best_reward
        is_kept = violation <= _TOLERANCE
        short = np.where(is_kept, np.minimum(reward - best, 0.0), -np.minimum(violation, 1.0))
        weight = _NEAR_WHILE_NONE if best <= _NONE_KEPT else _NEAR
        return np.asarray((self._raise(dreams) + weight * short).mean(axis=0))

    def _raise(self, dreams: tuple[Floats, Floats]) -> Floats:
        """By how much each plan raises the best reward in each draw; (draws, n)."""
        violation, reward = dreams
        raised = np.maximum(reward - self.best_reward, 0.0)
        return np.asarray(np.where(violation <= _TOLERANCE, raised, 0.0))

    @property
    def best_reward(self) -> float:
        """Of the plans that keep all limits; the least there can be if none does."""
        ranks = [self._rank(plan) for plan in self._explored.known]
        kept = [-rank[1] for rank in ranks if rank[0] <= _TOLERANCE]
        return max(kept, default=_NONE_KEPT)

    def best_plans(self, count: int) -> Decisions:
        """The best that were told, or what changes nothing; (n, points)."""
        best = self._explored.best_of(self._explored.known)[:count]
        return np.array(best or [moves.initial_decisions(self.space)], np.int64)

    def fresh(self, plans: Decisions) -> Decisions:
        """Those that were neither asked for nor told."""
        return plans[self._is_fresh(plans)]

    def _is_fresh(self, plans: Decisions) -> Masks:
        seen = np.array([*self._explored.seen], np.int64).reshape(-1, plans.shape[1])
        return np.isin(keys(plans), keys(seen), invert=True)

    def _is_hopeful(self, plans: Decisions) -> Masks:
        """Whether they are fresh, and no known cost rules them out; (n,)."""
        return np.asarray(self._is_fresh(plans) & self.world.may_keep(plans))

    def _hopeful(self, plans: Decisions) -> Decisions:
        return plans[self._is_hopeful(plans)]

    def _rank(self, plan: Plan) -> tuple[float, float]:
        """Behind all others where nothing is known of it."""
        return self._explored.rank(plan) or (np.inf, 0.0)

    def _any_fresh(self) -> Plan | None:
        """One near what was told or asked for, the better first; what is ruled out, last."""
        ruled_out: Plan | None = None
        for plan in sorted(self._explored.seen, key=self._rank):
            around = self.fresh(self.moves.neighbours(np.array([plan], np.int64))[0])
            if len(hopeful := self._hopeful(around)):
                return as_plan(hopeful[0])
            if ruled_out is None and len(around):
                ruled_out = as_plan(around[0])
        return ruled_out


def as_plan(row: Decisions) -> Plan:
    """Decisions (points,) as what the space takes."""
    return tuple(int(number) for number in row)


def uniform_plans(space: SearchSpace) -> list[Plan]:
    """Each choice wherever it fits, alone and with another elsewhere, in all precisions."""
    singles = moves.uniform_plans(space)
    found: dict[Plan, None] = {}
    for precision in (moves.initial_decisions(space), *moves.precision_plans(space)):
        for first, second in itertools.product(singles, repeat=2):
            pair = moves.merged(space, first, second)
            found[moves.merged(space, precision, pair)] = None
    return list(found)
