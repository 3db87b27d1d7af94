"""Rows of a profile's table as version 0.1 wrote them: with launches in place of placements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETTINGS = ("threads", "core_mask", "input_ranges", "input_shapes", "input_file")
_GONE = ("launches", "anchor_ratio", "anchor_drift", "attempts")


def is_of_0_1(row: Any) -> bool:
    """Whether it is such a row."""
    measured = row.get("measurement") if isinstance(row, dict) else None
    return isinstance(measured, dict) and isinstance(measured.get("launches"), list)


def entry_of_now(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it would be written today: a launch is a placement with one block.

    What is not as version 0.1 wrote it stays as it is, for the reader to refuse by its key.
    """
    measured: dict[str, Any] = row["measurement"]
    settings = measured.get("settings")
    if isinstance(settings, dict):
        settings = {key: settings[key] for key in _SETTINGS if key in settings}
    timed = [launch for launch in measured["launches"] if _was_timed(launch)]
    placements = [_placement(number, launch) for number, launch in enumerate(timed)]
    kept = {key: value for key, value in measured.items() if key not in _GONE}
    return {**row, "measurement": {**kept, "settings": settings, "placements": placements}}


def _was_timed(launch: Any) -> bool:
    """Whether it is a launch with runs; one that came to none told nothing of the layer."""
    return not isinstance(launch, dict) or launch.get("runs_ns") != []


def _placement(number: int, launch: Any) -> Any:
    if not isinstance(launch, dict):
        return launch
    kept = {key: launch.get(key) for key in ("load_ns", "first_ns")}
    block = {"round": 0, "start_ns": 0, "group": 1, "times_ns": launch.get("runs_ns")}
    return {"number": number, "launch": 0, **kept, "blocks": [block]}
