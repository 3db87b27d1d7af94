"""Replays searches on tables: a sampler asks, a table answers as a study would.

    from search.replay import cells, curves
    runs = curves(lambda context: PLANNER.make(context), cells(), seeds=range(6), episodes=40)
    print(summary(runs))

A sampler is asked and told in turn. A plan whose known costs break a limit is told as skipped, as
a study tells it, and is no evaluation: nothing is trained. Any other ask is one, of a known plan
too. Runs of a cell and seed hear the same measurements whatever the sampler is.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Reward, floor_reward, resolve_limits, reward
from adadeep.core.sampler import Sampler
from adadeep.core.search import Goal, GoalScore, ScoredTrial, SearchContext, Stop
from adadeep.core.trial import Trial, TrialState
from adadeep.study.known import ruled_out
from search import formula, recorded
from search.demands import DEMANDS, NamedDemand
from search.judging import WORST, Judge, carried_over, stored_optima
from search.table import PARTS, TEST, VALIDATION, Source, Table

ASKS_A_TURN = 20  # as many may be skipped for each evaluation; then the sampler is stuck

Contender = Callable[[SearchContext], Sampler]
# From the sampler and what it heard, the initial network first, to the plan it would deliver.
Choose = Callable[[Sampler, Sequence[ScoredTrial]], ScoredTrial]


@dataclass(frozen=True)
class Cell:
    """A demand on a table."""

    source: Source
    demand: NamedDemand

    @property
    def name(self) -> str:
        return f"{self.source.name}, {self.demand.name}"


def cells(
    sources: Iterable[Source] | None = None, demands: Iterable[NamedDemand] = DEMANDS
) -> list[Cell]:
    """Every demand on every table; of all sources if none are given."""
    chosen = [*recorded.sources(), *formula.SOURCES] if sources is None else list(sources)
    wanted = list(demands)
    return [Cell(source, demand) for source in chosen for demand in wanted]


@dataclass(frozen=True)
class Run:
    """One replay. Lists have an entry for each evaluation, of the best plan after it.

    Attributes:
        cell: its name.
        group: of its table.
        seed: of table and sampler.
        regrets: by part; 100 where the plan breaks a limit there. Empty if no plan of the table
            keeps the limits on that part.
        kept: by part, whether the plan keeps all limits there.
        heard: whether it kept them by what was heard.
        ms: for one ask and tell, median.
        asked: plans asked for, with those that were skipped.
        stop: the sampler's reason to stop; None if it went on.
    """

    cell: str
    group: str
    seed: int
    regrets: dict[str, list[float]]
    kept: dict[str, list[bool]]
    heard: list[bool]
    ms: float
    asked: int
    stop: str | None = None


class Contest:
    """A demand on a table, as a study would score it.

    Args:
        table: of costs.
        demand: what is wanted.
        seed: of sampler and measurements.
    """

    def __init__(self, table: Table, demand: NamedDemand, seed: int) -> None:
        self._table, self._seed = table, seed
        heard = table.hear(CompressionPlan(), seed)
        assert heard.accuracy is not None, "a table has its initial network"
        assert heard.cost is not None
        wanted = demand.of(heard.cost)
        limits = resolve_limits(wanted, heard.accuracy, heard.cost)
        self._goal = Goal("table", wanted, limits)
        self._known: dict[CompressionPlan, ScoredTrial] = {}
        self.context = SearchContext(
            table.space,
            (self._goal,),
            seed,
            known_costs=table.known_costs,
            targets=(table.knowledge,),
            history=(self.scored(CompressionPlan()),),
        )

    def skipped(self, plan: CompressionPlan) -> ScoredTrial | None:
        """As a study tells of a plan whose known costs break a limit; None if they don't."""
        if plan in self._known:
            return None
        skip = ruled_out(plan, (self._goal,), self._table.known_costs)
        if skip is None:
            return None
        floor = floor_reward(self._goal.demand)
        earned = Reward(floor.gain, floor.satisfaction, skip.violations[self._goal.target])
        trial = Trial(plan, TrialState.SKIPPED, reason=skip.reason)
        return ScoredTrial((GoalScore(trial, earned),))

    def scored(self, plan: CompressionPlan) -> ScoredTrial:
        """What is heard of a plan; the same when it is tried again."""
        if plan not in self._known:
            trial = self._table.hear(plan, self._seed)
            if trial.accuracy is None or trial.cost is None:
                earned = floor_reward(self._goal.demand)
            else:
                earned = reward(self._goal.demand, self._goal.limits, trial.accuracy, trial.cost)
            self._known[plan] = ScoredTrial((GoalScore(trial, earned),))
        return self._known[plan]


def best_of_heard(_sampler: Sampler, heard: Sequence[ScoredTrial]) -> ScoredTrial:
    """The first by rank, as a study's results are sorted."""
    return min(heard, key=lambda one: one.rank)


def replay(
    make: Contender, cell: Cell, seed: int, episodes: int, choose: Choose = best_of_heard
) -> Run:
    """One run of a sampler."""
    table = cell.source.draw(seed)
    judges = {part: stored_optima().judge(cell.source, table, cell.demand, part) for part in PARTS}
    if not any(judge.has_optimum for judge in judges.values()):
        return _judged(cell, seed, [], judges)
    contest = Contest(table, cell.demand, seed)
    sampler = make(contest.context)
    heard, best, spent, asked, stop = list(contest.context.history), [], [], 0, None
    while len(best) < episodes and asked < ASKS_A_TURN * episodes:
        start = time.perf_counter()
        plan = sampler.ask()
        took = time.perf_counter() - start
        if isinstance(plan, Stop):
            stop = plan.reason
            break
        asked += 1
        skipped = contest.skipped(plan)
        scored = skipped or contest.scored(plan)
        start = time.perf_counter()
        sampler.tell(scored)
        spent.append(took + time.perf_counter() - start)
        if skipped is None:
            heard.append(scored)
            best.append(choose(sampler, heard))
    last = best[-1] if best else choose(sampler, heard)
    best += [last] * (episodes - len(best))
    run = _judged(cell, seed, best, judges)
    return replace(run, ms=1000 * statistics.median(spent or [0.0]), asked=asked, stop=stop)


def _judged(cell: Cell, seed: int, best: list[ScoredTrial], judges: dict[str, Judge]) -> Run:
    regrets: dict[str, list[float]] = {part: [] for part in judges}
    kept: dict[str, list[bool]] = {part: [] for part in judges}
    for part, judge in judges.items():
        if not judge.has_optimum:
            continue
        known: dict[CompressionPlan, float | None] = {}
        for chosen in best:
            if chosen.plan not in known:
                known[chosen.plan] = judge.regret(chosen.plan)
            found = known[chosen.plan]
            regrets[part].append(WORST if found is None else found)
            kept[part].append(found is not None)
    heard = [chosen.reward.is_feasible for chosen in best]
    return Run(cell.name, cell.source.group, seed, regrets, kept, heard, 0.0, 0)


_work: dict[str, Any] = {}  # what forked processes find there: samplers can't be pickled


def curves(
    make: Contender,
    of: Sequence[Cell],
    seeds: Iterable[int],
    episodes: int,
    processes: int | None = None,
    choose: Choose = best_of_heard,
) -> list[Run]:
    """Runs a sampler on every cell with every seed.

    Args:
        make: the sampler of a context.
        of: cells.
        seeds: of tables and samplers.
        episodes: evaluations.
        processes: at a time; None: as many as there are cores; 1 runs all in this one (for a
            debugger, or a profile).
        choose: what the sampler would deliver.
    """
    # The largest plans first, and one job at a time: all cores are busy to the end. Optima that
    # are found beforehand (`find_optima`) are shared by all processes.
    jobs = sorted(
        ((cell, seed) for seed in seeds for cell in of),
        key=lambda job: -_size(job[0].source),
    )
    _work.update(make=make, episodes=episodes, choose=choose)
    processes = cores() if processes is None else processes
    if processes == 1:
        return [_run(job) for job in jobs]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map(_run, jobs, chunksize=1)


def cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _size(source: Source) -> int:
    return len(source.draw(0).space.points)


def _run(job: tuple[Cell, int]) -> Run:
    return replay(_work["make"], *job, _work["episodes"], _work["choose"])


def validation_runs(of: Sequence[Cell], episodes: int) -> list[Run]:
    """As of a sampler that delivers the best plan on validation data at once, on recorded tables.

    Its regret on test is what the size of the validation data costs, whatever the search.
    """
    runs = []
    for cell in of:
        table = cell.source.draw(0)
        heard, told = (
            stored_optima().judge(cell.source, table, cell.demand, part) for part in PARTS
        )
        if cell.source.group != recorded.GROUP or not (heard.has_optimum and told.has_optimum):
            continue
        found = carried_over(heard, told)
        regrets = {VALIDATION: [0.0], TEST: [WORST if found is None else found]}
        kept = {VALIDATION: [True], TEST: [found is not None]}
        runs.append(
            Run(
                cell.name, cell.source.group, 0,
                {part: values * episodes for part, values in regrets.items()},
                {part: values * episodes for part, values in kept.items()},
                [True] * episodes, 0.0, 0,
            )
        )  # fmt: skip
    return runs


def find_optima(of: Sequence[Cell], seeds: Iterable[int], keep: bool = True) -> None:
    """Finds what is not stored yet, before processes fork.

    Args:
        of: cells.
        seeds: of tables.
        keep: whether to store it.
    """
    optima = stored_optima()
    before = len(optima.found)
    for seed in seeds:
        for cell in of:
            for part in PARTS:
                optima.judge(cell.source, cell.source.draw(seed), cell.demand, part)
    if keep and len(optima.found) > before:
        optima.write()
