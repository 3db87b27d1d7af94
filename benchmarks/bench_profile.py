"""How long `adadeep-profile` takes on the lab's box, over a real adbd."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from adadeep.profiles.files import list_profiles, load
from lab_box import lab_box
from record import Row, options, save

PROFILE = str(Path(sys.executable).parent / "adadeep-profile")
LIMIT_S = 120


def main() -> None:
    chosen = options(__doc__)
    extent = ["--quick"] if chosen.smoke else []
    with lab_box() as serial, tempfile.TemporaryDirectory() as library:
        os.environ["ADADEEP_LIBRARY"] = library
        start = time.perf_counter()
        command = [PROFILE, "-d", serial, *extent]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)
        seconds = time.perf_counter() - start
        profiles = [load(summary.name) for summary in list_profiles()]
        measured = [entry for p in profiles for entry in p.entries if entry.measurement]
    rows = [
        Row("adadeep-profile", seconds, "s", LIMIT_S, detail="facts, capabilities, all layers"),
        Row("layers measured", len(measured), "layers", 60, at_least=True),
    ]
    save(chosen, "profile", "A profile of the lab's box, over a real adbd", rows)


if __name__ == "__main__":
    main()
