"""A table as lines of text that fit a width, whatever the width.

Where the columns do not fit side by side, those that may wrap do; then those that matter least
are left out, which a line below says; and where even that does not help each row becomes a record:
a line for each column.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_GAP = "  "
_COMFORT, _LEAST = 24, 12  # width of a column that wraps: while others can go, and in the end
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


def cell_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.combining(character) > 0 for character in text)
    return len(text) + wide - marks


def render(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str, width: int
) -> list[str]:
    """The table's lines, none wider than `width` (or 20, whichever is more)."""
    width = max(width, _NARROWEST)
    head = wrapped(title, width) if title else []
    for chosen, widths in _layouts(columns, rows, width):
        if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
            return [*head, *_side_by_side(columns, rows, chosen, widths),
                    *_left_out(columns, chosen, width)]  # fmt: skip
    return [*head, *_records(columns, rows, width)]


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


def _layouts(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[tuple[list[int], list[int]]]:
    """Choices of columns with their widths, the best first."""
    natural = [
        max(cell_width(text) for text in (column.title, *(row[n] for row in rows)))
        for n, column in enumerate(columns)
    ]
    everything = list(range(len(columns)))
    going = sorted((n for n in everything if columns[n].rank), key=lambda n: -columns[n].rank)
    choices = [[n for n in everything if n not in going[:gone]] for gone in range(len(going) + 1)]
    found = [(choice, _shrunk(columns, natural, choice, width, _COMFORT)) for choice in choices]
    last = choices[-1]
    return [*found, (last, _shrunk(columns, natural, last, width, _LEAST))]


def _shrunk(
    columns: Sequence[Column], natural: list[int], chosen: list[int], width: int, least: int
) -> list[int]:
    """Natural widths; where they are too much, the widest of those that wrap gives way."""
    widths = [natural[n] for n in chosen]
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    can = [i for i, n in enumerate(chosen) if columns[n].wraps and widths[i] > least]
    while over > 0 and can:
        widest = max(can, key=lambda i: widths[i])
        widths[widest] -= 1
        over -= 1
        can = [i for i in can if widths[i] > least]
    return widths


def _side_by_side(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    chosen: list[int],
    widths: list[int],
) -> list[str]:
    titles = [column.title for column in columns]
    lines = _row_lines(columns, titles, chosen, widths)
    lines.append("─" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    for row in rows:
        lines += _row_lines(columns, row, chosen, widths)
    return lines


def _row_lines(
    columns: Sequence[Column], cells: Sequence[str], chosen: list[int], widths: list[int]
) -> list[str]:
    parts = [wrapped(cells[n], size) for n, size in zip(chosen, widths, strict=True)]
    lines = []
    for number in range(max(len(part) for part in parts)):
        texts = [part[number] if number < len(part) else "" for part in parts]
        placed = (
            _placed(text, size, columns[n].right)
            for text, size, n in zip(texts, widths, chosen, strict=True)
        )
        lines.append(_GAP.join(placed).rstrip())
    return lines


def _placed(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_width(text))
    return space + text if right else text + space


def _left_out(columns: Sequence[Column], chosen: list[int], width: int) -> list[str]:
    names = [column.title for n, column in enumerate(columns) if n not in chosen]
    if not names:
        return []
    return wrapped(f"left out for width: {', '.join(names)}; --json has all", width)


def _records(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    lines = []
    for row in rows:
        for number, (column, cell) in enumerate(zip(columns, row, strict=True)):
            indent = "  " if number else ""
            text = f"{column.title}: {cell}" if column.title else cell
            first, *others = wrapped(text, width - len(indent))
            lines.append(indent + first)
            lines += [line for other in others for line in _deeper(other, width)]
    return lines


def _deeper(text: str, width: int) -> list[str]:
    return ["    " + line for line in wrapped(text, width - 4)]
