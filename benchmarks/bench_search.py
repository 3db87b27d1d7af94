"""How good the best plan is after so many episodes, by sampler and preset.

The costs are a table made by a formula, for LeNet's decisions: each choice saves time, storage
and energy and loses accuracy, by layer and setting, and choices interact (losses add up faster
than linearly, int8 costs more after aggressive choices). No device is used: what is compared is
the samplers, at equal numbers of evaluated plans.

    python benchmarks/bench_search.py [--smoke] [--results FOLDER]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import resolve_limits, reward
from adadeep.core.sampler import Sampler
from adadeep.core.search import Goal, GoalScore, ScoredTrial, SearchContext, Stop
from adadeep.core.space import SearchSpace, build_space
from adadeep.core.trial import Trial, TrialState
from adadeep.search.dqn.config import preset_config
from adadeep.search.dqn.sampler import DqnSampler
from adadeep.search.registry import SAMPLERS
from record import options, write

CHECKPOINTS = (10, 20, 40, 80)
EPISODES, SEEDS = 80, 5


@dataclass
class TableTechnique:
    """A technique of the table: settings and the kinds of layer that take it."""

    name: str
    title: str
    kinds: tuple[LayerKind, ...]
    settings: tuple[LayerChoice, ...]
    training_factor: int = 1
    replaces_following: bool = False

    def applies_to(self, layer):
        return layer.kind in self.kinds

    def choices(self, _layer):
        return self.settings

    def apply(self, *_arguments):
        raise NotImplementedError("a table has no networks")

    def outline(self, *_arguments):
        raise NotImplementedError("a table has no networks")


def layer_list(depth: int) -> tuple[LayerSpec, ...]:
    """`depth` convolutions and two dense layers."""
    layers, size, channels = [], 32, 3
    for number in range(depth):
        out = 32 * 2 ** min(number, 3)
        weights = 9 * channels * out
        layers.append(
            LayerSpec(
                f"conv{number}", LayerKind.CONV, (size, size, channels), (size, size, out),
                (3, 3), (1, 1), "same", weights=weights, nonzero_weights=weights,
            )
        )  # fmt: skip
        channels = out
        size = max(size // 2, 4)
    features = size * size * channels
    for number, units in enumerate((512, 10)):
        weights = features * units
        layers.append(
            LayerSpec(
                f"fc{number}", LayerKind.DENSE, (features,), (units,),
                weights=weights, nonzero_weights=weights,
            )
        )  # fmt: skip
        features = units
    return tuple(layers)


def choices(name: str, count: int) -> tuple[LayerChoice, ...]:
    return tuple(LayerChoice(name, (("setting", number),)) for number in range(count))


def table_space(depth: int) -> SearchSpace:
    """The space of the table."""
    techniques = [
        TableTechnique("W1f", "", (LayerKind.DENSE,), choices("W1f", 3)),
        TableTechnique("W3", "", (LayerKind.DENSE,), choices("W3", 3)),
        TableTechnique("C2", "", (LayerKind.CONV,), choices("C2", 2)),
        TableTechnique("L1", "", (LayerKind.CONV,), choices("L1", 3)),
    ]
    layers = layer_list(depth)
    model = ModelSpec("table", layers[0].input_shape, layers)
    return build_space(model, techniques, tuple(PRECISIONS))


class CostTable:
    """Accuracy and cost of every plan; the same for the same seed."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space = space
        rng = np.random.default_rng(seed)
        shape = (len(space.points), len(space.actions))
        self._speed = rng.uniform(0.15, 1.1, shape)  # time of the layer over what it took before
        self._size = rng.uniform(0.05, 0.9, shape)
        strength = 2 - self._speed.clip(max=1) - self._size  # what saves more loses more
        self._loss = 0.004 * strength**2 * rng.lognormal(0, 0.8, shape)

    def evaluate(self, plan: CompressionPlan) -> tuple[float, Cost]:
        lost, time_ms, stored = 0.0, 0.0, 0.0
        for position, (point, action) in enumerate(
            zip(self.space.points, self.space.decisions(plan), strict=True)
        ):
            if point.layer is None:
                continue
            speed = size = 1.0
            if action:
                speed, size = self._speed[position, action], self._size[position, action]
                lost += self._loss[position, action]
            time_ms += 1e-8 * point.layer.macs * speed + 0.01
            stored += 4 * point.layer.weights * size
        if plan.precision == "int8":
            time_ms, stored, lost = time_ms * 0.45, stored * 0.25, lost * 1.4 + 0.003
        accuracy = max(0.98 - lost - 4 * lost**2 * 10, 0.1)
        energy = 0.2 * time_ms + 1e-6 * stored
        return accuracy, Cost(
            Quantity(time_ms, Provenance.ANALYTIC, "table"),
            Quantity(energy, Provenance.ANALYTIC, "table"),
            stored, 0.0, None, 0,
        )  # fmt: skip


class Contest:
    """A demand on a table: scores plans as a study does.

    Args:
        table: of costs.
        demand: what is wanted.
        seed: of the samplers.
    """

    def __init__(self, table: CostTable, demand: UserDemand, seed: int) -> None:
        self._table = table
        limits = resolve_limits(demand, *table.evaluate(CompressionPlan()))
        self._goal = Goal("table", demand, limits)
        self.context = SearchContext(
            table.space, (self._goal,), seed, history=(self.scored(CompressionPlan()),)
        )

    def scored(self, plan: CompressionPlan) -> ScoredTrial:
        accuracy, cost = self._table.evaluate(plan)
        trial = Trial(plan, TrialState.COMPLETE, accuracy, cost)
        earned = reward(self._goal.demand, self._goal.limits, accuracy, cost)
        return ScoredTrial((GoalScore(trial, earned),))


@dataclass
class Run:
    best: list[float]
    ms_per_episode: float


Contender = Callable[[SearchContext], Sampler]


def run(make: Contender, contest: Contest, episodes: int) -> Run:
    """Best feasible reward so far after each episode (the initial network counts as tried)."""
    sampler = make(contest.context)
    best = [contest.context.history[0].reward.total]
    spent = []
    for _ in range(episodes):
        start = time.perf_counter()
        plan = sampler.ask()
        asked = time.perf_counter() - start
        if isinstance(plan, Stop):
            best += [best[-1]] * (episodes + 1 - len(best))
            break
        scored = contest.scored(plan)
        best.append(max(best[-1], scored.reward.total if scored.reward.is_feasible else -9))
        start = time.perf_counter()
        sampler.tell(scored)
        spent.append(asked + time.perf_counter() - start)
    return Run(best[1:], 1000 * statistics.median(spent or [0.0]))


def contenders() -> dict[str, Contender]:
    """Every registered sampler with each of its presets, and variants of dqn's."""
    found: dict[str, Contender] = {
        f"{name} {preset}": registered(name, preset)
        for name in SAMPLERS
        for preset in SAMPLERS.get(name).presets
    }
    found["dqn default, reward on every step"] = variant(gamma=0.01, reward_on_every_step=True)
    found["dqn default, a loss a column"] = variant(separate_columns=True)
    return found


def registered(name: str, preset: str) -> Contender:
    return lambda context: SAMPLERS.get(name).make(replace(context, preset=preset))


def variant(**changes: object) -> Contender:
    config = replace(preset_config("default"), **changes)
    return lambda context: DqnSampler(
        context.space, [goal.demand for goal in context.goals], context.seed, config
    )


def compare(depth: int, episodes: int, seeds: int) -> dict[str, dict[str, float]]:
    """Mean over seeds of the best reward after each checkpoint."""
    demand, space = UserDemand(max_accuracy_loss=0.02), table_space(depth)
    contests = [Contest(CostTable(space, seed), demand, seed) for seed in range(seeds)]
    return {
        name: summary([run(make, contest, episodes) for contest in contests], episodes)
        for name, make in contenders().items()
    }


def summary(runs: list[Run], episodes: int) -> dict[str, float]:
    row = {
        str(point): round(statistics.mean(r.best[point - 1] for r in runs), 4)
        for point in CHECKPOINTS
        if point <= episodes
    }
    return {**row, "ms_per_episode": round(statistics.median(r.ms_per_episode for r in runs), 1)}


def main() -> None:
    chosen = options(__doc__)
    episodes, seeds = (CHECKPOINTS[0], 1) if chosen.smoke else (EPISODES, SEEDS)
    results = {}
    for depth in (2,) if chosen.smoke else (2, 6):
        space = table_space(depth)
        plans = int(np.prod([float(len(point.options)) for point in space.points]))
        results[f"{depth} conv"] = rows = compare(depth, episodes, seeds)
        print(f"\n{depth} convolutions, {plans} plans; best feasible reward after N episodes")
        columns = list(next(iter(rows.values())))
        print(f"{'sampler':36}" + "".join(f"{name:>16}" for name in columns))
        for name, row in rows.items():
            print(f"{name:36}" + "".join(f"{row[column]:16}" for column in columns))
    write(chosen, "search", {"seeds": seeds, "episodes": episodes, "results": results})


if __name__ == "__main__":
    main()
