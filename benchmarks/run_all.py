"""Runs benchmarks (all, or those named) and writes docs/benchmarks.md from the JSON of all.

python benchmarks/run_all.py [startup candidate profile demo search] [--table-only]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results/*.json`; don't edit. `make bench ARGS="startup"`
runs one of them. Numbers are of the machine named, with whatever else ran on it (its load average
is given).
"""


def cell(row: dict[str, Any]) -> str:
    limit = ""
    if row["limit"] is not None:
        limit = f"{'>=' if row['at_least'] else '<='} {row['limit']:g} {row['unit']}"
    value = f"{row['value']:.3g} {row['unit']}"
    return f"| {row['what']} | {value} | {limit} | {row['verdict']} | {row['detail']} |"


def section(content: dict[str, Any]) -> str:
    """One benchmark of `record.save`."""
    machine = content["machine"]
    about = (
        f"{content['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}; load {content['load_1min']}."
    )
    head = ["| What | Value | Limit | | How |", "|---|---|---|---|---|"]
    rows = [cell(row) for row in content["rows"]]
    return "\n".join([f"## {content['title']}", "", about, "", *head, *rows, ""])


def search_section(content: dict[str, Any]) -> str:
    """The samplers' comparison, which has a table of its own."""
    lines = [
        "## Samplers",
        "",
        f"Best feasible reward after N episodes, mean of {content['seeds']} seeds, on tables of"
        " costs made by a formula (`benchmarks/bench_search.py` says which).",
        "",
    ]
    for name, rows in content["results"].items():
        columns = list(next(iter(rows.values())))
        lines += [f"| {name} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
        lines += [
            f"| {row} | {' | '.join(str(v[c]) for c in columns)} |" for row, v in rows.items()
        ]
        lines.append("")
    return "\n".join(lines)


def write_page() -> None:
    results = [json.loads(path.read_text()) for path in sorted((HERE / "results").glob("*.json"))]
    parts = [section(content) for content in results if "benchmark" in content]
    parts += [search_section(content) for content in results if "results" in content]
    PAGE.write_text("\n".join([HEAD, *parts]).rstrip() + "\n")
    print(f"wrote {PAGE}")


def main() -> None:
    known = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--table-only", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    failed = []
    for name in [] if arguments.table_only else arguments.names or known:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, HERE / f"bench_{name}.py"], cwd=HERE.parent).returncode:
            failed.append(name)
    write_page()
    if failed:
        sys.exit(f"did not end well: {', '.join(failed)}")


if __name__ == "__main__":
    main()
