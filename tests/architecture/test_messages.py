"""Every error that is raised on purpose says what to do next, or stands in a list with the reason.

`tests/golden/messages.txt` holds every message as the source has it (what is put in stands in
braces), so that a change of what users read is a change of that file. After a deliberate change:

    UPDATE_MESSAGES=1 python -m pytest tests/architecture/test_messages.py

`tests/golden/without_remedy.txt` holds those without a next step: a message, then " <- " and why.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from adadeep.core import errors

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "host"
GOLDEN = ROOT / "tests" / "golden" / "messages.txt"
WITHOUT = ROOT / "tests" / "golden" / "without_remedy.txt"

CLASSES = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.AdaDeepError)
} | {"AdbUnavailable", "OutputError"}

# A clause that tells the reader to do something, shows the right form, or offers what there is.
REMEDY = re.compile(
    r"(?:^|[.;:,()}?] *|\bor |\band |\bthen )(?:add|allow|ask|convert|begin|build|change|check|"
    r"choose|compress|do|fix|free|give|install|leave|load|make|name|plug|put|redirect|relax|remove|"
    r"repeat|report|restore|run|save|say|see|set|start|take|try|unlock|unset|update|upgrade|use|"
    r"wait|write)\b"
    r"|There are: |It takes: |must be |must hold |is supported|is the device|`adadeep"
    r"|adadeep-profile|\{hint\}|\{remedy\}|HOW_TO_ATTACH|_resumable|_GO_ON",
    re.IGNORECASE,
)


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) for value in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value) if isinstance(node.value, ast.JoinedStr) else (
            f"{{{ast.unparse(node.value)}}}"
        )  # fmt: skip
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("rstrip", "strip")
    ):
        return text_of(node.func.value)
    return f"{{{ast.unparse(node)}}}"


def messages_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        name = node.func if isinstance(node, ast.Call) else None
        if isinstance(name, ast.Name) and name.id in CLASSES and node.args:
            yield f"{name.id}: {' '.join(text_of(node.args[0]).split())}"


def collected() -> set[str]:
    return {
        message for path in sorted(HOST.rglob("*.py")) for message in messages_of(path.read_text())
    }


def passes_on(message: str) -> bool:
    """Whether it is nothing but somebody else's text, which is looked at where it is made."""
    return re.fullmatch(r"\w+: \{[^{}]*(\{[^{}]*\})?[^{}]*\}", message) is not None


def exceptions() -> dict[str, str]:
    lines = [line for line in WITHOUT.read_text().splitlines() if line]
    return dict(line.rsplit(" <- ", 1) for line in lines)


def test_the_golden_list_is_what_the_source_holds() -> None:
    found = collected()
    if os.environ.get("UPDATE_MESSAGES"):
        GOLDEN.write_text("".join(f"{message}\n" for message in sorted(found)))
    known = set(GOLDEN.read_text().splitlines())
    assert {"new": sorted(found - known), "gone": sorted(known - found)} == {"new": [], "gone": []}


def test_every_message_says_what_to_do_next() -> None:
    excused = exceptions()
    silent = [
        message
        for message in sorted(collected())
        if not REMEDY.search(message.partition(": ")[2]) and not passes_on(message)
    ]
    assert [message for message in silent if message not in excused] == []


def test_an_exception_is_needed_and_gives_its_reason() -> None:
    found = collected()
    assert [m for m, reason in exceptions().items() if m not in found or not reason.strip()] == []


def test_the_guard_sees_a_message_without_a_next_step() -> None:
    (message,) = messages_of('raise ConfigError(f"{path}: it is wrong." + " Really so.")')
    assert message == "ConfigError: {path}: it is wrong. Really so."
    assert not REMEDY.search(message)
    assert REMEDY.search("it is wrong; try again.")
