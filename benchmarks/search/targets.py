"""What the search is to reach, and whether it does: rows of a benchmark's page."""

from __future__ import annotations

from record import Row
from search.contenders import OWN
from search.pages import BEST_HEARD, BySampler, groups, only, paired
from search.report import CellSummary, curve, found_soon
from search.table import TEST, VALIDATION

# Of issue 9: regret on validation in %, mean over cells, after so many evaluations.
REGRETS = {
    "recorded": {5: 5.0, 10: 1.2, 20: 0.3, 40: 0.1},
    "conv2": {5: 7.0, 10: 1.0, 20: 0.4, 40: 0.2},
    "conv6": {5: 10.0, 10: 5.0, 20: 2.0, 40: 1.0},
}
SHARE_OF_ALL, SHARE_OF_A_CELL = 95.0, 80.0  # of runs with something feasible within 10
MOST_WORSE = 0.5  # than any other, paired over the cells of a group


def rows(found: BySampler) -> list[Row]:
    """Of each sampler that is to reach the targets."""
    return [row for name in OWN if found.get(name) for row in _of_one(found, name, groups(found))]


def _of_one(found: BySampler, name: str, of_groups: list[str]) -> list[Row]:
    every = list(found[name].values())
    result = []
    for group in of_groups:
        cells = list(only(found, group)[name].values())
        result += _regrets(f"{name}, {group}", cells, REGRETS.get(group, {}))
        result += _worse(found, name, group)
    return [*result, *_found(name, every), *_broken(name, every)]


def _regrets(about: str, cells: list[CellSummary], limits: dict[int, float]) -> list[Row]:
    return [
        Row(
            f"{about}: regret after {point}", mean.value, "%", limits.get(point),
            detail=f"95 %: {mean.low:.2g} to {mean.high:.2g}",
        )
        for point, mean in curve(cells).items()
    ]  # fmt: skip


def _worse(found: BySampler, name: str, group: str) -> list[Row]:
    """By how much the best other has less regret, by evaluations."""
    others = {
        other: paired(found[name], cells, group)
        for other, cells in found.items()
        if other not in (*OWN, BEST_HEARD)
    }
    points = list(next(iter(others.values()), {}))
    result = []
    for point in points:
        means = {other: row[point] for other, row in others.items() if point in row}
        best = max(means, key=lambda other: means[other].value)
        result.append(
            Row(
                f"{name}, {group}: regret after {point} less the best other's",
                means[best].value, "%", MOST_WORSE,
                detail=f"{best}; 95 %: {means[best].low:.2g} to {means[best].high:.2g}",
            )
        )  # fmt: skip
    return result


def _found(name: str, cells: list[CellSummary]) -> list[Row]:
    shares = found_soon(cells, VALIDATION)
    if shares is None:
        return []
    return [
        Row(
            f"{name}: runs with something feasible soon", 100 * shares[0], "%", SHARE_OF_ALL, True
        ),
        Row(f"{name}: the worst cell's", 100 * shares[1], "%", SHARE_OF_A_CELL, True),
    ]


def _broken(name: str, cells: list[CellSummary]) -> list[Row]:
    """On recorded tables: on the others validation is the truth."""
    last = [broken for one in cells if one.group == "recorded" and TEST in one.regrets
            for broken in list(one.broken.values())[-1:] if broken is not None]  # fmt: skip
    if not last:
        return []
    mean = 100 * sum(last) / len(last)
    what = f"{name}: the best on validation that break a limit on test"
    return [Row(what, mean, "%", detail="winners: bench_ends.py")]
