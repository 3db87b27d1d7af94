"""What a choice is worth: regret in % of the table's range of rewards.

    regret = 100 (R* - R) / (R* - R_least)

R is the reward (Eq. 8) of the plan that is best so far; R* the best of any plan that keeps all
limits; R_least the least of any plan, whether it keeps them or not. Choosing a plan that breaks a
limit, or nothing, is 100. The initial network is known before the start: where it keeps the limits
it is the first choice (about 50).

All is judged twice: on the validation data, which is what a sampler hears, and on the test data,
limits of the accuracy being those of the initial network on the same data. Latencies are without
noise. Where no plan of a table keeps a demand's limits there is no optimum, and no regret.
"""

from __future__ import annotations

import functools
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adadeep.core.demand import UserDemand
from adadeep.core.plan import CompressionPlan
from adadeep.core.reward import Limits, resolve_limits, reward
from search.demands import NamedDemand
from search.table import Columns, Floats, Source, Table

WORST = 100.0
STORED = Path(__file__).resolve().parent / "optima.json"
_TOLERANCE = 1e-9  # as of core/reward.py
_LEAST_RANGE = 1e-3
_BLOCK = 1 << 18  # plans at a time: what is computed of them stays in the cache


@dataclass(frozen=True)
class Optimum:
    """The range of rewards of a demand on a table.

    Attributes:
        best: of the plans that keep all limits; None if none does.
        least: of all plans.
    """

    best: float | None
    least: float


class Judge:
    """Judges plans for a demand on one part of a table's data.

    Args:
        table: of costs.
        demand: what is wanted.
        part: "validation" or "test".
        optimum: if known.
    """

    def __init__(
        self, table: Table, demand: NamedDemand, part: str, optimum: Optimum | None = None
    ) -> None:
        self._table, self._part = table, part
        initial = table.judge(CompressionPlan(), part)
        assert initial is not None, "a table has its initial network"
        self.demand = demand.of(initial[1])
        self.limits = resolve_limits(self.demand, *initial)
        self.optimum = optimum or optimum_of(table.columns(part), self.demand, self.limits)

    @property
    def has_optimum(self) -> bool:
        """Whether any plan keeps the limits."""
        return self.optimum.best is not None

    @property
    def columns(self) -> Columns:
        """Of all plans, on this part."""
        return self._table.columns(self._part)

    def regret(self, plan: CompressionPlan) -> float | None:
        """In %; None where the plan breaks a limit or can't be made.

        Raises:
            ValueError: no plan keeps the limits.
        """
        if self.optimum.best is None:
            raise ValueError("no plan keeps the limits: there is no regret")
        judged = self._table.judge(plan, self._part)
        earned = None if judged is None else reward(self.demand, self.limits, *judged)
        if earned is None or not earned.is_feasible:
            return None
        return regret(self.optimum, earned.total)


def regret(optimum: Optimum, total: float) -> float:
    """Of a plan that keeps the limits, by its reward; 0..100."""
    assert optimum.best is not None
    if optimum.best <= optimum.least:  # one plan, or all alike
        return 0.0
    share = (optimum.best - total) / (optimum.best - optimum.least)
    return WORST * min(max(share, 0.0), 1.0)


def optimum_of(columns: Columns, demand: UserDemand, limits: Limits) -> Optimum:
    """By looking at every plan."""
    best, least = -np.inf, np.inf
    for start in range(0, len(columns.accuracy), _BLOCK):
        totals, violations = rewards(_part(columns, slice(start, start + _BLOCK)), demand, limits)
        least = min(least, float(totals.min()))
        best = max(best, float(totals.max(where=violations == 0, initial=-np.inf)))
    return Optimum(None if best == -np.inf else best, least)


def best_plan_number(columns: Columns, demand: UserDemand, limits: Limits) -> int | None:
    """Which plan is the best of those that keep the limits."""
    totals, violations = rewards(columns, demand, limits)
    kept = np.where(violations == 0, totals, -np.inf)
    return int(kept.argmax()) if (violations == 0).any() else None


def rewards(columns: Columns, demand: UserDemand, limits: Limits) -> tuple[Floats, Floats]:
    """`reward` of many plans: totals and violations, (plans,) each."""
    room = max(1 - limits.min_accuracy, _LEAST_RANGE)
    margins = (
        (columns.accuracy - limits.min_accuracy) / room,
        1 - columns.energy_mj / limits.max_energy_mj,
        1 - columns.latency_ms / limits.max_latency_ms,
        1 - columns.storage_bytes / limits.max_storage_bytes,
    )
    weights = (
        demand.accuracy_weight,
        demand.energy_weight,
        demand.latency_weight,
        demand.storage_weight,
    )
    totals, violations = np.zeros(len(margins[0])), np.zeros(len(margins[0]))
    for weight, margin in zip(weights, margins, strict=True):
        totals += weight * margin.clip(-1, 1)
        violations -= np.where(margin < -_TOLERANCE, margin, 0)
    return totals, violations


class Optima:
    """Optima that are kept in a file: those of large tables take a second each.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path = STORED) -> None:
        self._path = path
        stored = json.loads(path.read_text()) if path.exists() else {}
        self.found: dict[str, tuple[float | None, float]] = {
            key: (best, least) for key, (best, least) in stored.items()
        }

    def forget(self) -> None:
        """All are found anew."""
        self.found.clear()

    def judge(self, source: Source, table: Table, demand: NamedDemand, part: str) -> Judge:
        """A judge, with the optimum of the file if it has that one."""
        about = f"{source.fingerprint} {demand!r}"
        key = f"{table.name}, {demand.name}, {part} {zlib.crc32(about.encode()):08x}"
        stored = self.found.get(key)
        judge = Judge(table, demand, part, Optimum(*stored) if stored else None)
        self.found[key] = judge.optimum.best, judge.optimum.least
        return judge

    def write(self) -> None:
        """One line an optimum, sorted: so changes are read."""
        lines = [f"{json.dumps(key)}: {json.dumps(self.found[key])}" for key in sorted(self.found)]
        self._path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def carried_over(heard: Judge, told: Judge) -> float | None:
    """Regret on one part of the plan that is the best on another; None where it breaks a limit.

    What is left to a search that finds the best by what it hears.
    """
    number = best_plan_number(heard.columns, heard.demand, heard.limits)
    if number is None:
        return None
    totals, violations = rewards(told.columns, told.demand, told.limits)
    return None if violations[number] else regret(told.optimum, float(totals[number]))


def _part(columns: Columns, some: slice) -> Columns:
    return Columns(
        columns.accuracy[some],
        columns.energy_mj[some],
        columns.latency_ms[some],
        columns.storage_bytes[some],
    )


@functools.cache
def stored_optima() -> Optima:
    """Those of the benchmark's own file."""
    return Optima()
