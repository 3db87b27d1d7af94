"""Commands as a user types them, in a process of their own, and what a failed one has said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

_LONGEST_S = 900  # the emulated board beside other load


def adadeep(
    *arguments: Any, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `adadeep` with these words and changes of the environment."""
    path = os.pathsep.join(part for part in sys.path if part)
    return subprocess.run(
        [sys.executable, "-m", "adadeep", *map(str, arguments)],
        capture_output=True, text=True, timeout=_LONGEST_S, check=False,
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
    )  # fmt: skip


def fails(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one clear sentence of a failure: no traceback, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    [message] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return message
