"""Host, agent and package carry one version."""

from __future__ import annotations

import tomllib
from pathlib import Path

import adadeep
from adadeep_agent import wire

ROOT = Path(__file__).resolve().parents[2]


def test_host_agent_and_package_have_the_same_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert wire.VERSION == adadeep.__version__ == project["version"]


def test_the_changelog_has_an_entry_for_the_version() -> None:
    version = adadeep.__version__
    heading = "Unreleased" if ".dev" in version else version
    assert f"## [{heading}]" in (ROOT / "CHANGELOG.md").read_text()
