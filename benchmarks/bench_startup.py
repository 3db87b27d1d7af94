"""How long a command takes from its start to its end, and that TensorFlow is not imported."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab_box import adb, free_port
from record import Row, options, save

STARTS = 20
LIMIT_S = 0.3
ADADEEP = str(Path(sys.executable).parent / "adadeep")
LOOK = """
import sys
from adadeep.cli.main import cli, run
run(cli, sys.argv[1:])
sys.exit("TensorFlow was imported" if "tensorflow" in sys.modules else 0)
"""


def median_s(arguments: list[str], starts: int) -> float:
    """Median wall time of a command over process starts, after one that warms caches."""
    seconds = []
    for _ in range(starts + 1):
        start = time.perf_counter()
        subprocess.run([ADADEEP, *arguments], check=True, capture_output=True, timeout=60)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def row(arguments: list[str], starts: int, limit_s: float | None = LIMIT_S) -> Row:
    subprocess.run(
        [sys.executable, "-c", LOOK, *arguments], check=True, capture_output=True, timeout=60
    )
    detail = f"median of {starts} process starts; TensorFlow absent"
    seconds = median_s(arguments, starts)
    return Row(f"adadeep {' '.join(arguments)}", seconds, "s", limit_s, detail=detail)


def main() -> None:
    chosen = options(__doc__)
    starts = 1 if chosen.smoke else STARTS
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "ANDROID_ADB_SERVER_PORT": str(free_port())}
        os.environ.pop("ADB_SERVER_SOCKET", None)
        adb("start-server")  # our own; a running server is what a user has, too
        try:
            rows = [row(["--help"], starts), row(["devices"], starts)]
            rows.append(row(["profiles", "list"], starts, None))
        finally:
            with contextlib.suppress(SystemExit):
                adb("kill-server")
    save(chosen, "startup", "Start of a command", rows)


if __name__ == "__main__":
    main()
