"""What a shared library (ELF) is made for, and which functions it gives to others."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from adadeep.core.errors import FormatError

_MAGIC = b"\x7fELF"
_LITTLE_ENDIAN = 1
_BITS = {1: 32, 2: 64}
_ABIS = {(64, 183): "arm64-v8a", (32, 40): "armeabi-v7a", (64, 62): "x86_64", (32, 3): "x86"}
_LOADED = 1  # PT_LOAD
_DYNAMIC_SYMBOLS = 11  # SHT_DYNSYM
_FUNCTION, _LOCAL = 2, 0  # STT_FUNC, STB_LOCAL
_MOST_PARTS = 1000  # segments and sections; real libraries have some tens
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the tables of one class of ELF files lie; each gives the fields named."""

    header: struct.Struct  # machine, offsets of segments and sections; how many of each
    segment: struct.Struct
    section: struct.Struct
    symbol: struct.Struct
    places: tuple[int, int]  # of a symbol's kind and section among its fields

    def in_header(self, data: bytes) -> tuple[int, int, int, int, int]:
        fields = self.header.unpack_from(data, 16)
        return fields[1], fields[4], fields[5], fields[9], fields[11]


_LAYOUTS = {
    32: _Layout(
        struct.Struct("<HHIIIIIHHHHHH"), struct.Struct("<8I"), struct.Struct("<10I"),
        struct.Struct("<IIIBBH"), (3, 5),
    ),
    64: _Layout(
        struct.Struct("<HHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"),
        struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ"), (1, 3),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ElfLibrary:
    """A shared library.

    Attributes:
        abi: as Android calls it: "arm64-v8a", "armeabi-v7a", "x86_64", "x86"; None for another.
        align_bytes: of its loaded parts, the least: on pages that are larger it can't be loaded.
        functions: names of those that it defines for others.
    """

    abi: str | None
    align_bytes: int
    functions: frozenset[str]


def parse_elf(data: bytes, source: str) -> ElfLibrary:
    """A shared library out of its bytes.

    Args:
        data: of the file.
        source: where it came from, for messages.

    Raises:
        FormatError: it is no library of a little-endian processor, or a damaged one.
    """
    bits = _BITS.get(data[4]) if data[:4] == _MAGIC and len(data) > 16 else None
    if bits is None or data[5] != _LITTLE_ENDIAN:
        raise FormatError(f"{source} is no shared library of Android; name another file.")
    try:
        return _library(data, bits)
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise FormatError(f"{source} is a damaged library; take another file.") from error


def _library(data: bytes, bits: int) -> ElfLibrary:
    layout = _LAYOUTS[bits]
    machine, segments_at, sections_at, segments, sections = layout.in_header(data)
    if max(segments, sections) > _MOST_PARTS:
        raise ValueError("too many parts")
    aligned = [
        fields[-1]
        for fields in _table(layout.segment, data, segments_at, segments)
        if fields[0] == _LOADED
    ]
    parts = list(_table(layout.section, data, sections_at, sections))
    symbols = next((part for part in parts if part[1] == _DYNAMIC_SYMBOLS), None)
    names = frozenset(_functions(data, layout, symbols, parts) if symbols else ())
    return ElfLibrary(_ABIS.get((bits, machine)), min(aligned), names)


def _table(
    entry: struct.Struct, data: bytes, offset: int, count: int
) -> Iterator[tuple[int, ...]]:
    return (entry.unpack_from(data, offset + entry.size * number) for number in range(count))


def _functions(
    data: bytes, layout: _Layout, part: tuple[int, ...], parts: list[tuple[int, ...]]
) -> Iterator[str]:
    """Names of the functions in a table of symbols that are defined here for others."""
    texts = _content(data, parts[part[6]]) if part[6] < len(parts) else b""
    content = _content(data, part)
    kind, section = layout.places
    whole = len(content) // layout.symbol.size * layout.symbol.size
    for fields in layout.symbol.iter_unpack(content[:whole]):
        name, info = fields[0], fields[kind]
        if fields[section] and info & 15 == _FUNCTION and info >> 4 != _LOCAL:
            end = texts.find(b"\0", name, name + _LONGEST_NAME)
            if end > name:
                yield texts[name:end].decode("ascii", "replace")


def _content(data: bytes, part: tuple[int, ...]) -> bytes:
    begin, size = part[4], part[5]
    if begin + size > len(data):
        raise ValueError("a part is outside")
    return data[begin : begin + size]
