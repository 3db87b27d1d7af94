"""Foreign text made safe to show: what a device, a profile, a model or a run folder says.

A terminal obeys what it prints: escape sequences move its cursor, rename its window or answer on
its input; bidirectional marks turn a line around. Every text that reaches the user's terminal goes
through `printable` (in `cli`), and foreign text that becomes a part of a message of ours goes
through `one_line` where the message is made, so that it can't pretend to be lines of ours.
"""

from __future__ import annotations

import json
import re

# Controls but line feed and tab; separators that break lines; marks that change direction or are
# invisible; half surrogates, which can't be encoded.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """The text with everything that a terminal might obey written out as an escape.

    Line feeds and tabs stay; the character ESC becomes the four of a backslash and "x1b".
    """
    return _UNSAFE.sub(lambda match: _escape(match[0]), text)


def printable_json(text: str) -> str:
    """JSON with the same characters as JSON's own escapes: still valid, still the same values."""
    return _UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def one_line(text: str, limit: int = 300) -> str:
    """Foreign text for a message or a table's cell: one printable line of at most `limit`.

    White space of any kind becomes single spaces; what is too long ends in "...".
    """
    line = printable(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
