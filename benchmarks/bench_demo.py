"""How long `make demo` takes after installation, and the memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import peak_rss_mb
from record import Row, options, save

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S, LIMIT_MB = 64, 1500


def main() -> None:
    chosen = options(__doc__)
    if chosen.smoke:
        os.environ["EPISODES"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "RUN": f"{folder}/run",
            "BIN": str(Path(sys.executable).parent),
            "ADADEEP_LIBRARY": f"{folder}/library",
        }
        start = time.perf_counter()
        # The script is all that `make demo` runs once the environment is made.
        with subprocess.Popen([str(ROOT / "scripts" / "demo.sh")], env=environment) as demo:
            peak = peak_rss_mb(demo)
        seconds = time.perf_counter() - start
    if demo.returncode:
        raise SystemExit(f"the demo ended with {demo.returncode}")
    detail = f"{os.environ.get('EPISODES') or 'default number of'} episodes on local"
    rows = [
        Row("make demo, installed", seconds, "s", LIMIT_S, detail=detail),
        Row("peak memory, all processes", peak, "MB", LIMIT_MB, detail="sum of resident sizes"),
    ]
    save(chosen, "demo", "The demo", rows)


if __name__ == "__main__":
    main()
