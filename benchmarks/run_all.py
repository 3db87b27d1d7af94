"""Runs benchmarks (all, or those named) and writes docs/benchmarks.md from the JSON of all.

python benchmarks/run_all.py [NAME...] [--table-only] [--smoke --results FOLDER]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
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
        "## Searches replayed on tables: all samplers",
        "",
        "Regret in % of the table's range of rewards after N evaluated plans, mean over demands"
        " and seeds, [95 % of resampled (table, demand) cells]; 100: nothing within the limits"
        " yet. `benchmarks/bench_search.py` says what is replayed.",
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


def write_page(folder: Path, page: Path) -> None:
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    parts = [section(content) for content in results if "benchmark" in content]
    parts += [search_section(content) for content in results if "results" in content]
    page.write_text("\n".join([HEAD, *parts]).rstrip() + "\n")
    print(f"wrote {page}")


def main() -> None:
    known = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--table-only", action="store_true", help="only write the page")
    parser.add_argument("--smoke", action="store_true", help="only to see that they run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the page goes there, too")
    arguments = parser.parse_args()
    if arguments.smoke and arguments.results == RESULTS:
        parser.error("--smoke would overwrite real numbers: name another folder by --results")
    extra = ["--smoke"] if arguments.smoke else []
    extra += ["--results", str(arguments.results.resolve())]
    failed = []
    for name in [] if arguments.table_only else arguments.names or known:
        print(f"== {name}", flush=True)
        command = [sys.executable, str(HERE / f"bench_{name}.py"), *extra]
        if subprocess.run(command, cwd=HERE.parent).returncode:
            failed.append(name)
    own = arguments.results == RESULTS
    write_page(arguments.results, PAGE if own else arguments.results / PAGE.name)
    if failed:
        sys.exit(f"did not end well: {', '.join(failed)}")


if __name__ == "__main__":
    main()
