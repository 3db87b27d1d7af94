"""Every command says the next step, or has no sensible one; what it says is a command that works.

A command that ends well without a next step is in the Decisions of docs/design.md.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from adadeep.cli.main import cli, run
from fakes.commands import CASES, Arrange, all_leaves

ALL = [(name, *case) for name, cases in CASES.items() for case in cases]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("name", "arrange", "arguments", "code", "expected"), ALL)
def test_a_command_ends_with_its_next_step(
    name: str, arrange: Arrange, arguments: str, code: int, expected: str | None,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    arrange(monkeypatch)
    assert run(cli, [*name.split(), *arguments.split()]) == code
    said = capsys.readouterr()
    steps = [line for line in said.err.splitlines() if line.startswith("now: ")]
    assert steps == ([] if expected is None else [f"now: {expected}"]), said.err
    assert "now: " not in said.out


@pytest.mark.parametrize("name", CASES)
def test_json_goes_without(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrange, arguments, code, _ = CASES[name][0]
    arrange(monkeypatch)
    assert run(cli, [*name.split(), *arguments.split(), "--json"]) == code
    said = capsys.readouterr()
    json.loads(said.out)
    assert "now: " not in said.err


@pytest.mark.parametrize("step", sorted({step for *_, step in ALL if step}))
def test_a_next_step_is_a_command_that_is_understood(step: str) -> None:
    program, *words = shlex.split(step.replace("adadeep-profile", "adadeep profile"))
    assert program == "adadeep"
    command: Any = cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, step
    command.make_context("x", words)


def test_every_command_is_here() -> None:
    assert set(CASES) == set(all_leaves())
