"""Baselines' curves, kept between runs: what does not change need not be replayed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.replay import Cell
from search.report import Points, checkpoints
from search.table import PARTS


class StoredCurves:
    """Runs at the checkpoints, by sampler and cell, in a file.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        stored = json.loads(path.read_text()) if path.exists() else {}
        self._content: dict[str, dict[str, dict[str, Any]]] = stored

    def known(
        self,
        sampler: str,
        cells: Sequence[Cell],
        seeds: int,
        episodes: int,
        fewer: bool = False,
    ) -> dict[str, list[Points]]:
        """By cell, the first seeds of those whose table and demand are as they were.

        A sampler does not know how long it is run: the beginning of a longer run is a run.

        Args:
            sampler: its name.
            cells: that are wanted.
            seeds: how many.
            episodes: evaluations.
            fewer: whether a cell of which fewer seeds are stored is taken, too.
        """
        wanted, found = checkpoints(episodes), {}
        for cell in cells:
            stored = self._content.get(sampler, {}).get(cell.name)
            if stored is None or stored["made_of"] != made_of(cell):
                continue
            count = min(seeds, len(stored["heard"]))
            if (count == seeds or (fewer and count)) and set(wanted) <= set(stored["points"]):
                found[cell.name] = [_read(cell, stored, seed, wanted) for seed in range(count)]
        return found

    def keep(
        self, sampler: str, cells: Sequence[Cell], runs: Sequence[Points], episodes: int
    ) -> None:
        """Puts runs of the seeds 0, 1, ... in the place of what was stored."""
        points = checkpoints(episodes)
        of_sampler = self._content.setdefault(sampler, {})
        for cell in cells:
            of_cell = sorted((r for r in runs if r.cell == cell.name), key=lambda run: run.seed)
            of_sampler[cell.name] = {
                "made_of": made_of(cell),
                "points": points,
                **_written(of_cell),
            }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(_text(self._content))


def made_of(cell: Cell) -> str:
    """Changes when the table or the demand does."""
    return f"{zlib.crc32(f'{cell.source.fingerprint} {cell.demand!r}'.encode()):08x}"


def _written(runs: list[Points]) -> dict[str, Any]:
    return {
        **{part: [list(run.regrets[part].values()) for run in runs] for part in PARTS},
        "heard": [list(map(int, run.heard.values())) for run in runs],
        "ms": [run.ms for run in runs],
    }


def _read(cell: Cell, stored: dict[str, Any], seed: int, wanted: list[int]) -> Points:
    def at(values: list[Any]) -> dict[int, Any]:
        every = dict(zip(stored["points"], values, strict=True)) if values else {}
        return {point: every[point] for point in wanted if point in every}

    regrets = {part: at(stored[part][seed]) for part in PARTS}
    heard = {point: bool(value) for point, value in at(stored["heard"][seed]).items()}
    return Points(cell.name, cell.source.group, seed, regrets, heard, stored["ms"][seed])


def _text(content: dict[str, dict[str, dict[str, Any]]]) -> str:
    """JSON, a line a cell."""
    samplers = []
    for sampler, cells in sorted(content.items()):
        lines = [f"  {json.dumps(cell)}: {_line(cells[cell])}" for cell in sorted(cells)]
        samplers.append(f"{json.dumps(sampler)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n " + ",\n ".join(samplers) + "\n}\n"


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))
