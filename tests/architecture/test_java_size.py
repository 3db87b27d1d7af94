"""Java keeps to the rules that Python's code has: short methods and files, few parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "android_app"
FILES = sorted(path for path in ROOT.rglob("*.java") if "target" not in path.parts)
MAX_METHOD_LINES, MAX_FILE_LINES, MAX_PARAMETERS, MAX_COLUMNS = 50, 400, 6, 100
METHOD = re.compile(
    r"^( {4}| {8})(?! |@|return|throw|new |if|for|while|switch|try|else|case)"
    r"[\w<>\[\], .?]*\b\w+\(([^;{}]*)\)[^;{}()]*\{\n(.*?)^\1\}$",
    re.MULTILINE | re.DOTALL,
)


def problems(source: str) -> list[str]:
    lines = source.splitlines()
    found = [f"line {n} is long" for n, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS]
    if len(lines) > MAX_FILE_LINES:
        found.append(f"{len(lines)} lines")
    for method in METHOD.finditer(source):
        where = f"line {source[: method.start()].count(chr(10)) + 1}"
        parameters = re.sub(r"<[^<>]*>", "", method[2])
        if parameters.strip() and parameters.count(",") + 1 > MAX_PARAMETERS:
            found.append(f"{where} takes too much")
        if method[3].count("\n") > MAX_METHOD_LINES:
            found.append(f"{where} is a long method")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_java_is_in_short_pieces(path: Path) -> None:
    assert problems(path.read_text()) == []


def test_there_is_java() -> None:
    assert len(FILES) > 30


def test_the_guard_sees_what_is_too_long() -> None:
    body = "        x();\n" * 50
    assert problems(f"class A {{\n    void f(int a) {{\n{body}    }}\n}}\n") == []
    long = f"class A {{\n    void f(int a) {{\n{body}        y();\n    }}\n}}\n"
    assert problems(long) == ["line 2 is a long method"]
    many = ", ".join(f"Map<A, B> p{n}" for n in range(7))
    assert problems(f"class A {{\n    void f({many}) {{\n    }}\n}}\n") == [
        "line 2 is long", "line 2 takes too much"
    ]  # fmt: skip
    assert problems("x\n" * 401) == ["401 lines"]
