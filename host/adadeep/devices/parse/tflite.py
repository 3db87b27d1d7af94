"""Which operators a .tflite is made of, and of which versions; read from the file alone.

A .tflite is a flatbuffer. Its tables are found by offsets, any of which may lead anywhere in a
damaged file: what can't be read here makes no operators, and is for the runtime to judge.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_OPERATORS = 10_000
_ID = b"TFL3"  # behind the offset of the first table
_CODES = 1  # place of `operator_codes` among the fields of a model
_OLD_NUMBER, _VERSION, _NUMBER = 0, 2, 3  # places of the fields of an operator's code
CUSTOM = 32  # the number that all operators share which are not the format's own


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of node that a model has.

    Attributes:
        number: of the operator in the format: 0 is ADD, 9 FULLY_CONNECTED.
        version: of its kernel, from 1: each knows more types of data, or more options.
    """

    number: int
    version: int


def operators_of(model: bytes) -> tuple[Operator, ...]:
    """The operators that a model names, in its order; empty where that can't be read.

    Args:
        model: the file's content.
    """
    if model[4:8] != _ID:
        return ()
    try:
        return tuple(_operators(model))
    except (struct.error, ValueError):
        return ()


def _operators(model: bytes) -> Iterator[Operator]:
    codes = _field(model, _offset(model, 0), _CODES)
    if codes is None:
        return
    vector = _offset(model, codes)
    (count,) = struct.unpack_from("<I", model, vector)
    if count > _MOST_OPERATORS:
        raise ValueError(f"{count} operators")
    for place in range(count):
        table = _offset(model, vector + 4 + 4 * place)
        old = _number(model, table, _OLD_NUMBER, "<b", 0)
        number = _number(model, table, _NUMBER, "<i", 0)
        yield Operator(max(old, number), _number(model, table, _VERSION, "<i", 1))


def _offset(data: bytes, at: int) -> int:
    """Where the offset at a place leads."""
    (distance,) = struct.unpack_from("<I", data, at)
    return at + int(distance)


def _field(data: bytes, table: int, place: int) -> int | None:
    """Where a table's field is; None if the table has it not, which stands for its default."""
    (back,) = struct.unpack_from("<i", data, table)
    layout = table - back
    if layout < 0:
        raise ValueError("a layout before the file")
    (size,) = struct.unpack_from("<H", data, layout)
    if size < 6 + 2 * place:
        return None
    (distance,) = struct.unpack_from("<H", data, layout + 4 + 2 * place)
    return table + distance if distance else None


def _number(data: bytes, table: int, place: int, kind: str, default: int) -> int:
    at = _field(data, table, place)
    return default if at is None else int(struct.unpack_from(kind, data, at)[0])
