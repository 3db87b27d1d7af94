"""A registry of names: what adadeep itself has, and what installed packages add.

An entry is "module:attribute" and is imported when asked for. A package adds one by an entry point
of the registry's group, in its pyproject.toml:

    [project.entry-points."adadeep.techniques"]
    W9 = "their_package.w9:W9"

A plug-in that can't be had (it fails to import, its name is taken) never costs the others: it is
left out, and `problems` says so once.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from adadeep import __version__
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError

T = TypeVar("T")

OWN = "adadeep"
_LONGEST_NAME = 40


def suggestion(name: str, known: list[str]) -> str:
    """ " Did you mean X?" for the nearest known name, or an empty string."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a registry.

    Attributes:
        name: as plans, options and headers write it.
        target: "package.module:attribute".
        origin: the distribution that it comes from.
        version: of the distribution.
    """

    name: str
    target: str
    origin: str = OWN
    version: str = __version__

    @property
    def is_plugin(self) -> bool:
        """Whether another package than adadeep brought it."""
        return self.origin != OWN


class Registry(Generic[T]):
    """Names of things of one kind; nothing is imported before it is asked for.

    Iterating gives the names, adadeep's own first, plug-ins in the order of their names.

    Args:
        kind: what an entry is called in messages, for example "technique".
        entries: adadeep's own, name -> "package.module:attribute".
        group: of the entry points by which other packages add entries; None for none.
    """

    def __init__(self, kind: str, entries: dict[str, str], group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._own = {name: Entry(name, target) for name, target in entries.items()}
        self._known: dict[str, Entry] | None = None
        self._problems: dict[str, str] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry, whether it can be imported or not."""
        return tuple(self._entries.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with plug-ins, as far as they were looked at: a sentence each."""
        return tuple(self._problems.values())

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> T:
        """Imports and returns the entry.

        Raises:
            ConfigError: no such name; the message lists the names there are. Or it is a plug-in
                that can't be imported.
        """
        entry = self._entries.get(name)
        if entry is None:
            shown = one_line(name, _LONGEST_NAME)
            hint = suggestion(name, list(self._entries))
            raise ConfigError(
                f"unknown {self.kind} {shown!r}.{hint} There are: {', '.join(self._entries)}."
            )
        if not entry.is_plugin:
            return self._imported(entry)
        try:
            return self._imported(entry)
        except (Exception, SystemExit) as error:  # a plug-in may raise anything
            problem = self._unusable(entry, error)
            self._problems[name] = problem
            raise ConfigError(problem) from error

    def usable(self) -> dict[str, T]:
        """Every entry that can be imported, by name; `problems` tells of the others."""
        found: dict[str, T] = {}
        for name, entry in self._entries.items():
            try:
                found[name] = self.get(name)
            except ConfigError:
                if not entry.is_plugin:
                    raise
        return found

    def origin(self, name: str) -> str:
        """Who brought an entry, for headers: "package 1.2"; an unknown one's is empty."""
        entry = self._entries.get(name)
        return f"{entry.origin} {entry.version}" if entry else ""

    @property
    def _entries(self) -> dict[str, Entry]:
        if self._known is None:
            self._known = {**self._own, **self._plugins()}
        return self._known

    def _plugins(self) -> dict[str, Entry]:
        """The entry points of the group; of two that want one name, neither gets it."""
        found: dict[str, Entry] = {}
        refused: set[str] = set()
        for entry in sorted(_entry_points(self.group), key=lambda one: (one.name, one.origin)):
            holder = self._own.get(entry.name) or found.get(entry.name)
            if holder is not None and holder.target != entry.target:
                refused.add(entry.name)
                self._problems[f"{entry.name} of {entry.origin}"] = (
                    f"{self.kind} {one_line(entry.name, _LONGEST_NAME)!r} of {entry.origin}"
                    f" {entry.version} is left out: {holder.origin} has one of that name. Remove"
                    " one of the two packages."
                )
            elif holder is None:
                found[entry.name] = entry
        return {name: entry for name, entry in found.items() if name not in refused}

    def _imported(self, entry: Entry) -> T:
        module, _, attribute = entry.target.partition(":")
        value = importlib.import_module(module)
        for part in attribute.split("."):
            value = getattr(value, part)
        return cast("T", value)

    def _unusable(self, entry: Entry, error: BaseException) -> str:
        why = one_line(f"{type(error).__name__}: {error}", 120)
        return (
            f"{self.kind} {one_line(entry.name, _LONGEST_NAME)!r} of {entry.origin}"
            f" {entry.version} can't be used ({why}). Update that package, or remove it."
        )


def _entry_points(group: str | None) -> Iterator[Entry]:
    if group is None:
        return
    for point in importlib.metadata.entry_points(group=group):
        distribution = point.dist
        origin = one_line(distribution.name if distribution else "an unknown package", 80)
        version = one_line(distribution.version if distribution else "?", 40)
        yield Entry(point.name, point.value.replace(" ", ""), origin, version)
