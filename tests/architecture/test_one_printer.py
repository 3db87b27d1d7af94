"""Only cli/ui.py prints, so that everything goes through its display filter."""

import ast
from pathlib import Path

import pytest

HOST = Path(__file__).resolve().parents[2] / "host"
ALLOWED = {"ui.py", "entry.py"}  # the last resort before anything else is imported
SOURCES = [path for path in sorted(HOST.rglob("*.py")) if path.name not in ALLOWED]
PRINTERS = {"print", "pprint", "echo", "secho", "echo_via_pager", "show"}
OWNERS = {"click", "error", "stdout", "stderr"}


def prints(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id in PRINTERS - {"show"}:
            found.append(f"line {node.lineno}: {function.id}")
        if isinstance(function, ast.Attribute):
            owner = ast.unparse(function.value).rpartition(".")[2]
            if owner in OWNERS and function.attr in {*PRINTERS, "write", "writelines"}:
                found.append(f"line {node.lineno}: {owner}.{function.attr}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(HOST)))
def test_only_the_console_module_prints(path):
    assert prints(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "code",
    ["print(x)", "click.echo(x)", "error.show()", "sys.stderr.write(x)", "sys.stdout.write(x)"],
)
def test_the_guard_sees_what_prints(code):
    assert prints(ast.parse(code)) != []
