"""Seeded damage for hostile tests: bytes, numbers and values of JSON, a few at a time."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

SEED = int(os.environ.get("HOSTILE_SEED", "7"))
SECONDS = float(os.environ.get("HOSTILE_SECONDS", "11"))  # of each of 8 kinds: 90 s in all
LEAST = 150  # cases of each kind, however slow the machine

DEEP = "[" * 100_000
# As they stand in the text of a JSON document: NaN and 1e400 are no JSON, and some write them.
VALUES = (
    *("NaN", "Infinity", "-Infinity", "1e400", "1e308", "1e300", "-1", "0", "3"),
    *("99999999999999999999999", str(10**400), "null", "true", "[]", "{}", "[null]"),
    *(json.dumps([[]] * 50), '{"a": {"b": {}}}', '""', '"NaN"', '"a b"', '"a\\u0000b"', '"[/]"'),
    *('"../../../../etc/x"', '"/etc/passwd"', '".hidden"', '"\\u001b[2J[/]"'),
    *('"\\u001b]0;x\\u0007"', '"\\u202e\\n\\r"', '"\\ud800"', json.dumps("x" * 100_000), DEEP),
)
NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "-0.0", "1e308", "9" * 400, "1.5"),
    *("18446744073709551616", "nan", "inf"),
)
_JUNK = (b"\x1b[2J", DEEP.encode(), b"\xff\xfe", b"\n", b"\0" * 50, b'"', b"}", b"{\n")
_WORDS = (0, 1, 2, 3, 5, 7, 12, 16, 127, 255, 1000, 65536, 2**31 - 1, -1, -2, -(2**31))
_MARK = "@@here@@"


def cases() -> Iterator[random.Random]:
    """A generator of random numbers for each case, until the time is over."""
    print(f"HOSTILE_SEED={SEED}")
    until, number = time.monotonic() + SECONDS, 0
    while number < LEAST or time.monotonic() < until:
        yield random.Random(f"{SEED}-{number}")
        number += 1
    print(f"{number} cases")


def mutated(data: bytes, rng: random.Random, spare: str = "") -> bytes:
    """The data with one to three kinds of damage.

    Args:
        data: whole: text, JSON lines or anything else.
        rng: of chance.
        spare: a key of JSON whose value is not replaced.
    """
    for _ in range(rng.choice((1, 1, 2, 3))):
        damage = rng.choice(DAMAGES)
        data = damage(data, rng) if damage is not _value else _value(data, rng, spare)
    return data


# ---- values in JSON


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path to a value in a JSON document."""
    inner: Any = enumerate(document) if isinstance(document, list) else ()
    for name, value in document.items() if isinstance(document, dict) else inner:
        yield (*path, name)
        yield from places(value, (*path, name))


def with_value(document: Any, path: tuple[Any, ...], text: str) -> bytes:
    """The document as bytes, with the value at a path replaced by that text."""
    changed = copy.deepcopy(document)
    _holder(changed, path)[path[-1]] = _MARK
    return json.dumps(changed).replace(json.dumps(_MARK), text).encode()


def without(document: Any, path: tuple[Any, ...]) -> bytes:
    """The document as bytes, less the value at a path."""
    changed = copy.deepcopy(document)
    del _holder(changed, path)[path[-1]]
    return json.dumps(changed).encode()


def _holder(document: Any, path: tuple[Any, ...]) -> Any:
    for name in path[:-1]:
        document = document[name]
    return document


def mutated_json(document: Any, rng: random.Random, spare: str = "") -> bytes:
    """One damaged version of a JSON document; the value of the key `spare` is not replaced."""
    found = [path for path in places(document) if path[-1] != spare]
    if not found:
        return rng.choice(VALUES).encode()
    path = rng.choice(found)
    if rng.random() < 0.2:
        return without(document, path)
    return with_value(document, path, rng.choice(VALUES))


# ---- kinds of damage


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _piece(data: bytes, rng: random.Random) -> tuple[int, int]:
    """Begin and end of a piece of any length up to some hundred bytes."""
    begin = rng.randrange(len(data) + 1)
    return begin, min(len(data), begin + rng.choice((1, 4, 20, 100, 300)))


def _garble(data: bytes, rng: random.Random) -> bytes:
    begin, end = _piece(data, rng)
    changed = bytes(byte ^ rng.randrange(1, 256) for byte in data[begin:end])
    return data[:begin] + changed + data[end:]


def _zero(data: bytes, rng: random.Random) -> bytes:
    begin, end = _piece(data, rng)
    return data[:begin] + bytes(end - begin) + data[end:]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _drop(data: bytes, rng: random.Random) -> bytes:
    begin, end = _piece(data, rng)
    return data[:begin] + data[end:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    begin, end = _piece(data, rng)
    return data[:begin] + data[begin:end] * rng.choice((1, 2, 5)) + data[begin:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(data) + 1)
    return data[:begin] + rng.choice(_JUNK) + data[begin:]


def with_words(data: bytes, rng: random.Random) -> bytes:
    """Sets one to three words of 32 bits, which are sizes and indices in binary formats."""
    if len(data) < 4:
        return _garble(data, rng)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        begin = 4 * rng.randrange(len(data) // 4)
        changed[begin : begin + 4] = rng.choice(_WORDS).to_bytes(4, "little", signed=True)
    return bytes(changed)


def _number(data: bytes, rng: random.Random) -> bytes:
    """Replaces a number that stands in the text; where none does, something else is damaged."""
    found = list(re.finditer(rb"(?<![\w.])-?\d+(\.\d+)?", data))
    if not found:
        return _garble(data, rng)
    match = rng.choice(found)
    return data[: match.start()] + rng.choice(NUMBERS).encode() + data[match.end() :]


def _value(data: bytes, rng: random.Random, spare: str = "") -> bytes:
    """Damages a value in a JSON document, or in one line of several; else something else."""
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    for pieces, which in (([data], 0), (lines, number)):
        try:
            pieces[which] = mutated_json(json.loads(pieces[which]), rng, spare)
        except (ValueError, RecursionError):
            continue
        return b"\n".join(pieces)
    return _garble(data, rng)


DAMAGES: tuple[Callable[..., bytes], ...] = (
    *(_flip, _garble, _zero, _cut, _drop, _repeat, _insert, with_words, _number, _number),
    *(_value, _value, _value),
)
