"""The environment's bootstrap: which Python it takes, and what it says when there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bootstrap.sh"
TOOLS = ("sh", "dirname", "id", "rm", "mkdir", "cat", "env")
# A stand-in for an interpreter: says its version, runs the script's two checks, makes a folder.
PYTHON = """#!/bin/sh
case "$*" in
    --version) echo "Python {version}" ;;
    *sys.exit\\(not*) exit {unsupported} ;;
    *"import venv, ensurepip"*) exit {bare} ;;
    *print*) echo {version} ;;
    "-m venv "*) mkdir -p "$3/bin" && cat "$0" >"$3/bin/python" && chmod +x "$3/bin/python" ;;
    *"pip --version"*) exit 0 ;;
    *"pip install"*) exit {pip} ;;
esac
"""


def python(folder: Path, name: str, version: str, bare: int = 0, pip: int = 0) -> None:
    supported = version in ("3.11", "3.12", "3.13")
    text = PYTHON.format(version=version, unsupported=int(not supported), bare=bare, pip=pip)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The only folder of PATH: the script finds no apt-get and no sudo there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (*TOOLS, "chmod"):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def bootstrap(tools: Path, venv: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(tools), "HOME": str(venv.parent), **variables}
    return subprocess.run(
        [tools / "sh", SCRIPT, venv], env=environment, capture_output=True, text=True, timeout=60
    )


def test_takes_a_newer_python_when_python3_is_too_old(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.9")
    python(tools, "python3.12", "3.12")
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 0, done.stderr
    assert "Python 3.12" in done.stderr


def test_prefers_a_python_that_can_make_environments(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.11", bare=1)
    python(tools, "python3.13", "3.13")
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 0, done.stderr
    assert "Python 3.13" in done.stderr


def test_keeps_an_environment_that_is_whole(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.11")
    assert bootstrap(tools, tmp_path / "venv").returncode == 0
    kept = tmp_path / "venv" / "kept"
    kept.touch()
    assert bootstrap(tools, tmp_path / "venv").returncode == 0
    assert kept.exists()


@pytest.mark.parametrize("version", ["3.9", "3.14"])
def test_names_the_versions_when_none_fits(tools: Path, tmp_path: Path, version: str) -> None:
    python(tools, "python3", version)
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 1
    assert done.stderr.count("error:") == 1
    assert "3.11, 3.12 or 3.13" in done.stderr
    assert f"Python {version}" in done.stderr


def test_names_the_package_when_environments_cannot_be_made(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.11", bare=1)
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 1
    assert "python3.11-venv" in done.stderr


def test_refuses_the_named_python_that_does_not_fit(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.11")
    python(tools, "old", "3.9")
    done = bootstrap(tools, tmp_path / "venv", PYTHON=str(tools / "old"))
    assert done.returncode == 1
    assert "old is not Python 3.11" in done.stderr


def test_says_so_when_pip_fails(tools: Path, tmp_path: Path) -> None:
    python(tools, "python3", "3.11", pip=1)
    done = bootstrap(tools, tmp_path / "venv")
    assert done.returncode == 1
    assert "pip could not install" in done.stderr
