"""How long `make demo` takes after installation, and the memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import Row, options, save

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S, LIMIT_MB = 64, 1500
SAMPLE_S = 0.2


def tree_rss_mb(root: int) -> float:
    """Resident memory of a process and all its descendants; shared pages count in each."""
    parents: dict[int, int] = {}
    rss: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            rss[int(folder.name)] = int((folder / "statm").read_text().split()[1])
        except OSError:
            continue  # it ended
    members, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in members} - members
        members |= more
        grown = bool(more)
    return sum(rss.get(pid, 0) for pid in members) * os.sysconf("SC_PAGE_SIZE") / 1e6


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
        start, peak = time.perf_counter(), 0.0
        # The script is all that `make demo` runs once the environment is made.
        with subprocess.Popen([str(ROOT / "scripts" / "demo.sh")], env=environment) as demo:
            while demo.poll() is None:
                peak = max(peak, tree_rss_mb(demo.pid))
                time.sleep(SAMPLE_S)
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
