"""Baselines' curves, kept between runs: what does not change need not be replayed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.replay import Cell
from search.report import CellSummary


class StoredCurves:
    """Summaries of cells by sampler, in a file.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: dict[str, dict[str, Any]] = (
            json.loads(path.read_text()) if path.exists() else {}
        )

    def known(
        self, sampler: str, cells: Sequence[Cell], seeds: int, episodes: int
    ) -> dict[str, CellSummary]:
        """Of those cells that are stored as they are now, with as many seeds and evaluations."""
        stored = self._content.get(sampler, {})
        found = {}
        for cell in cells:
            of_cell = stored.get(cell.name)
            if of_cell and of_cell["made_of"] == made_of(cell, seeds, episodes):
                fields = {name: value for name, value in of_cell.items() if name != "made_of"}
                found[cell.name] = CellSummary(**fields)
        return found

    def keep(
        self,
        sampler: str,
        cells: Sequence[Cell],
        found: dict[str, CellSummary],
        seeds: int,
        episodes: int,
    ) -> None:
        """Puts summaries in the place of what was stored."""
        of_sampler = self._content.setdefault(sampler, {})
        for cell in cells:
            about = {"made_of": made_of(cell, seeds, episodes)}
            of_sampler[cell.name] = {**about, **found[cell.name].content()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(_text(self._content))


def made_of(cell: Cell, seeds: int, episodes: int) -> str:
    """Changes when the table, the demand or the size of the comparison do."""
    about = f"{cell.source.fingerprint} {cell.demand!r} {seeds} {episodes}"
    return f"{zlib.crc32(about.encode()):08x}"


def _text(content: dict[str, dict[str, Any]]) -> str:
    """JSON, a line a cell."""
    samplers = []
    for sampler, cells in sorted(content.items()):
        lines = [f"  {json.dumps(cell)}: {json.dumps(cells[cell])}" for cell in sorted(cells)]
        samplers.append(f"{json.dumps(sampler)}: {{\n" + ",\n".join(lines) + "\n }")
    return "{\n " + ",\n ".join(samplers) + "\n}\n"
