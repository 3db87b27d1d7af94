"""A table as lines of text that fit a width, whatever the width.

Where the columns do not fit side by side, those that may wrap do; then those that matter least
are left out, which a line below says; and where even that does not help each row becomes a record:
a line for each column.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_GAP, _INDENT = "  ", "    "
_COMFORT, _LEAST = 24, 12  # width of a column that wraps: while others can go, and in the end
_LONGEST_WORD = 40  # longer ones, paths mostly, are cut
_NARROWEST = 20  # narrower terminals are treated as this wide


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: above it.
        right: whether it is aligned right.
        rank: 0 stays; of the others the highest is left out first.
        wraps: whether its text may go on in the next line.
    """

    title: str
    right: bool = False
    rank: int = 0
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What a table holds.

    Attributes:
        columns: at least one that stays.
        rows: a printable text of one line for each column.
        title: above it; may be empty.
        below: number of a row -> text that goes below it.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    title: str = ""
    below: Mapping[int, str] = field(default_factory=dict)


def cell_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - marks


def render(table: Table, width: int) -> list[str]:
    """The table's lines, none wider than `width` (or 20, whichever is more)."""
    width = max(width, _NARROWEST)
    head = wrapped(table.title, width) if table.title else []
    for layout in _layouts(table, width):
        if sum(layout.widths) + len(_GAP) * (len(layout.widths) - 1) <= width:
            left_out = _left_out(table.columns, layout, width)
            return [*head, *_side_by_side(table, layout, width), *left_out]
    return [*head, *_records(table, width)]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Numbers of the columns that are shown, and how wide each is."""

    chosen: list[int]
    widths: list[int]


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width`, broken at spaces; a word that is longer is cut."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        while cell_width(word) > width:
            piece = _fitting(word, width)
            lines.append(piece)
            word = word[len(piece) :]
        line = word
    return [*lines, line]


def _fitting(word: str, width: int) -> str:
    """The longest beginning of a word that fits; at least a character."""
    end = width
    while end > 1 and cell_width(word[:end]) > width:
        end -= 1
    return word[:end]


def _layouts(table: Table, width: int) -> list[_Layout]:
    """Choices of columns with their widths, the best first."""
    ranks = [column.rank for column in table.columns]
    numbers = list(range(len(ranks)))
    going = sorted((n for n in numbers if ranks[n]), key=lambda n: -ranks[n])
    choices = [[n for n in numbers if n not in going[:gone]] for gone in range(len(going) + 1)]
    tries = [(choice, _COMFORT) for choice in choices]
    return [
        _Layout(choice, _shrunk([_range(table, n, least) for n in choice], width))
        for choice, least in [*tries, (choices[-1], _LEAST)]
    ]


def _range(table: Table, number: int, least: int) -> tuple[int, int]:
    """How wide a column may be: at least (no word is cut that needn't be), and by nature."""
    column = table.columns[number]
    texts = [column.title, *(row[number] for row in table.rows)]
    natural = max(cell_width(text) for text in texts)
    longest_word = max(cell_width(word) for text in texts for word in text.split(" "))
    floor = max(least, min(longest_word, _LONGEST_WORD)) if column.wraps else natural
    return min(floor, natural), natural


def _shrunk(ranges: list[tuple[int, int]], width: int) -> list[int]:
    """Natural widths; where they are too much, the widest of those that can gives way."""
    widths = [natural for _, natural in ranges]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    while over > 0:
        can = [n for n, (floor, _) in enumerate(ranges) if widths[n] > floor]
        if not can:
            break
        widths[max(can, key=lambda n: widths[n])] -= 1
        over -= 1
    return widths


def _side_by_side(table: Table, layout: _Layout, width: int) -> list[str]:
    columns, widths = table.columns, layout.widths
    lines = _row_lines(columns, [column.title for column in columns], layout)
    lines.append("─" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    for number, row in enumerate(table.rows):
        lines += _row_lines(columns, row, layout) + _below(table, number, width)
    return lines


def _below(table: Table, number: int, width: int) -> list[str]:
    text = table.below.get(number)
    return [_INDENT + line for line in wrapped(text, width - len(_INDENT))] if text else []


def _row_lines(columns: Sequence[Column], cells: Sequence[str], layout: _Layout) -> list[str]:
    pairs = list(zip(layout.chosen, layout.widths, strict=True))
    parts = [wrapped(cells[n], size) for n, size in pairs]
    lines = []
    for number in range(max(len(part) for part in parts)):
        placed = (
            _placed(part[number] if number < len(part) else "", size, columns[n].right)
            for part, (n, size) in zip(parts, pairs, strict=True)
        )
        lines.append(_GAP.join(placed).rstrip())
    return lines


def _placed(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_width(text))
    return space + text if right else text + space


def _left_out(columns: Sequence[Column], layout: _Layout, width: int) -> list[str]:
    names = [column.title for n, column in enumerate(columns) if n not in layout.chosen]
    if not names:
        return []
    return wrapped(f"left out for width: {', '.join(names)}; --json has all", width)


def _records(table: Table, width: int) -> list[str]:
    lines = []
    for number, row in enumerate(table.rows):
        for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            indent = _GAP if place else ""
            text = f"{column.title}: {cell}" if column.title else cell
            first, *others = wrapped(text, width - len(_INDENT))
            lines += [indent + first, *(_INDENT + other for other in others)]
        lines += _below(table, number, width)
    return lines
