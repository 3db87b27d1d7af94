"""Seeded damage: bytes, numbers, texts and whole values of JSON, one thing or a few at a time."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

SEED = int(os.environ.get("HOSTILE_SEED", "7"))
SECONDS = float(os.environ.get("HOSTILE_SECONDS", "11"))  # of each of 9 kinds: 100 s in all
LEAST = 150  # cases of each kind, however slow the machine

NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "-0.0", "1e308", "9" * 400, "1.5",
           "18446744073709551616", "nan", "inf")  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, [], {}, "", "x" * 100_000, "../../../../x", "\x1b[2J[/]", "\ud800", -1, 0, 1e308,
    10**400, float("nan"), float("inf"), [[]] * 50, {"a": {"b": {}}}, "NaN", "a\0b", [None],
)  # fmt: skip


def cases() -> Iterator[random.Random]:
    """A generator of random numbers for each case, until the time is over."""
    print(f"HOSTILE_SEED={SEED}")
    until, number = time.monotonic() + SECONDS, 0
    while number < LEAST or time.monotonic() < until:
        yield random.Random(f"{SEED}-{number}")
        number += 1
    print(f"{number} cases")


def mutated(source: random.Random, data: bytes, spare: str = "") -> bytes:
    """The data with one to three kinds of damage.

    Args:
        source: of chance.
        data: whole.
        spare: a key whose value is not replaced.
    """
    for _ in range(source.choice((1, 1, 2, 3))):
        damage = source.choice(DAMAGES)
        data = damage(source, data) if damage is not _value else _value(source, data, spare)
    return data


def _flip(source: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 3, 30))):
        if changed:
            changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def _cut(source: random.Random, data: bytes) -> bytes:
    return data[: source.randrange(len(data) + 1)]


def _drop(source: random.Random, data: bytes) -> bytes:
    start = source.randrange(len(data) + 1)
    return data[:start] + data[start + source.choice((1, 10, 100)) :]


def _repeat(source: random.Random, data: bytes) -> bytes:
    start = source.randrange(len(data) + 1)
    piece = data[start : start + source.choice((1, 20, 300))]
    return data[:start] + piece * source.choice((2, 5)) + data[start:]


def _insert(source: random.Random, data: bytes) -> bytes:
    start = source.randrange(len(data) + 1)
    junk = (b"\x1b[2J", b"[" * 100_000, b"\xff\xfe", b"\n", b"\0" * 50, b'"', b"}", b"{\n")
    return data[:start] + source.choice(junk) + data[start:]


def _number(source: random.Random, data: bytes) -> bytes:
    found = list(re.finditer(rb"(?<![\w.])-?\d+(\.\d+)?", data))
    if not found:
        return data
    match = source.choice(found)
    return data[: match.start()] + source.choice(NUMBERS).encode() + data[match.end() :]


def _value(source: random.Random, data: bytes, spare: str = "") -> bytes:
    """Replaces a value anywhere in one line of JSON."""
    lines = data.split(b"\n")
    number = source.randrange(len(lines))
    try:
        tree = json.loads(lines[number])
    except (ValueError, RecursionError):
        return data
    places = [place for place in _places(tree) if place[1] != spare]
    if places:
        holder, key = source.choice(places)
        if source.random() < 0.2 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = source.choice(VALUES)
        lines[number] = json.dumps(tree).encode()
    return b"\n".join(lines)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    if not isinstance(tree, dict | list):
        return []
    found = []
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        found.append((tree, key))
        if isinstance(value, dict | list):
            found += _places(value)
    return found


DAMAGES: tuple[Callable[..., bytes], ...] = (
    _flip, _cut, _drop, _repeat, _insert, _number, _number, _value, _value, _value,
)  # fmt: skip
