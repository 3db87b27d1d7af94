"""Every command: help, `--json`, and no TensorFlow where nothing is trained or converted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from adadeep.cli.main import COMMANDS
from fakes.commands import leaves

PROGRAM = """
import json, sys
from adadeep.cli.main import cli, run
code = run(cli, json.loads(sys.argv[1]))
heavy = sorted({"tensorflow", "keras", "sklearn", "optuna"} & set(sys.modules))
from adadeep.core.installed import _all
if _all.cache_info().misses:
    heavy.append("a look at what is installed")
print(json.dumps([code, heavy]))
"""
LOOKS = ["a look at what is installed"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_and_speaks_json(name: str) -> None:
    for title, command in leaves(name):
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, title
        assert (command.help or "").strip(), title
        undocumented = [
            parameter.name
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.help
        ]
        assert undocumented == [], title


def run_and_look(arguments: list[str], home: Path, **variables: str) -> tuple[int, list[str]]:
    """Exit code of a command, and which of the heavy packages it imported."""
    environment = {**os.environ, "HOME": str(home), "ADADEEP_LIBRARY": str(home), **variables}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code, heavy = json.loads(done.stdout.splitlines()[-1])
    return code, heavy


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_needs_no_heavy_package(arguments: list[str], tmp_path: Path) -> None:
    code, heavy = run_and_look(arguments, tmp_path)
    assert (code, [one for one in heavy if one not in LOOKS]) == (0, [])
    assert heavy == [] or arguments != ["--help"]


@pytest.mark.parametrize("arguments", [["devices"], ["profiles", "list"], ["runs", "list"]])
def test_listing_needs_no_heavy_package(arguments: list[str], tmp_path: Path) -> None:
    assert run_and_look(arguments, tmp_path) == (0, [])


def test_help_names_every_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adadeep", "--help"],
        env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    for code in ("0 done", "1 internal", "2 usage", "3 device", "4 demand", "130 interrupted"):
        assert code in " ".join(done.stdout.split())
