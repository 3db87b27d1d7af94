"""Every registry that other packages add to, and what they added.

This is the one list of them: `adadeep doctor` shows what is installed, every command warns of what
is broken, a search records what takes part. A registry is imported when it is asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from adadeep.core.display import one_line
from adadeep.core.registry import Plugin, Registry

REGISTRIES = (
    "adadeep.compress.registry:TECHNIQUES",
    "adadeep.convert.precisions.registry:PRECISIONS",
    "adadeep.search.registry:SAMPLERS",
    "adadeep.cost.registry:COST_SOURCES",
    "adadeep.study.executors.registry:EXECUTORS",
    "adadeep.devices.agent_kinds.registry:AGENT_KINDS",
    "adadeep.training.registry:NETWORKS",
    "adadeep.training.registry:DATA_SETS",
    "adadeep.training.registry:RECIPES",
    "adadeep.training.registry:METRICS",
    "adadeep.training.registry:TASKS",
)


def plugins() -> tuple[Plugin, ...]:
    """What is installed of other packages, usable or not; imports all of it."""
    return tuple(plugin for registry in registries() for plugin in registry.plugins())


def problems() -> tuple[str, ...]:
    """What is wrong with plug-ins, a sentence each; of the registries that were looked at."""
    return tuple(problem for registry in _loaded() for problem in registry.problems)


def culprit(error: BaseException) -> str | None:
    """The plug-in in whose code an error was raised, "technique W9 of their-package 1.2"."""
    packages = {
        entry.target.partition(":")[0].partition(".")[0]: (
            f"{registry.kind} {entry.name} of {entry.origin} {entry.version}"
        )
        for registry in _loaded()
        for entry in registry.entries
        if entry.is_plugin
    }
    found, place = None, error.__traceback__
    while place is not None:
        name = str(place.tb_frame.f_globals.get("__name__"))
        found = packages.get(name.partition(".")[0], found)
        place = place.tb_next
    return found


def taking_part(uses: Iterable[tuple[Registry[Any], Iterable[str]]]) -> dict[str, str]:
    """Of what is used that which other packages brought, for a session's record.

    Args:
        uses: registries, and names in them.

    Returns:
        "technique W9" -> "their-package 1.2".
    """
    return {
        f"{registry.kind} {entry.name}": f"{entry.origin} {entry.version}"
        for registry, names in uses
        for entry in registry.entries
        if entry.is_plugin and entry.name in set(names)
    }


def parts_of(task: str) -> list[tuple[Registry[Any], Iterable[str]]]:
    """What a task is made of, for `taking_part`: registries, and names in them."""
    from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES, TASKS

    parts = TASKS.get(task)
    return [
        (TASKS, [task]),
        (NETWORKS, [parts.network]),
        (DATA_SETS, [parts.data_set]),
        (RECIPES, [parts.recipe]),
        (METRICS, [parts.metric]),
    ]


def missing(recorded: Mapping[str, str]) -> list[str]:
    """What once took part and is not installed here, a sentence for each package.

    Args:
        recorded: as `taking_part` gave it.
    """
    known = {f"{registry.kind} {name}" for registry in registries() for name in registry}
    lacking: dict[str, list[str]] = {}
    for name, origin in recorded.items():
        if name not in known:
            lacking.setdefault(one_line(origin, 80), []).append(one_line(name, 80))
    return [
        f"{origin} took part in this run and is not installed here: {', '.join(names)}."
        for origin, names in lacking.items()
    ]


def registries() -> list[Registry[Any]]:
    """All of them, imported."""
    return [_attribute(place) for place in REGISTRIES]


def _loaded() -> list[Registry[Any]]:
    return [_attribute(place) for place in REGISTRIES if place.partition(":")[0] in sys.modules]


def _attribute(place: str) -> Registry[Any]:
    module, _, name = place.partition(":")
    registry = getattr(importlib.import_module(module), name)
    assert isinstance(registry, Registry)
    return registry
