"""How much of the regret on recorded tables no belief can foretell: a search that knows all else.

    python -m search.foretold  (in benchmarks/)

Two trainings of one plan do not end alike, and few validation samples add luck of their own. So
this search is told beforehand what became of *all* plans of the table; of each it believes what
the others tell of it, by the belief of `dqn` and how far that was off. It tries plans by how much
each is expected to raise the best reward. What regret it has, is that of luck, and of what a sum
over decisions can't say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.core.trial import TrialState
from adadeep.search.curved import CurvedBelief
from adadeep.search.loss_model import unbent
from adadeep.search.world import World
from search import recorded, replay
from search.report import CHECKPOINTS
from search.table import VALIDATION, Floats

EPISODES = 40
_FITS = 8  # each moves the stray by a factor of 2 at the most
_DRAWS = 400
_NONE_KEPT, _NEAR = -2.0, 1e-3  # as of `adadeep.search.explorer`
_TOLERANCE = 1e-9


class Foretold:
    """Asks for plans in the order of what all others tell of them.

    Args:
        context: of the search.
        every: what is heard of each plan of the table, whether it is asked for or not.
    """

    def __init__(self, context: SearchContext, every: Sequence[ScoredTrial]) -> None:
        world = World(context)
        plans = {context.space.decisions(one.plan): one for one in every if _is_whole(one)}
        plans.pop(context.space.decisions(CompressionPlan()))
        for decisions, scored in plans.items():
            world.tell(decisions, scored)
        for _ in range(_FITS):
            world.fit()
        self._plans = [one.plan for one in plans.values()]
        self._violation, self._reward = _dreams(world, [*plans.values()], context.seed)
        self._is_open = np.ones(len(plans), np.bool_)
        self._best = _NONE_KEPT
        for scored in context.history:
            self.tell(scored)

    def ask(self) -> CompressionPlan | Stop:
        """The open plan that is expected to raise the best reward most."""
        if not self._is_open.any():
            return Stop("every plan was tried")
        is_kept = self._violation <= _TOLERANCE
        raised = np.where(is_kept, np.maximum(self._reward - self._best, 0.0), 0.0)
        short = np.where(is_kept, np.minimum(self._reward - self._best, 0.0), -1.0)
        promise = (raised + _NEAR * short).mean(axis=0)
        chosen = int(np.argmax(np.where(self._is_open, promise, -np.inf)))
        self._is_open[chosen] = False
        return self._plans[chosen]

    def tell(self, scored: ScoredTrial) -> None:
        """Takes the reward; nothing is learned."""
        if scored.reward.is_feasible:
            self._best = max(self._best, scored.reward.total)

    def expected_gain(self) -> float | None:
        """It does not say."""
        return None

    def believed_quality(self, plan: CompressionPlan) -> float | None:
        """Nor that."""
        del plan


def _is_whole(scored: ScoredTrial) -> bool:
    return scored.state is TrialState.COMPLETE


def _dreams(
    world: World, every: Sequence[ScoredTrial], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Violation and reward of plans as the others let expect them; (draws, n) each."""
    rng = np.random.default_rng(seed)
    [model] = world.goals
    loss, loss_sd = left_out(world.loss._belief)
    time, time_sd = left_out(model.latency_ms._belief)  # type: ignore[attr-defined]
    count = len(loss)
    losses = unbent(loss + loss_sd * rng.standard_normal((_DRAWS, count)))
    logs = time + time_sd * rng.standard_normal((_DRAWS, len(time)))
    times = np.exp(logs + model.latency_ms._log_scale)[:, 1:]  # type: ignore[attr-defined]
    costs = [one.scores[0].trial.cost for one in every]
    energy = np.array([cost.energy_mj.value for cost in costs])
    storage = np.array([cost.storage_bytes for cost in costs], np.float64)
    return model.wish.scored(losses, [times, energy, storage])


def left_out(belief: CurvedBelief) -> tuple[Floats, Floats]:
    """What all other values tell of each that was seen, by its mean and deviation; (n,) each.

    By the identity of Gaussian processes (Sundararajan and Keerthi 2001): K the covariance of what
    was seen, value i less what the others tell of it is (K^-1 y)_i / (K^-1)_ii.
    """
    curve = belief._curve.of(np.stack(belief._plans))
    rows, sums, variances = belief._plane(curve, curve.values(belief.mean))
    prior = np.square(belief._deviations)
    covariance = (rows * prior) @ rows.T + np.diag(variances + belief.scales.stray**2)
    inverse = np.linalg.inv(covariance)
    missed = (inverse @ sums) / np.diag(inverse)
    return np.array(belief._values) - missed, np.sqrt(1.0 / np.diag(inverse))


def run(cell: replay.Cell, seed: int) -> replay.Run:
    """One search."""
    table = cell.source.draw(seed)
    contest = replay.Contest(table, cell.demand, seed)
    every = [contest.scored(plan) for plan in table._recording.rows]
    return replay.replay(lambda context: Foretold(context, every), cell, seed, EPISODES)


def main() -> None:
    """Prints regrets by cell, and their mean."""
    found = {}
    for cell in replay.cells(recorded.sources()):
        regrets = run(cell, 0).regrets.get(VALIDATION)
        if regrets:
            found[cell.name] = [regrets[point - 1] for point in CHECKPOINTS if point <= EPISODES]
            print(f"{cell.name:36}", " / ".join(f"{one:.2f}" for one in found[cell.name]))
    mean = np.mean([*found.values()], axis=0)
    print(
        f"{'mean of ' + str(len(found)) + ' cells':36}", " / ".join(f"{one:.2f}" for one in mean)
    )


if __name__ == "__main__":
    main()
