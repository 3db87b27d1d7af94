"""No function above 50 lines, no file above 400."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("host", "device_agent")
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400

Function = ast.FunctionDef | ast.AsyncFunctionDef
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def length(function: Function) -> int:
    """Lines of a function with its decorators, without its docstring."""
    first = min([function.lineno, *(node.lineno for node in function.decorator_list)])
    assert function.end_lineno is not None
    lines = function.end_lineno - first + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        assert docstring.end_lineno is not None
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def too_long(source: str) -> list[str]:
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    return [
        f"{f.name}:{f.lineno} has {length(f)} lines"
        for f in functions
        if length(f) > MAX_FUNCTION_LINES
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_are_short(path: Path) -> None:
    source = path.read_text()
    assert too_long(source) == []
    assert len(source.splitlines()) <= MAX_FILE_LINES


def test_the_guard_counts_the_body_and_not_the_docstring() -> None:
    docstring = '    """' + "\n" * 100 + '    """\n'
    assert too_long("def f():\n" + docstring + "    x = 1\n" * 49) == []
    assert too_long("def f():\n" + docstring + "    x = 1\n" * 50) == ["f:1 has 51 lines"]
