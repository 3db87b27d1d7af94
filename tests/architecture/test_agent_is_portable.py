"""What runs on a device is standard library of Python 3.8, plus a runtime that is looked for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "device_agent" / "linux" / "adadeep_agent"
FILES = sorted(AGENT.rglob("*.py"))
# Looked for on the device; an agent without them starts and says what is missing.
OPTIONAL = {"ai_edge_litert", "tflite_runtime", "tensorflow", "numpy"}
GENERICS = {"dict", "list", "set", "frozenset", "tuple", "type"}  # subscriptable from 3.9 on


def imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module.partition(".")[0]


def at_import_time(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are run when the module is imported: annotations and functions are not."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for outside in (*getattr(child, "decorator_list", ()), *child.args.defaults):
                yield from (outside, *at_import_time(outside))
        elif isinstance(child, ast.AnnAssign):
            if child.value is not None:
                yield from (child.value, *at_import_time(child.value))
        else:
            yield from (child, *at_import_time(child))


def newer_generics(source: str) -> list[int]:
    """Lines with an evaluated `dict[...]` and the like, which Python 3.8 refuses."""
    tree = ast.parse(source)
    inside = (node for function in ast.walk(tree) for node in evaluated(function))
    nodes = {id(node): node for node in (*at_import_time(tree), *inside)}.values()
    return sorted(
        node.lineno
        for node in nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in GENERICS
    )


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes in a function's body that are run when it is called."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for statement in node.body:
            yield from at_import_time(ast.Module(body=[statement], type_ignores=[]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_agent_parses_as_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_agent_evaluates_no_generic_of_a_newer_python(path: Path) -> None:
    assert newer_generics(path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_agent_imports_the_standard_library_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    allowed = sys.stdlib_module_names | {"adadeep_agent"}
    assert {name for node in ast.walk(tree) for name in imports(node)} <= allowed | OPTIONAL
    assert {name for node in at_import_time(tree) for name in imports(node)} <= allowed


def test_the_generics_check_knows_annotations_from_expressions() -> None:
    assert newer_generics("from __future__ import annotations\nx: dict[str, int] = {}") == []
    assert newer_generics("def f(x: list[int]) -> tuple[int]:\n    y: set[int] = x\n") == []
    assert newer_generics("Message = dict[str, int]") == [1]
    assert newer_generics("def f():\n    return cast(list[int], 0)") == [2]
