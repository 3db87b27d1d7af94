"""A registry of names: name -> "module:Attribute", imported when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator
from typing import Generic, TypeVar, cast

from adadeep.core.errors import ConfigError

T = TypeVar("T")


def suggestion(name: str, known: list[str]) -> str:
    """ " Did you mean X?" for the nearest known name, or an empty string."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class Registry(Generic[T]):
    """Names of things of one kind; nothing is imported before it is asked for.

    Args:
        kind: what an entry is called in messages, for example "technique".
        entries: name -> "package.module:attribute".
    """

    def __init__(self, kind: str, entries: dict[str, str]) -> None:
        self._kind = kind
        self._entries = dict(entries)

    def add(self, name: str, target: str) -> None:
        """Adds an entry.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"{self._kind} {name!r} is registered already: {self._entries[name]}")
        self._entries[name] = target

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def get(self, name: str) -> T:
        """Imports and returns the entry.

        Raises:
            ConfigError: no such name; the message lists the names there are.
        """
        if name not in self._entries:
            hint = suggestion(name, list(self._entries))
            raise ConfigError(
                f"unknown {self._kind} {name!r}.{hint} There are: {', '.join(self._entries)}."
            )
        module, _, attribute = self._entries[name].partition(":")
        return cast("T", getattr(importlib.import_module(module), attribute))
