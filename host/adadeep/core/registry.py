"""A registry of names: what adadeep itself has, and what installed packages add.

An entry is "module:attribute" and is imported when asked for. A package adds one by an entry point
of the registry's group, in its pyproject.toml:

    [project.entry-points."adadeep.techniques"]
    W9 = "their_package.w9:W9"

A plug-in that can't be had (it fails to import, lacks a member, its name is taken) never costs the
others: it is left out, and `problems` says so once.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from adadeep import __version__
from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.installed import offers

T = TypeVar("T")

OWN = "adadeep"
_LONGEST_NAME = 40
_UPDATE = "Update that package, or remove it."
_NAME = re.compile("[A-Za-z0-9_.-]{1,40}")  # what plans and headers may hold


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


@dataclass(frozen=True, slots=True)
class Plugin:
    """What another package adds to a registry, or would.

    Attributes:
        kind: of the registry: "technique".
        name: in the registry.
        package: that it comes from.
        version: of the package.
        problem: why it is left out; None if it is not.
    """

    kind: str
    name: str
    package: str
    version: str
    problem: str | None = None


class Registry(Generic[T]):
    """Names of things of one kind; nothing is imported before it is asked for.

    Iterating gives the names, adadeep's own first, plug-ins in the order of their names.

    Args:
        kind: what an entry is called in messages, for example "technique".
        entries: adadeep's own, name -> "package.module:attribute".
        group: of the entry points by which other packages add entries; None for none.
        protocol: that entries have the members of; a plug-in that has not is left out.

    Attributes:
        kind: see above.
        group: see above.
        members: names of what an entry must have.
    """

    def __init__(
        self,
        kind: str,
        entries: dict[str, str],
        group: str | None = None,
        protocol: type[Any] | None = None,
    ) -> None:
        self.kind = kind
        self.group = group
        self.members = _members(protocol)
        self._own = {name: Entry(name, target) for name, target in entries.items()}
        self._known: dict[str, Entry] | None = None
        self._problems: dict[Entry, str] = {}
        self._loaded: dict[Entry, T] = {}  # plug-ins only

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
                that can't be used.
        """
        entry = self._entries.get(name)
        if entry is None:
            shown = one_line(name, _LONGEST_NAME)
            hint = suggestion(name, list(self._entries))
            raise ConfigError(
                f"unknown {self.kind} {shown!r}.{hint} There are: {', '.join(self._entries)}."
            )
        return self._plugin(entry) if entry.is_plugin else self._imported(entry)

    def usable(self) -> dict[str, T]:
        """Every entry that can be used, by name; `problems` tells of the others."""
        found: dict[str, T] = {}
        for name, entry in self._entries.items():
            try:
                found[name] = self.get(name)
            except ConfigError:
                if not entry.is_plugin:
                    raise
        return found

    def plugins(self) -> tuple[Plugin, ...]:
        """What other packages add; each is imported, to see whether it can be used."""
        self.usable()
        entries = dict.fromkeys([e for e in self.entries if e.is_plugin] + list(self._problems))
        return tuple(
            Plugin(self.kind, entry.name, entry.origin, entry.version, self._problems.get(entry))
            for entry in entries
        )

    @property
    def _entries(self) -> dict[str, Entry]:
        if self._known is None:
            self._known = {**self._own, **self._added()}
        return self._known

    def _added(self) -> dict[str, Entry]:
        """The entry points of the group; of two that want one name, neither gets it."""
        found: dict[str, Entry] = {}
        refused: set[str] = set()
        for offer in offers(self.group) if self.group else ():
            entry = Entry(offer.name, offer.target, offer.origin, offer.version)
            holder = self._own.get(entry.name) or found.get(entry.name)
            if offer.problem or not _NAME.fullmatch(entry.name):
                why = offer.problem or "its name must be 1 to 40 letters, digits, '.', '_', '-'"
                self._leave_out(entry, why, _UPDATE)
            elif holder is not None and holder.target != entry.target:
                refused.add(entry.name)
                why = f"{holder.origin} has one of that name"
                self._leave_out(entry, why, "Remove one of the two packages.")
            elif holder is None:
                found[entry.name] = entry
        return {name: entry for name, entry in found.items() if name not in refused}

    def _plugin(self, entry: Entry) -> T:
        """Imports, once, what may do anything when it is imported, and may be anything.

        Raises:
            ConfigError: it can't be used.
        """
        if entry in self._problems:
            raise ConfigError(self._problems[entry])
        if entry not in self._loaded:
            try:
                with contextlib.redirect_stdout(sys.stderr):  # stdout is the command's own
                    value = self._imported(entry)
                    fault = _fault(value, entry.name, self.members)
            except (Exception, SystemExit) as error:
                raise self._unusable(entry, f"{type(error).__name__}: {error}") from error
            if fault:
                raise self._unusable(entry, fault)
            self._loaded[entry] = value
        return self._loaded[entry]

    def _imported(self, entry: Entry) -> T:
        module, _, attribute = entry.target.partition(":")
        value = importlib.import_module(module)
        for part in attribute.split("."):
            value = getattr(value, part)
        return cast("T", value)

    def _unusable(self, entry: Entry, why: str) -> ConfigError:
        self._leave_out(entry, why, _UPDATE)
        return ConfigError(self._problems[entry])

    def _leave_out(self, entry: Entry, why: str, remedy: str) -> None:
        shown, why = one_line(entry.name, _LONGEST_NAME), one_line(why, 120)
        self._problems[entry] = (
            f"{self.kind} {shown!r} of {entry.origin} {entry.version} is left out ({why})."
            f" {remedy}"
        )


def _members(protocol: type[Any] | None) -> tuple[str, ...]:
    """Names of what a protocol asks for."""
    bases = protocol.__mro__ if protocol else ()
    names = [name for base in bases for name in (*inspect.get_annotations(base), *vars(base))]
    return tuple(dict.fromkeys(name for name in names if not name.startswith("_")))


def _fault(value: object, name: str, members: tuple[str, ...]) -> str:
    """Why a value can't be an entry; an empty text if it can, as far as its members tell."""
    missing = [member for member in members if not hasattr(value, member)]
    if missing:
        return f"it lacks {', '.join(missing)}"
    if members and inspect.isclass(value):
        return "it is a class; name an instance of it"
    own = getattr(value, "name", name) if "name" in members else name
    return "" if own == name else f"it calls itself {own!r}"
