"""Networks as users bring them, searched on this computer: what ten plans come to.

Each is trained by Keras alone, on real samples that the search is not given (own/train.py, kept in
$ADADEEP_OWN_MODELS, a temporary folder without it), then searched as a user would, by the command,
with 2,000 samples, a limit of 2 % on the loss and a quarter of the storage S_p allowed. Without
ADADEEP_DATA there is nothing to search on, and it says so.

$OWN_MODELS names some of the networks; all of them take hours on two cores.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from own import data
from processes import peak_rss_mb
from record import Options, Row, options, save

PLANS, LOSS, SMALLER = 10, "2%", 4
SECONDS_A_PLAN = 60  # of MobileNetV2 at 96x96
MEMORY_MB = 4000  # up to 30 million parameters
SMOKE = ("cnn1d",)  # the one of fewest multiplications
TITLE = "Networks of users, ten plans each on this computer"


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        storage_ratio: how many times smaller S_p is than the initial network's.
        latency_ratio: T of the winner over T of the initial network.
        verdict: of the accuracy's limit.
        initial: quality on the test data.
        winner: likewise.
        plan: that won.
        seconds_a_plan: of making and measuring, on the mean.
        peak_mb: memory of the search's processes together, at most.
    """

    storage_ratio: float
    latency_ratio: float
    verdict: str
    initial: float
    winner: float
    plan: str
    seconds_a_plan: float
    peak_mb: float


def searched(name: str, folder: Path, plans: int) -> Found:
    """Runs the command on a network and data of the folder."""
    whole = said(folder, "techniques", f"{name}.keras")["network"]["storage_bytes"]
    return found_in(*run(
        folder, "search", f"{name}.keras", "--data", f"{name}.npz", "-d", "local",
        "--episodes", str(plans), "--max-accuracy-loss", LOSS,
        "--max-storage", f"{math.ceil(whole / SMALLER)}B", "--out", f"run-{name}",
    ))  # fmt: skip


def said(folder: Path, *words: str) -> dict[str, Any]:
    """What a command of ours says in JSON."""
    return run(folder, *words)[0]


def run(folder: Path, *words: str) -> tuple[dict[str, Any], float]:
    """What it says, and the most memory that all its processes took, in MB."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryFile("w+") as told:
        with subprocess.Popen(
            [sys.executable, "-m", "adadeep", *words, "--json"],
            cwd=folder, env=environment, stdout=told,
        ) as process:  # fmt: skip
            peak = peak_rss_mb(process)
        if process.returncode not in (0, 4):
            raise SystemExit(f"{' '.join(words[:2])} ended with {process.returncode}")
        told.seek(0)
        return json.load(told), peak


def found_in(document: dict[str, Any], peak_mb: float) -> Found:
    """Out of the command's JSON."""
    [target] = document["targets"]
    plans = [one["seconds"] for one in document["trials"] if one["label"] != "initial"]
    best, initial = target["best"], target["initial"]
    now, before = best["cost"], initial["cost"]
    return Found(
        storage_ratio=before["storage_bytes"] / now["storage_bytes"],
        latency_ratio=now["latency_ms"]["value"] / before["latency_ms"]["value"],
        verdict=best["verdicts"]["accuracy_loss"]["state"],
        initial=initial["test_accuracy"],
        winner=best["test_accuracy"],
        plan=best["label"],
        seconds_a_plan=statistics.fmean(plans),
        peak_mb=peak_mb,
    )


def rows_of(name: str, found: Found) -> list[Row]:
    """Of one network; a verdict counts as kept where it is not "broken"."""
    quality = f"{100 * found.winner:.1f} % of {100 * found.initial:.1f} % on test"
    limit_s = SECONDS_A_PLAN if name == "mobilenet_v2" else None
    return [
        Row(f"{name}: S_p smaller", found.storage_ratio, "times", SMALLER, at_least=True,
            detail=found.plan),
        Row(f"{name}: T of the winner", 100 * found.latency_ratio, "%", 100, detail=quality),
        Row(f"{name}: loss of 2 % broken", found.verdict.startswith("broken"), "", 0,
            detail=found.verdict),
        Row(f"{name}: a plan", found.seconds_a_plan, "s", limit_s,
            detail="made and measured; the mean"),
        Row(f"{name}: peak memory", found.peak_mb, "MB", MEMORY_MB,
            detail="of all processes of the search; sum of resident sizes"),
    ]  # fmt: skip


def prepared(name: str, folder: Path, chosen: Options) -> None:
    """Writes a network's file and its data into a folder, where they are not there yet."""
    from own import train  # Keras: seconds

    sizes = (300, 200) if chosen.smoke else (data.SAMPLES, 2 * data.SAMPLES)
    if not all((folder / f"{name}.{kind}").exists() for kind in ("keras", "npz")):
        ours, theirs = data.made(name, *sizes)
        np.savez(folder / f"{name}.npz", **ours)
        train.trained(name, folder / f"{name}.keras", theirs, steps=20 if chosen.smoke else None)


@contextmanager
def folder_of(chosen: Options) -> Iterator[Path]:
    """Where networks and data lie: kept if the user names a folder, and these are real ones."""
    with tempfile.TemporaryDirectory() as temporary:
        kept = None if chosen.smoke else os.environ.get("ADADEEP_OWN_MODELS")
        folder = Path(kept or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def main() -> None:
    chosen = options(__doc__)
    if data.folder() is None:
        row = Row("networks searched", 0, "", detail="ADADEEP_DATA names no data sets")
        save(chosen, "own_models", TITLE, [row])
        return
    asked = os.environ.get("OWN_MODELS", " ".join(data.MAKERS)).split()
    names, plans = (SMOKE, 1) if chosen.smoke else (tuple(asked), PLANS)
    with folder_of(chosen) as folder:
        rows: list[Row] = []
        for name in names:
            prepared(name, folder, chosen)
            rows += rows_of(name, searched(name, folder, plans))
            save(chosen, "own_models", TITLE, rows)  # what is there is kept, whatever comes


if __name__ == "__main__":
    main()
