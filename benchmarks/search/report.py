"""From runs to numbers: curves with intervals, shares that found something, tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from search.replay import Run
from search.table import PARTS, TEST, VALIDATION

CHECKPOINTS = (5, 10, 20, 40, 80)
SOON = 10  # evaluations within which something feasible should be found
_RESAMPLES, _ENDS = 2000, (2.5, 97.5)


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
        broken: share whose choice keeps the limits by what was heard, and breaks one on test.
        ms: median of the runs'.
    """

    group: str
    runs: int
    regrets: dict[str, dict[str, float]]
    kept: dict[str, dict[str, float]]
    once_kept: dict[str, dict[str, float | None]]
    broken: dict[str, float]
    ms: float

    def content(self) -> dict[str, object]:
        """JSON."""
        return asdict(self)


def checkpoints(episodes: int) -> list[int]:
    """Those that a run of so many evaluations reaches."""
    return [point for point in CHECKPOINTS if point <= episodes] or [episodes]


def summaries(runs: Iterable[Run]) -> dict[str, CellSummary]:
    """By cell."""
    by_cell: dict[str, list[Run]] = {}
    for run in runs:
        by_cell.setdefault(run.cell, []).append(run)
    return {cell: _summary(of_cell) for cell, of_cell in by_cell.items()}


def _summary(runs: list[Run]) -> CellSummary:
    points = checkpoints(max(len(run.heard) for run in runs))
    regrets: dict[str, dict[str, float]] = {}
    kept: dict[str, dict[str, float]] = {}
    once_kept: dict[str, dict[str, float | None]] = {}
    for part in PARTS:
        judged = [run for run in runs if run.regrets[part]]
        values = np.array([run.regrets[part] for run in judged])
        keeps = np.array([run.kept[part] for run in judged])
        for point in points if judged else []:
            column, name, keep = values[:, point - 1], str(point), keeps[:, point - 1]
            regrets.setdefault(part, {})[name] = _rounded(column.mean())
            kept.setdefault(part, {})[name] = _rounded(keep.mean())
            once = _rounded(column[keep].mean()) if keep.any() else None
            once_kept.setdefault(part, {})[name] = once
    tested = [run for run in runs if run.kept[TEST]]
    broken = {
        str(point): _rounded(
            np.mean([run.heard[point - 1] and not run.kept[TEST][point - 1] for run in tested])
        )
        for point in (points if tested else [])
    }
    ms = _rounded(np.median([run.ms for run in runs if run.heard] or [0.0]))
    return CellSummary(runs[0].group, len(runs), regrets, kept, once_kept, broken, ms)


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


def curve(cells: Iterable[CellSummary], part: str = VALIDATION) -> dict[str, Mean]:
    """Regret by the number of evaluations, mean over the cells that have an optimum."""
    known = [cell.regrets[part] for cell in cells if part in cell.regrets]
    points = list(known[0]) if known else []
    return {point: bootstrapped([cell[point] for cell in known]) for point in points}


def found_soon(cells: Iterable[CellSummary], part: str = VALIDATION) -> tuple[float, float] | None:
    """Share of runs with something feasible after 10 evaluations: of all, of the worst cell's."""
    known = [cell for cell in cells if part in cell.kept]
    if not known:
        return None
    point = str(min(SOON, max(map(int, known[0].kept[part]))))
    shares = [cell.kept[part][point] for cell in known if point in cell.kept[part]]
    return (sum(shares) / len(shares), min(shares)) if shares else None


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


def _rounded(value: float) -> float:
    return round(float(value), 4)
