"""What the Q network of dqn alone is good for: answers to demands, and starts to climb from.

Searches of 25 evaluations are replayed on tables (`search/replay.py`); then the greedy walk of Q
answers random demands, as users may have them: of T, E and S_p each is limited to what the initial
network has, or (two in five) to less. It is compared with coordinate ascent from many starts under
the same belief. Regret is in % of the range of rewards, as everywhere: from the best plan within
the limits to the least of a thousand random plans, of the initial network and of these best. No
device is used.

    python benchmarks/bench_q.py [--smoke] [--results FOLDER] [--seeds N] [--processes N]
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
from record import RESULTS, Options, Row, save
from search import formula, recorded
from search.deep import deep_table
from search.demands import DEMANDS
from search.replay import Contest, cores
from search.table import Table

TITLE = "The Q network alone: answers to random demands, starts of ascent"
SEEDS = 3  # of tables, searches and demands
EVALUATIONS, WISHES = 25, 200
LOOKED_AT = 1000  # random plans, whose least reward ends the range
STARTS, ROUNDS = 12, 60  # of the reference
DEEP_STARTS = 4  # a climb takes a second there
CLIMBED = 30  # demands of which climbs are compared
RIVALS, OWN_ROUNDS, PROPOSALS = 6, 2, 64  # random starts; steps from Q's
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Case:
    """A table, whose search is replayed, and how much is asked of it."""

    name: str
    table: Callable[[int], Table]  # of a seed
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


@dataclass(frozen=True)
class Found:
    """Of one case and seed.

    Attributes:
        case: its name.
        seed: of table and search.
        regret: of greedy walks, in %; untaught: of a network that was taught nothing.
        kept: share of the demands met, of those the planner meets, in %; likewise.
        trust: share of what was learned that Q goes by in the end.
        walk_ms: CPU time of a walk of a batch; alone_ms: of one alone.
        worse: share of demands where random starts are better at equal cost, in %; by: by how
            much of the reward at the most.
        cheaper: what random starts cost over Q's greedy walk.
        first_s: of learning before the first plan; later_s: after a plan.
    """

    case: str
    seed: int
    regret: float
    untaught_regret: float
    kept: float
    untaught_kept: float
    trust: float
    walk_ms: float
    alone_ms: float
    worse: float
    by: float
    cheaper: float
    first_s: float
    later_s: float


def cases(smoke: bool) -> list[Case]:
    if smoke:
        return [
            Case("conv2", formula.SOURCES[0].draw, 5, 2, 3),
            Case("deep", lambda seed: deep_table(seed, 4), 2, 2, 3),
        ]
    return [
        Case("digits", recorded.sources()[0].draw, WISHES, STARTS),
        Case("conv2", formula.SOURCES[0].draw, WISHES, STARTS),
        Case("conv6", formula.SOURCES[1].draw, WISHES, STARTS),
        Case("deep", deep_table, 30, DEEP_STARTS),
    ]


def searched(case: Case, seed: int) -> PlanningDqnSampler:
    """The sampler after the search."""
    contest = Contest(case.table(seed), DEMANDS[0], seed)
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
    """Whether something keeps the limits; its reward; the least reward of random plans."""
    rng = np.random.default_rng(9)
    plans, worths = ascend(world.mean(), moves, random_plans(world.space, rng, starts), ROUNDS)
    violation, reward = scored(world, plans)
    best = int(np.argmax(worths))
    looked_at = np.concatenate([plans, random_plans(world.space, rng, LOOKED_AT)])
    looked_at = np.concatenate([looked_at, np.zeros_like(looked_at[:1])])  # the initial network
    _, rewards = scored(world, looked_at)
    return bool(violation[best] <= TOLERANCE), float(reward[best]), float(rewards.min())


def answers(worlds: list[World], best: list[tuple[bool, float, float]], plans) -> Answers:
    regrets, can = [], 0
    for world, (is_kept, most, least), plan in zip(worlds, best, plans, strict=True):
        violation, reward = scored(world, plan[np.newaxis])
        can += is_kept
        if is_kept and violation[0] <= TOLERANCE:
            whole = max(most, reward[0]) - min(least, reward[0])
            regrets.append(100 * (most - reward[0]) / max(whole, TOLERANCE))
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
        own = wishes.some(np.full(PROPOSALS, row))
        drawn = np.unique(mind.decided(own, view, 0.15), axis=0)
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


def measured(case: Case, seed: int) -> Found:
    sampler, config = searched(case, seed), ImaginationConfig()
    world, mind = sampler._explorer.world, sampler._mind
    trust = mind.trust
    wishes, worlds = random_worlds(world, mind, case.wishes)
    moves = Moves(world.space)
    untaught = Imagination(world, config, np.random.default_rng(0))
    best = [best_of_reference(one, case.starts, moves) for one in worlds]
    plans = mind.decided(wishes, world.mean())
    batch = mind.wishes(WISHES, own=0.0)
    walk_s = cpu_s(lambda: mind.decided(batch, world.mean()))
    alone_s = cpu_s(lambda: mind.decided(mind.own(1), world.mean()))
    found = answers(worlds, best, plans)
    plain = answers(worlds, best, untaught.decided(wishes, world.mean()))
    first = cpu_s(lambda: untaught.learn(config.first_batches))
    later = cpu_s(lambda: untaught.learn(config.later_batches))
    few = slice(0, min(case.wishes, CLIMBED))
    climb = climbs(worlds[few], wishes, mind, plans[few], moves)
    return Found(
        case.name, seed, found.regret, plain.regret, found.kept, plain.kept, trust,
        1000 * walk_s / WISHES, 1000 * alone_s, climb["worse"], climb["by"], climb["cheaper"],
        first, later,
    )  # fmt: skip


def rows_of(case: Case, found: list[Found]) -> list[Row]:
    """Means over the seeds."""
    every = [asdict(one) for one in found]

    def mean(name: str) -> float:
        return statistics.fmean(one[name] for one in every)

    how = f"{len(found)} seeds, {case.wishes} random demands each, {case.evaluations} evaluations"
    most, of = max(one.by for one in found), case.name
    worst = max(one.regret for one in found)
    return [
        Row(f"{of}: greedy walk behind the planner", mean("regret"), "%", 1.0,
            detail=f"{how}; {worst:.2g} at the most"),
        Row(f"{of}: greedy walk behind the planner, untaught", mean("untaught_regret"), "%"),
        Row(f"{of}: demands met, of those the planner meets", mean("kept"), "%", 97.0, True),
        Row(f"{of}: demands met, untaught", mean("untaught_kept"), "%"),
        Row(f"{of}: share of what was learned that is trusted", mean("trust"), ""),
        Row(f"{of}: a greedy walk, of a batch", mean("walk_ms"), "ms", 1.0, detail="CPU time"),
        Row(f"{of}: a greedy walk alone", mean("alone_ms"), "ms", detail="CPU time"),
        Row(f"{of}: 6 random starts better at equal cost", mean("worse"), "%", 0.0,
            detail=f"by {most:.2g} of the reward at the most"),
        Row(f"{of}: random starts cost, over Q's greedy", mean("cheaper"), "times",
            5.0 if of == "deep" else None, True, "median; to be as good as it and 2 steps"),
        Row(f"{of}: learning before the first plan", mean("first_s"), "s", 3.0, detail="CPU time"),
        Row(f"{of}: learning after a plan", mean("later_s"), "s", 0.4, detail="CPU time"),
    ]  # fmt: skip


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds only; its numbers are bad")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of tables and searches")
    parser.add_argument("--processes", type=int, help="at a time; as many as there are cores")
    chosen = parser.parse_args()
    if chosen.smoke:
        chosen.seeds = 1
    return chosen


def run(job: tuple[int, int, bool]) -> Found:
    number, seed, is_smoke = job
    return measured(cases(is_smoke)[number], seed)


def main() -> None:
    chosen = arguments()
    of = cases(chosen.smoke)
    jobs = [(number, seed, chosen.smoke) for number in reversed(range(len(of)))
            for seed in range(chosen.seeds)]  # fmt: skip
    with multiprocessing.get_context("fork").Pool(chosen.processes or cores()) as pool:
        found = pool.map(run, jobs, chunksize=1)
    rows = [row for case in of for row in rows_of(case, [f for f in found if f.case == case.name])]
    save(Options(chosen.smoke, chosen.results), "q", TITLE, rows)


if __name__ == "__main__":
    main()
