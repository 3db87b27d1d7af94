"""How good the best plan is after so many episodes: dqn (both presets) against random.

The costs are a table made by a formula, for LeNet's decisions: each choice saves time, storage
and energy and loses accuracy, by layer and setting, and choices interact (losses add up faster
than linearly, int8 costs more after aggressive choices). No device is used: what is compared is
the samplers, at equal numbers of evaluated plans.

    python benchmarks/bench_search.py [--episodes 100] [--seeds 5] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice, Precision
from adadeep.search.dqn.config import PRESETS, DqnConfig
from adadeep.search.dqn.sampler import DqnSampler
from adadeep.search.random_sampler import RandomSampler
from adadeep.search.reward import resolve_limits, reward
from adadeep.search.space import SearchSpace, build_space

CHECKPOINTS = (10, 20, 40, 80)
RESULTS = Path(__file__).parent / "results" / "search.json"


@dataclass
class TableTechnique:
    """A technique of the table: settings and the kinds of layer that take it."""

    name: str
    title: str
    kinds: tuple[LayerKind, ...]
    settings: tuple[LayerChoice, ...]

    def applies_to(self, layer):
        return layer.kind in self.kinds

    def choices(self, _layer):
        return self.settings


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
    return build_space(model, techniques)


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
        if plan.precision is Precision.INT8:
            time_ms, stored, lost = time_ms * 0.45, stored * 0.25, lost * 1.4 + 0.003
        accuracy = max(0.98 - lost - 4 * lost**2 * 10, 0.1)
        energy = 0.2 * time_ms + 1e-6 * stored
        return accuracy, Cost(
            Quantity(time_ms, Provenance.ANALYTIC, "table"),
            Quantity(energy, Provenance.ANALYTIC, "table"),
            stored, 0.0, None, 0,
        )  # fmt: skip


@dataclass
class Run:
    best: list[float]
    ms_per_episode: float


def run(sampler, table: CostTable, demand: UserDemand, episodes: int) -> Run:
    """Best feasible reward so far after each episode (the initial network counts as tried)."""
    accuracy, cost = table.evaluate(CompressionPlan())
    limits = resolve_limits(demand, accuracy, cost)
    best = [reward(demand, limits, accuracy, cost).total]
    spent = []
    for _ in range(episodes):
        start = time.perf_counter()
        plan = sampler.ask()
        asked = time.perf_counter() - start
        earned = reward(demand, limits, *table.evaluate(plan))
        best.append(max(best[-1], earned.total if earned.is_feasible else -9))
        start = time.perf_counter()
        sampler.tell(plan, earned.gain, earned.satisfaction)
        spent.append(asked + time.perf_counter() - start)
    return Run(best[1:], 1000 * statistics.median(spent))


def contenders() -> dict[str, DqnConfig | None]:
    base = PRESETS["default"]
    return {
        "dqn default": base,
        "dqn default, reward on every step": replace(base, gamma=0.01, reward_on_every_step=True),
        "dqn default, a loss a column": replace(base, separate_columns=True),
        "dqn paper": PRESETS["paper"],
        "random": None,
    }


def compare(depth: int, episodes: int, seeds: int) -> dict[str, dict[str, float]]:
    """Mean over seeds of the best reward after each checkpoint."""
    demand = UserDemand(max_accuracy_loss=0.02)
    space = table_space(depth)
    rows: dict[str, dict[str, float]] = {}
    for name, config in contenders().items():
        runs = []
        for seed in range(seeds):
            sampler = (
                DqnSampler(space, demand, seed, config) if config else RandomSampler(space, seed)
            )
            runs.append(run(sampler, CostTable(space, seed), demand, episodes))
        rows[name] = {
            str(point): round(statistics.mean(r.best[point - 1] for r in runs), 4)
            for point in CHECKPOINTS
            if point <= episodes
        }
        rows[name]["ms_per_episode"] = round(statistics.median(r.ms_per_episode for r in runs), 1)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=80)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    results = {}
    for depth in (2, 6):
        space = table_space(depth)
        plans = int(np.prod([float(len(point.options)) for point in space.points]))
        results[f"{depth} conv"] = rows = compare(depth, arguments.episodes, arguments.seeds)
        print(f"\n{depth} convolutions, {plans} plans; best feasible reward after N episodes")
        columns = list(next(iter(rows.values())))
        print(f"{'sampler':36}" + "".join(f"{name:>16}" for name in columns))
        for name, row in rows.items():
            print(f"{name:36}" + "".join(f"{row[column]:16}" for column in columns))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    content = {"seeds": arguments.seeds, "episodes": arguments.episodes, "results": results}
    arguments.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
