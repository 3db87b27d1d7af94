"""Folders that the environment names."""

from __future__ import annotations

import os
from pathlib import Path

from adadeep.core.errors import ConfigError


def expanded(name: str) -> Path:
    """The path with a leading ~ replaced.

    Raises:
        ConfigError: there is no such user, or no home.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{name}: {error} Write the path without ~, or set HOME.") from error


def cache_dir() -> Path:
    """Our folder for what can be made again; absolute, for processes in other folders use it.

    Raises:
        ConfigError: the environment names none.
    """
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache").absolute() / "adadeep"
