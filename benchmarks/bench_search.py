"""How good the best plan is after so many evaluations, by sampler: replayed on tables of costs.

Recorded tables (`search/record_truth.py`) and tables made by a formula (`search/formula.py`), each
with several demands (`search/demands.py`); `search/judging.py` says what regret is. No device is
used. Samplers other than dqn and planner are stored (results/search_baselines.json) and replayed
where they are named, or by --all.

    python benchmarks/bench_search.py [--smoke] [--results FOLDER] [--all]
        [--table TEXT] [--sampler TEXT] [--seeds N] [--episodes N] [--processes N]
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes replay; before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from record import RESULTS, Options, content_of, show, write
from search import formula, targets
from search.contenders import CHOOSE, OWN, contenders
from search.judging import stored_optima
from search.pages import BEST_HEARD, page, printed
from search.replay import (
    Cell,
    Contender,
    best_of_heard,
    cells,
    curves,
    find_optima,
    validation_runs,
)
from search.report import CellSummary, Points, summaries, summarised
from search.stored import StoredCurves

SEEDS, EPISODES = 3, 40
BASELINES = "search_baselines.json"
TITLE = "Searches replayed on tables: targets"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds only; its numbers are bad")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON")
    parser.add_argument("--all", action="store_true", help="replay baselines too: an hour or two")
    parser.add_argument("--table", default="", help="only tables whose name holds this")
    parser.add_argument("--sampler", default="", help="only those whose name holds this")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of tables and samplers")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="evaluations of a run")
    parser.add_argument("--processes", type=int, help="at a time; as many as there are cores")
    chosen = parser.parse_args()
    if chosen.smoke:
        chosen.seeds, chosen.episodes, chosen.all = 1, 5, True
    return chosen


def chosen_cells(chosen: argparse.Namespace) -> list[Cell]:
    every = cells(formula.SOURCES[:1]) if chosen.smoke else cells()
    return [cell for cell in every if chosen.table in cell.source.name]


def compare(chosen: argparse.Namespace, of: list[Cell]) -> dict[str, dict[str, CellSummary]]:
    """Summaries by sampler and cell: replayed, or stored."""
    store = StoredCurves(chosen.results / BASELINES)
    found = {}
    for name, make in contenders().items():
        if chosen.sampler not in name:
            continue
        afresh = chosen.all or name in OWN
        wanted = chosen.seeds, chosen.episodes
        known = {} if afresh else store.known(name, of, *wanted, fewer=not chosen.sampler)
        left = [cell for cell in of if cell.name not in known]
        if left and not (afresh or chosen.sampler):
            print(f'{name}: {len(left)} of {len(of)} cells are not stored as they are now; left'
                  f' out: --sampler "{name}" replays them')  # fmt: skip
            continue
        runs = [run for of_cell in known.values() for run in of_cell]
        found[name] = summarised([*runs, *replayed(name, make, left, chosen, store)])
    return found


def replayed(
    name: str,
    make: Contender,
    of: list[Cell],
    chosen: argparse.Namespace,
    store: StoredCurves,
) -> list[Points]:
    """Runs of a sampler; a baseline's are stored."""
    if not of:
        return []
    start = time.monotonic()
    choose = CHOOSE.get(name, best_of_heard)
    seeds = range(chosen.seeds)
    found = curves(make, of, seeds, chosen.episodes, chosen.processes, choose)
    runs = [Points.of(run) for run in found]
    print(f"{name}: replayed in {time.monotonic() - start:.0f} s", flush=True)
    if name not in OWN:
        store.keep(name, of, runs, chosen.episodes)
    return runs


def main() -> None:
    chosen = arguments()
    of = chosen_cells(chosen)
    if chosen.all and not (chosen.smoke or chosen.table or chosen.sampler):
        stored_optima().forget()
    find_optima(of, range(chosen.seeds), keep=not chosen.smoke)
    found = compare(chosen, of)
    if bound := summaries(validation_runs(of, chosen.episodes)):
        found[BEST_HEARD] = bound
    print(printed(found))
    reached = targets.rows(found)
    show(TITLE, reached)
    content = {
        **content_of("search", TITLE, reached),
        "seeds": chosen.seeds,
        "episodes": chosen.episodes,
        "results": page(found),
        "cells": {
            name: {cell: asdict(one) for cell, one in of_cells.items()}
            for name, of_cells in found.items()
            if name in OWN
        },
    }
    whole = not (chosen.table or chosen.sampler)  # part of it would take the place of the whole
    if whole:
        write(Options(chosen.smoke, chosen.results), "search", content)


if __name__ == "__main__":
    main()
