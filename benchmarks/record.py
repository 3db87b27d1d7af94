"""What a benchmark found: a table on the screen, and a JSON file with the machine's facts."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = (
    "adadeep",
    "adbutils",
    "ai-edge-litert",
    "keras",
    "numpy",
    "tensorflow-cpu",
    "tensorflow",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One number.

    Attributes:
        what: was measured.
        value: in `unit`.
        unit: of value and limit.
        limit: what it may be; None if nothing is promised.
        at_least: the limit is a minimum.
        detail: how it was measured.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    detail: str = ""

    @property
    def verdict(self) -> str:
        """ "met", "missed", or nothing where nothing is promised."""
        if self.limit is None:
            return ""
        good = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if good else "missed"


@dataclass(frozen=True, slots=True)
class Options:
    """How a benchmark is run.

    Attributes:
        smoke: only to see that it runs: the least that gives every number.
        results: folder of the JSON.
    """

    smoke: bool
    results: Path


def options(about: str) -> Options:
    """The command line that every benchmark has."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds only; its numbers are bad")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON")
    arguments = parser.parse_args()
    return Options(arguments.smoke, arguments.results)


def write(options: Options, name: str, content: dict[str, object]) -> None:
    """Writes NAME.json into the folder of results."""
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def machine() -> dict[str, object]:
    """The computer that the numbers are of."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory_kb": int((_first("/proc/meminfo", "MemTotal") or "0").split()[0]),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def save(options: Options, name: str, title: str, rows: list[Row]) -> None:
    """Prints the rows and writes NAME.json into the folder of results."""
    show(title, rows)
    write(options, name, content_of(name, title, rows))


def show(title: str, rows: list[Row]) -> None:
    """Prints the rows."""
    print(f"\n{title}")
    for row in rows:
        limit = "" if row.limit is None else f"{'>=' if row.at_least else '<='} {row.limit:g}"
        value = f"{row.value:.4g} {row.unit}"
        print(f"  {row.what:58} {value:>14}  {limit:10} {row.verdict:7} {row.detail}")


def content_of(name: str, title: str, rows: list[Row]) -> dict[str, object]:
    """What the JSON of a benchmark holds."""
    return {
        "benchmark": name,
        "title": title,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load_1min": round(os.getloadavg()[0], 2),
        "machine": machine(),
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _first(path: str, key: str) -> str | None:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(key))
    return next(found, None)
