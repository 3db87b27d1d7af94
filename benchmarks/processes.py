"""What a process and all that it starts take of memory."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

_SAMPLE_S = 0.2


def peak_rss_mb(process: subprocess.Popen[Any]) -> float:
    """Waits for its end; the largest sum of resident memory of it and its descendants."""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, tree_rss_mb(process.pid))
        time.sleep(_SAMPLE_S)
    return peak


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
