"""`make soak`: the tests that open or close an agent, again and again, with a core kept busy.

They are about moments (an agent that is just ending, a cable pulled between two writes), which a
run on an idle machine hardly ever meets. Before them, once and with nothing beside it, what takes
the whole machine (marker `soak`). Writes docs/soak.md.

Usage: soak.py [--rounds N] [--jobs N] [--output FILE] [more arguments of pytest]
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 50
# By marker, the folders that hold such tests.
LIVES = ("agent_life and not board", "tests/integration", "tests/unit/devices")
ALONE = ("soak", "tests/integration", "tests/contract")
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """Keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def one_round(marked: tuple[str, ...], arguments: list[str]) -> tuple[Counter[str], list[str]]:
    """Counts of a run of pytest by outcome, and the tests that failed."""
    words = [*PYTEST, *marked[1:], "-m", marked[0], *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [""])[-1]
    found = re.findall(r"(\d+) (passed|failed|skipped|errors?)\b", last)
    counts = Counter({outcome.rstrip("s"): int(number) for number, outcome in found})
    failed = re.findall(r"^(?:FAILED|ERROR) \S*::(\S+)", done.stdout, re.MULTILINE)
    if done.returncode and not failed:
        raise SystemExit(f"pytest itself failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    if failed:
        sys.stderr.write(done.stdout)
    return counts, failed


def commit() -> str:
    """The checkout's, short; "unknown" where there is none."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    found = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return found.strip() or "unknown"


def report(
    rounds: tuple[int, int], counts: Counter[str], failures: Counter[str], seconds: float
) -> str:
    """The text of docs/soak.md; of the rounds so many were run, so many at a time."""
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    bad = sum(failures.values())
    lines = [
        "# Soak",
        "",
        "Written by `make soak`: the tests that open or close an agent (marker `agent_life`),",
        "again and again, while a core is kept busy; before them, once, those that take the whole",
        "machine (marker `soak`: measuring beside 50 busy programs, networks in full).",
        "",
        "| | |",
        "|---|---|",
        f"| Date | {date} |",
        f"| Machine | {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()} |",
        f"| Rounds | {rounds[0]}, {rounds[1]} at a time, of commit {commit()} |",
        f"| Tests run | {counts['passed'] + bad} ({counts['skipped']} skipped) |",
        f"| Failures | {bad} |",
        f"| Time | {seconds / 60:.0f} min |",
    ]
    lines += [f"| Failed: `{name}` | {count} |" for name, count in failures.most_common()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs the rounds; the exit status is 1 if a test failed in any of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--jobs", type=int, default=1, help="rounds at a time; they mostly wait")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "soak.md")
    wish, arguments = parser.parse_known_args()
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    began = time.monotonic()

    def note(what: str, rounds: int, found: Counter[str], failed: list[str]) -> None:
        counts.update(found)
        failures.update(failed)
        print(f"{what}: {dict(found)} {' '.join(failed)}", flush=True)
        text = report((rounds, wish.jobs), counts, failures, time.monotonic() - began)
        wish.output.write_text(text)

    note("alone on the machine", 0, *one_round(ALONE, arguments))
    with busy_core(), ThreadPoolExecutor(wish.jobs) as pool:
        rounds = [pool.submit(one_round, LIVES, arguments) for _ in range(wish.rounds)]
        for number, done in enumerate(as_completed(rounds), start=1):
            note(f"round {number} of {wish.rounds}", number, *done.result())
    if not counts["passed"]:
        raise SystemExit("nothing was run: the device lab is not to be had here")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
