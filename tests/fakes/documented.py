"""The keys that docs/json.md explains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text()
DOCUMENTED = set(re.findall(r"[A-Za-z0-9_]+", " ".join(re.findall(r"`([^`]+)`", DOCUMENT))))
# Keys that are data: names of layers, sensors, targets, settings, what an adb server says.
FREE = {"description", "temperatures_c", "cooling", "plan", "parameters", "demands", "plugins",
        "study"}  # fmt: skip


def keys_of_value(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            if key not in FREE:
                yield from keys_of_value(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from keys_of_value(item)


def undocumented(value: Any) -> list[str]:
    """The keys of a document that docs/json.md does not explain."""
    return sorted(set(keys_of_value(value)) - DOCUMENTED)
