"""The tables of the report, for the screen and for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from search.contenders import OWN
from search.report import SOON, CellSummary, Mean, bootstrapped, curve, found_soon, soon
from search.table import TEST, VALIDATION

BEST_HEARD = "(the best on validation)"  # what is left to any search
BySampler = dict[str, dict[str, CellSummary]]
Rows = dict[str, dict[str, str]]

_HEADS = {
    VALIDATION: "regret on validation in %",
    TEST: "regret on test in %",
}


def page(found: BySampler) -> dict[str, Rows]:
    """Tables by title: a row a sampler."""
    tables = {}
    for group in groups(found):
        of_group = only(found, group)
        for part in (VALIDATION, TEST) if group == "recorded" else (VALIDATION,):
            tables[f"{group}, {_HEADS[part]}"] = curves_table(of_group, part)
        judged_on = TEST if group == "recorded" else VALIDATION
        title = f"{group} after {SOON} by demand: share that keeps the limits, their regret"
        tables[f"{title} ({judged_on})"] = demands_table(of_group, judged_on)
    tables[f"all tables, {_HEADS[VALIDATION]}"] = curves_table(found, VALIDATION)
    for own in (name for name in OWN if name in found):
        tables[f"{own} less others in the same cells"] = paired_table(found, own)
    return {title: rows for title, rows in tables.items() if rows}


def groups(found: BySampler) -> list[str]:
    """Of tables, in the order of the cells."""
    return list(dict.fromkeys(one.group for cells in found.values() for one in cells.values()))


def only(found: BySampler, group: str) -> BySampler:
    """The cells of a group."""
    return {
        name: {cell: one for cell, one in cells.items() if one.group == group}
        for name, cells in found.items()
    }


def curves_table(found: BySampler, part: str) -> Rows:
    """Regret after so many evaluations, mean over cells; what was found soon; winners broken."""
    rows = {}
    for name, by_cell in found.items():
        cells = [one for one in by_cell.values() if part in one.regrets]
        if not cells or (name == BEST_HEARD and part != TEST):
            continue
        row = {str(point): str(mean) for point, mean in curve(cells, part).items()}
        shares = found_soon(cells, part)
        row[f"kept in {SOON}, worst cell"] = " ".join(f"{s:.0%}" for s in shares) if shares else ""
        last = [broken for one in cells for broken in list(one.broken.values())[-1:]]
        met = [broken for broken in last if broken is not None]
        row["met, broken on test"] = f"{np.mean(met):.0%}" if met else "-"
        row["ms a plan"] = f"{np.median([one.ms for one in cells]):.1f}"
        row["seeds"] = str(max(one.runs for one in cells))
        rows[name] = row
    return rows


def demands_table(found: BySampler, part: str) -> Rows:
    """By demand: share of runs whose choice keeps the limits, and the mean regret of these."""
    demands = dict.fromkeys(demand_of(cell) for cells in found.values() for cell in cells)
    rows: Rows = {}
    for name, by_cell in found.items():
        of = {
            demand: [one for cell, one in by_cell.items() if demand_of(cell) == demand]
            for demand in demands
        }
        if any(part in one.kept for one in by_cell.values()):
            rows[name] = {demand: _kept(cells, part) for demand, cells in of.items()}
    return rows


def _kept(cells: Iterable[CellSummary], part: str) -> str:
    known = [one for one in cells if part in one.kept]
    if not known:
        return "exit 4"
    point = soon(known[0].kept[part])
    shares = [one.kept[part][point] for one in known]
    regrets = [r for one in known if (r := one.once_kept[part][point]) is not None]
    regret = str(bootstrapped(regrets)) if regrets else "-"
    return f"{np.mean(shares):.0%}: {regret}"


def paired_table(found: BySampler, own: str) -> Rows:
    """Regret of one less that of others, mean over the cells; negative where it is better."""
    rows = {}
    for name, by_cell in found.items():
        if name in (own, BEST_HEARD):
            continue
        for group in groups(found):
            row = paired(found[own], by_cell, group)
            if row:
                rows[f"{name}, {group}"] = {
                    str(point): signed(mean) for point, mean in row.items()
                }
    return rows


def paired(
    own: dict[str, CellSummary], other: dict[str, CellSummary], group: str
) -> dict[int, Mean]:
    """Differences on validation in the cells of a group that both have, by evaluations."""
    cells = [
        (one.regrets[VALIDATION], other[cell].regrets[VALIDATION])
        for cell, one in own.items()
        if one.group == group and cell in other and VALIDATION in one.regrets
    ]
    points = list(cells[0][0]) if cells else []
    return {point: bootstrapped([a[point] - b[point] for a, b in cells]) for point in points}


def signed(mean: Mean) -> str:
    return f"{mean.value:+.1f} [{mean.low:+.1f}, {mean.high:+.1f}]"


def demand_of(cell: str) -> str:
    """The demand in a cell's name."""
    return cell.partition(", ")[2]


def without_optimum(found: BySampler) -> list[str]:
    """Cells of which no plan keeps the limits, on either part."""
    every = {cell: one for cells in found.values() for cell, one in cells.items()}
    return [cell for cell, one in every.items() if not one.regrets]


def printed(found: BySampler) -> str:
    """All tables as text."""
    lines = []
    for title, rows in page(found).items():
        columns = list(next(iter(rows.values())))
        widths = [max(len(c), *(len(row[c]) for row in rows.values())) for c in columns]
        first = max(len(name) for name in rows)
        pairs = list(zip(columns, widths, strict=True))
        lines += ["", title, " " * first + "".join(f"  {c:>{w}}" for c, w in pairs)]
        lines += [
            f"{name:{first}}" + "".join(f"  {row[c]:>{w}}" for c, w in pairs)
            for name, row in rows.items()
        ]
    apart = without_optimum(found)
    if apart:
        lines += ["", f"no plan keeps the limits (exit 4, no regret): {'; '.join(apart)}"]
    return "\n".join(lines)
