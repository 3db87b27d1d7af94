"""Commands as real processes, with their memory measured and limited."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fakes import hostile_local
from fakes.sandbox import Outcome, Sandbox

ROOT = Path(__file__).parents[2]
_MOST_ADDRESSES = 6 << 30  # so that what takes too much fails by itself, and not the machine
_LONGEST_S = 120


@dataclass(frozen=True)
class Measured(Outcome):
    """An outcome, and the most memory that the command or one of its children took."""

    peak_bytes: int


def measured(
    sandbox: Sandbox, words: Sequence[str], scenario: str = "", recording: Path | None = None
) -> Measured:
    """Runs `adadeep WORDS`, with a lying agent on this computer if a scenario is named."""
    path = os.pathsep.join(
        [str(ROOT / "host"), str(ROOT / "device_agent" / "linux"), str(ROOT / "tests")]
    )
    task = json.dumps([scenario, str(recording), list(words)])
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, str(hostile_local.__file__), task], stdin=subprocess.DEVNULL,
            stdout=out, stderr=err, cwd=sandbox.work, preexec_fn=_limited,
            env={**os.environ, **sandbox.environment, "PYTHONPATH": path},
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(10_000_000).decode("utf-8", "replace"))
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(process.returncode, *texts, usage.ru_maxrss * unit)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
    signal.alarm(_LONGEST_S)  # stays over exec: what hangs is ended
