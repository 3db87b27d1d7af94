"""What installed packages offer by entry points, read once for every group.

The standard library's own list ends with an exception where one package is damaged, whoever's it
is; here each is read by itself, and only those that name a group of adadeep.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adadeep.core.display import one_line

if TYPE_CHECKING:
    from importlib.metadata import Distribution  # 50 ms, and most commands look at no plug-in

_GROUPS = "adadeep."
_LONGEST_NAME = 80
# What the standard library stumbles with over files that are no text, no INI or have no name.
_DAMAGED = (AttributeError, KeyError, OSError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Offer:
    """An entry point.

    Attributes:
        group: "adadeep.techniques".
        name: within the group.
        target: "package.module:attribute".
        origin: the distribution that it comes from.
        version: of the distribution.
        problem: why it can't be read; None if it can.
    """

    group: str
    name: str
    target: str
    origin: str
    version: str
    problem: str | None = None


def offers(group: str) -> list[Offer]:
    """The entry points of a group, sorted by name and origin; bad ones with their problem."""
    found = (offer for offer in _all(tuple(sys.path)) if offer.group == group)
    return sorted(found, key=lambda offer: (offer.name, offer.origin))


@functools.lru_cache(maxsize=1)
def _all(path: tuple[str, ...]) -> tuple[Offer, ...]:
    """Of all groups of adadeep; of a package that is there twice, those of the first."""
    from importlib.metadata import distributions

    found: dict[str, list[Offer]] = {}
    for distribution in distributions(path=list(path)):
        text = _text(distribution)
        if _GROUPS in text:
            origin, version = _name_of(distribution)
            key = re.sub("[-_.]+", "-", origin).lower()
            found.setdefault(key, list(_offers(distribution, text, origin, version)))
    return tuple(offer for offers in found.values() for offer in offers)


def _text(distribution: Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except _DAMAGED:
        return ""


def _name_of(distribution: Distribution) -> tuple[str, str]:
    name, version = (_about(distribution, key) for key in ("Name", "Version"))
    return one_line(name or "an unknown package", _LONGEST_NAME), one_line(version or "?", 40)


def _about(distribution: Distribution, key: str) -> str | None:
    try:
        return distribution.metadata[key]
    except _DAMAGED:
        return None


def _offers(distribution: Distribution, text: str, origin: str, version: str) -> Iterator[Offer]:
    try:
        points = list(distribution.entry_points)
    except _DAMAGED:
        why = "its entry_points.txt is damaged"
        for group in dict.fromkeys(re.findall(rf"\[\s*({re.escape(_GROUPS)}[\w.]+)\s*\]", text)):
            yield Offer(group, "?", "", origin, version, why)
        return
    for point in points:
        target = point.value.partition("[")[0].replace(" ", "")  # extras are pip's business
        yield Offer(point.group, point.name, target, origin, version)
