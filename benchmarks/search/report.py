"""From runs to numbers: curves with intervals, shares that found something, tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from search.judging import WORST
from search.replay import Run
from search.table import PARTS, TEST, VALIDATION

CHECKPOINTS = (5, 10, 20, 40, 80)
SOON = 10  # evaluations within which something feasible should be found
_RESAMPLES, _ENDS = 2000, (2.5, 97.5)


@dataclass(frozen=True)
class Points:
    """A run at the checkpoints.

    Attributes:
        cell: its name.
        group: of its table.
        seed: of table and sampler.
        regrets: by part and number of evaluations; None where the choice breaks a limit there.
            Empty if no plan of the table keeps the limits on that part.
        heard: by number of evaluations, whether the choice keeps the limits by what was heard.
        ms: for one ask and tell, median; None where nothing was asked.
    """

    cell: str
    group: str
    seed: int
    regrets: dict[str, dict[int, float | None]]
    heard: dict[int, bool]
    ms: float | None

    @classmethod
    def of(cls, run: Run) -> Points:
        """What is reported of a run."""
        at = checkpoints(len(run.heard)) if run.heard else []
        regrets = {
            part: {
                point: rounded(values[point - 1]) if run.kept[part][point - 1] else None
                for point in (at if values else [])
            }
            for part, values in run.regrets.items()
        }
        heard = {point: run.heard[point - 1] for point in at}
        return cls(run.cell, run.group, run.seed, regrets, heard, rounded(run.ms) if at else None)


@dataclass(frozen=True)
class CellSummary:
    """Means over the seeds of a cell, by the number of evaluations.

    Attributes:
        group: of the table.
        runs: how many.
        regrets: by part; 100 counts where nothing within the limits is chosen. Empty if no plan
            of the table keeps the limits.
        kept: by part, share of runs whose choice keeps the limits.
        once_kept: by part, mean regret of these; None where there are none.
        broken: share of the choices called met, by what was heard, that break a limit on test;
            None where there are none.
        ms: median of the runs'.
    """

    group: str
    runs: int
    regrets: dict[str, dict[int, float]]
    kept: dict[str, dict[int, float]]
    once_kept: dict[str, dict[int, float | None]]
    broken: dict[int, float | None]
    ms: float


def checkpoints(episodes: int) -> list[int]:
    """Those that a run of so many evaluations reaches."""
    return [point for point in CHECKPOINTS if point <= episodes] or [episodes]


def summaries(runs: Iterable[Run]) -> dict[str, CellSummary]:
    """By cell."""
    return summarised(Points.of(run) for run in runs)


def summarised(runs: Iterable[Points]) -> dict[str, CellSummary]:
    """By cell."""
    by_cell: dict[str, list[Points]] = {}
    for run in runs:
        by_cell.setdefault(run.cell, []).append(run)
    return {cell: _summary(of_cell) for cell, of_cell in by_cell.items()}


def _summary(runs: list[Points]) -> CellSummary:
    regrets: dict[str, dict[int, float]] = {}
    kept: dict[str, dict[int, float]] = {}
    once_kept: dict[str, dict[int, float | None]] = {}
    for part in PARTS:
        judged = [run.regrets[part] for run in runs if run.regrets[part]]
        for point in judged[0] if judged else ():
            found = [run[point] for run in judged]
            keeps = [one for one in found if one is not None]
            regrets.setdefault(part, {})[point] = _mean([WORST if r is None else r for r in found])
            kept.setdefault(part, {})[point] = len(keeps) / len(found)
            once_kept.setdefault(part, {})[point] = _mean(keeps) if keeps else None
    times = [run.ms for run in runs if run.ms is not None]
    return CellSummary(
        runs[0].group, len(runs), regrets, kept, once_kept, _broken(runs),
        float(np.median(times)) if times else 0.0,
    )  # fmt: skip


def _broken(runs: list[Points]) -> dict[int, float | None]:
    tested = [run for run in runs if run.regrets[TEST]]
    found: dict[int, float | None] = {}
    for point in tested[0].heard if tested else ():
        met = [run.regrets[TEST][point] for run in tested if run.heard[point]]
        found[point] = sum(regret is None for regret in met) / len(met) if met else None
    return found


@dataclass(frozen=True)
class Mean:
    """A mean over cells, and the interval of 95 % that resampling the cells gives."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{short(self.value)} [{short(self.low)}, {short(self.high)}]"


def bootstrapped(values: Sequence[float]) -> Mean:
    """The mean of at least one value, each of a cell; the same values give the same interval."""
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(0)
    means = array[rng.integers(len(array), size=(_RESAMPLES, len(array)))].mean(axis=1)
    low, high = np.percentile(means, _ENDS)
    return Mean(float(array.mean()), float(low), float(high))


def curve(cells: Iterable[CellSummary], part: str = VALIDATION) -> dict[int, Mean]:
    """Regret by the number of evaluations, mean over the cells that have an optimum."""
    known = [cell.regrets[part] for cell in cells if part in cell.regrets]
    points = list(known[0]) if known else []
    return {point: bootstrapped([cell[point] for cell in known]) for point in points}


def found_soon(cells: Iterable[CellSummary], part: str = VALIDATION) -> tuple[float, float] | None:
    """Share of runs with something feasible after 10 evaluations: of all, of the worst cell's."""
    known = [cell.kept[part] for cell in cells if part in cell.kept]
    shares = [kept[soon(kept)] for kept in known]
    return (sum(shares) / len(shares), min(shares)) if shares else None


def soon(by_point: Iterable[int]) -> int:
    """The checkpoint that counts as soon: 10, or the last where runs are shorter."""
    points = list(by_point)
    return SOON if SOON in points else points[-1]


def summary(runs: Sequence[Run]) -> str:
    """For people who tune a sampler: a line a group and part."""
    of_cells = summaries(runs)
    lines = []
    for group in dict.fromkeys(run.group for run in runs):
        cells = [cell for cell in of_cells.values() if cell.group == group]
        lines += [f"{group:10} {part:11} {line(cells, part)}" for part in PARTS]
    return "\n".join(lines)


def line(cells: Sequence[CellSummary], part: str) -> str:
    """A curve and what was found soon."""
    found = found_soon(cells, part)
    if found is None:
        return "no plan keeps the limits"
    values = " / ".join(short(mean.value) for mean in curve(cells, part).values())
    ms = float(np.median([cell.ms for cell in cells]))
    return f"{values}; found in 10: {found[0]:.0%}, worst cell {found[1]:.0%}; {ms:.1f} ms"


def short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}" if value >= 1 else f"{value:.2f}"


def rounded(value: float) -> float:
    """As it is stored."""
    return round(float(value), 2)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
