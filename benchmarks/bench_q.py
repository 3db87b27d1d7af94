"""What the Q network of dqn alone is good for: answers to demands, and starts to climb from.

Searches of 25 evaluations are replayed on tables (`search/replay.py`); then the greedy walk of Q
answers random demands, as users may have them: of T, E and S_p each is limited to what the initial
network has, or (two in five) to less. It is compared with coordinate ascent from many starts under
the same belief. Regret is in % of the range of rewards (that the belief gives to plans looked at).
No device is used.

    python benchmarks/bench_q.py [--smoke] [--results FOLDER]
"""

from __future__ import annotations

import copy
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as learning is promised; before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from adadeep.core.search import Stop
from adadeep.search.ascent import Moves, ascend, random_plans
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.imagination import Imagination
from adadeep.search.dqn.planning import PlanningDqnSampler
from adadeep.search.view import View
from adadeep.search.wishes import Wish
from adadeep.search.world import World
from record import Row, options, save
from search import formula, recorded
from search.deep import deep_table
from search.demands import DEMANDS
from search.replay import Contest
from search.table import Table

TITLE = "The Q network alone: answers to random demands, starts of ascent"
EVALUATIONS, WISHES = 25, 200
STARTS, ROUNDS = 12, 60  # of the reference
DEEP_STARTS = 4  # a climb takes a second there
RIVALS, OWN_ROUNDS, PROPOSALS = 6, 2, 64  # random starts; steps from Q's
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """A table, whose search is replayed, and how much is asked of it."""

    name: str
    table: Callable[[], Table]
    wishes: int
    starts: int
    evaluations: int = EVALUATIONS


@dataclass(frozen=True)
class Answers:
    """How the greedy walk answers random demands.

    Attributes:
        regret: mean where both keep the limits, %.
        kept: share of the demands that the reference can meet, %.
    """

    regret: float
    kept: float


def cases(smoke: bool) -> list[Case]:
    if smoke:
        return [
            Case("conv2", lambda: formula.SOURCES[0].draw(0), 5, 2, 3),
            Case("deep", lambda: deep_table(0, 4), 2, 2, 3),
        ]
    return [
        Case("digits", lambda: recorded.sources()[0].draw(0), WISHES, STARTS),
        Case("conv2", lambda: formula.SOURCES[0].draw(0), WISHES, STARTS),
        Case("conv6", lambda: formula.SOURCES[1].draw(0), WISHES, STARTS),
        Case("deep", lambda: deep_table(0), 30, DEEP_STARTS),
    ]


def searched(case: Case) -> PlanningDqnSampler:
    """The sampler after the search."""
    contest = Contest(case.table(), DEMANDS[0], 0)
    sampler, done = PlanningDqnSampler(contest.context, ImaginationConfig()), 0
    while done < case.evaluations and not isinstance(plan := sampler.ask(), Stop):
        skipped = contest.skipped(plan)
        done += skipped is None
        sampler.tell(skipped or contest.scored(plan))
    return sampler


def cpu_s(act: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    act()
    return time.process_time() - start


def wanting(world: World, wish: Wish) -> World:
    """The same belief, for another demand."""
    found = copy.copy(world)
    found.goals = (replace(world.goals[0], wish=wish),)
    return found


def random_worlds(world: World, mind: Imagination, count: int) -> tuple[object, list[World]]:
    """Random demands, and the world of each."""
    wishes = mind.wishes(count, own=0.0)
    worlds = []
    for row in range(count):
        bounds = tuple(wishes.bounds[row] * world.initial_costs[0])
        one = wishes.allowed_loss[row], wishes.loss_room[row], bounds, tuple(wishes.weights[row])
        worlds.append(wanting(world, Wish(*one)))
    return wishes, worlds


def scored(world: World, plans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    violation, reward = world.judged(plans, world.mean().weights)
    return violation[0], reward[0]


def best_of_reference(world: World, starts: int, moves: Moves) -> tuple[bool, float, float]:
    """Whether something keeps the limits; its reward; the least reward that was seen."""
    drawn = random_plans(world.space, np.random.default_rng(9), starts)
    plans, worths = ascend(world.mean(), moves, drawn, ROUNDS)
    violation, reward = scored(world, plans)
    best = int(np.argmax(worths))
    return bool(violation[best] <= TOLERANCE), float(reward[best]), float(reward.min())


def answers(worlds: list[World], best: list[tuple[bool, float, float]], plans) -> Answers:
    regrets, can = [], 0
    for world, (is_kept, most, least), plan in zip(worlds, best, plans, strict=True):
        violation, reward = scored(world, plan[np.newaxis])
        can += is_kept
        if is_kept and violation[0] <= TOLERANCE:
            regrets.append(100 * (most - reward[0]) / max(most - least, TOLERANCE))
    return Answers(statistics.fmean(regrets or [100.0]), 100 * len(regrets) / max(can, 1))


def climbed(view: View, moves: Moves, starts: np.ndarray, rounds: int) -> Iterator[tuple]:
    """(Evaluations, the best worth) after each step from all starts."""
    here, values = starts, view.worth(starts)
    count = len(starts)
    yield count, values.max()
    for _ in range(rounds):
        around, owners = moves.neighbours(here)
        found = view.worth(around)
        count += len(around)
        best = np.array([np.where(owners == n, found, -np.inf).argmax() for n in range(len(here))])
        better = found[best] > values + TOLERANCE
        if not better.any():
            yield count, values.max()
            return
        here, values = (
            np.where(better[:, np.newaxis], around[best], here),
            np.maximum(values, found[best]),
        )
        yield count, values.max()


def climbs(
    worlds: list[World], wishes, mind: Imagination, plans, moves: Moves
) -> dict[str, float]:
    """Q's starts against random ones.

    Returns:
        worse: share of demands where 6 random starts, after as many evaluations as 6 starts of Q's
            and 2 steps, are worth more, %; by: the most that they are, in units of the reward.
        cheaper: evaluations that random starts need to be worth as much as Q's greedy walk and 2
            steps, over its own; median; where they never are, all that they had.
    """
    rng, worse, by, times = np.random.default_rng(3), 0, 0.0, []
    for row, (world, plan) in enumerate(zip(worlds, plans, strict=True)):
        view = world.mean()
        own = replace(wishes, **{n: getattr(wishes, n)[[row] * PROPOSALS] for n in
            ("weights", "allowed_loss", "loss_room", "bounds")},
            known_bounds=wishes.known_bounds[:, [row] * PROPOSALS])  # fmt: skip
        drawn = np.unique(mind.walk(own, view, 0.15).plans, axis=0)
        drawn = drawn[np.argsort(-view.worth(drawn), kind="stable")]
        mine = np.concatenate([plan[np.newaxis], drawn[: RIVALS - 1]])
        rivals = random_plans(world.space, rng, RIVALS)
        spent, value = [*climbed(view, moves, mine, OWN_ROUNDS)][-1]
        theirs = [*climbed(view, moves, rivals, ROUNDS)]
        equal = max(worth for count, worth in theirs if count <= max(spent, RIVALS))
        worse += equal > value + 1e-6
        by = max(by, equal - value)
        alone, value = [*climbed(view, moves, plan[np.newaxis], OWN_ROUNDS)][-1]
        reached = [count for count, worth in theirs if worth >= value - 1e-6]
        times.append((reached or [theirs[-1][0]])[0] / alone)
    return {"worse": 100 * worse / len(worlds), "by": by, "cheaper": statistics.median(times)}


def rows_of(case: Case) -> list[Row]:
    sampler, config = searched(case), ImaginationConfig()
    world, mind = sampler._explorer.world, sampler._mind
    wishes, worlds = random_worlds(world, mind, case.wishes)
    moves = Moves(world.space)
    untaught = Imagination(world, config, np.random.default_rng(0))
    best = [best_of_reference(one, case.starts, moves) for one in worlds]
    plans = mind.walk(wishes, world.mean()).plans
    batch = mind.wishes(WISHES, own=0.0)
    each_ms = 1000 * cpu_s(lambda: mind.walk(batch, world.mean())) / WISHES
    single_ms = 1000 * cpu_s(lambda: mind.walk(mind.own(1), world.mean()))
    found = answers(worlds, best, plans)
    plain = answers(worlds, best, untaught.walk(wishes, world.mean()).plans)
    first = cpu_s(lambda: untaught.learn(config.first_batches))
    later = cpu_s(lambda: untaught.learn(config.later_batches))
    few = slice(0, min(case.wishes, 30))
    climb = climbs(worlds[few], wishes, mind, plans[few], moves)
    of, how = case.name, f"{case.wishes} random demands, after {case.evaluations} evaluations"
    return [
        Row(f"{of}: greedy walk behind the planner", found.regret, "%", 1.0, detail=how),
        Row(f"{of}: greedy walk behind the planner, untaught", plain.regret, "%"),
        Row(f"{of}: demands met, of those the planner meets", found.kept, "%", 97.0, True, how),
        Row(f"{of}: demands met, untaught", plain.kept, "%"),
        Row(f"{of}: a greedy walk, of a batch", each_ms, "ms", 1.0, detail="CPU time"),
        Row(f"{of}: a greedy walk alone", single_ms, "ms", detail="CPU time"),
        Row(f"{of}: 6 random starts better at equal cost", climb["worse"], "%", 0.0,
            detail=f"by {climb['by']:.2g} of the reward at the most"),
        Row(f"{of}: random starts cost, over Q's greedy", climb["cheaper"], "times",
            5.0 if of == "deep" else None, True, "median; to be as good as it and 2 steps"),
        Row(f"{of}: learning before the first plan", first, "s", 3.0, detail="CPU time"),
        Row(f"{of}: learning after a plan", later, "s", 0.4, detail="CPU time"),
    ]  # fmt: skip


def main() -> None:
    chosen = options(__doc__)
    rows = [row for case in cases(chosen.smoke) for row in rows_of(case)]
    save(chosen, "q", TITLE, rows)


if __name__ == "__main__":
    main()
