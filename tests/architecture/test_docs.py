"""The documents keep up with the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from adadeep.cli.main import COMMANDS
from adadeep.core import errors

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SOURCES = sorted((ROOT / "host").rglob("*.py"))


def exit_codes() -> set[int]:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    return {c.exit_code for c in classes if issubclass(c, errors.AdaDeepError)}


def in_sources(pattern: str) -> set[str]:
    return {match for path in SOURCES for match in re.findall(pattern, path.read_text())}


@pytest.mark.parametrize("code", sorted({0, *exit_codes()}))
def test_readme_explains_the_exit_code(code: int) -> None:
    assert f"| {code} |" in README


def test_readme_lists_every_environment_variable() -> None:
    used = in_sources(r"\b(ADADEEP_[A-Z][A-Z_]*|ANDROID_[A-Z_]*(?:SERIAL|PORT|ADDRESS))\b")
    assert used, "the pattern finds nothing"
    assert {name for name in used if f"`{name}`" not in README} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_readme_mentions_every_command(name: str) -> None:
    assert f"adadeep {name}" in README


def emitted() -> set[str]:
    """The schemas of all documents, with the versions that the calls name."""
    calls = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text())))
    found = set()
    for call in calls:
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "emit":
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
            found.add(f"adadeep.{ast.literal_eval(call.args[0])}/{named.get('version', 1)}")
    return found


def test_json_schemas_are_documented_in_the_version_that_is_written() -> None:
    text = (ROOT / "docs" / "json.md").read_text()
    assert "adadeep.search/2" in emitted()
    assert {schema for schema in emitted() if f"## {schema}\n" not in text} == set()
    assert set(re.findall("## (adadeep.*)", text)) == emitted()


def test_a_json_schema_belongs_to_one_module() -> None:
    owners: dict[str, list[str]] = {}
    for path in SOURCES:
        for kind in set(re.findall(r"\.emit\(\s*\"([a-z-]+)\"", path.read_text())):
            owners.setdefault(kind, []).append(path.name)
    assert {kind: names for kind, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
