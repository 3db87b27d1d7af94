"""Whether a search knows when it is done, and whether its winners keep their limits.

Searches are replayed on the tables of `bench_search.py` for 40 plans each. `--episodes auto` is
compared with a constant number of the same mean; what the sampler said that going on may still
bring, with what came; winners are named as a study does it, and judged on the test data.

    python benchmarks/bench_ends.py [--smoke] [--results FOLDER] [--seeds N] [--processes N]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from adadeep.core.verdict import VerdictState
from record import RESULTS, Options, Row, save
from search import formula
from search.contenders import registered
from search.ends import Played, play
from search.replay import Cell, cells, cores, find_optima

SEEDS, EPISODES = 6, 40
POINTS = (5, 10, 15, 20, 25)
SAMPLER = ("dqn", "default")
MOST_OFF = 2.0  # factor between what was said and what came
MOST_BROKEN = 5.0  # % of winners called met
_LEAST = 1e-4  # of the reward: a gain that counts as none


def run(job: tuple[Cell, int, int]) -> Played | None:
    return play(registered(*SAMPLER), *job)


def by_end(group: str, done: list[Played]) -> list[Row]:
    """Of `auto`, and of a constant number."""
    ends = [one.end for one in done]
    number = max(1, round(float(np.mean(ends))))
    auto = np.mean([one.regrets[max(one.end, 1) - 1] for one in done])
    constant = float(np.mean([one.regrets[min(number, len(one.regrets)) - 1] for one in done]))
    return [
        Row(f"{group}: plans until auto ends", float(np.mean(ends)), "",
            detail=f"{min(ends)} to {max(ends)}"),
        Row(f"{group}: regret where auto ends", float(auto), "%", round(constant, 3) + 0.05,
            detail=f"limit: that of {number} plans each, and 0.05"),
    ]  # fmt: skip


def by_gain(group: str, done: list[Played]) -> list[Row]:
    """What was said and what came, in units of the reward, where something was found."""
    rows = []
    for point in POINTS:
        pairs = [
            (one.said[point], last - now)
            for one in done
            if len(one.best) > point
            and one.said[point] is not None
            and (now := one.best[point - 1]) is not None
            and (last := one.best[-1]) is not None
        ]
        if not pairs:
            continue
        said, came = (float(np.mean(values)) + _LEAST for values in zip(*pairs, strict=True))
        rows.append(
            Row(
                f"{group}: said gain over the one that came, after {point}",
                max(said / came, came / said), "times", MOST_OFF,
                detail=f"said {said:.4f}, came {came:.4f}",
            )
        )  # fmt: skip
    return rows


def of_winners(group: str, done: list[Played]) -> list[Row]:
    """On recorded tables."""
    winners = [one.winner for one in done if one.winner is not None and not one.winner.is_initial]
    rows = []
    met = [one for one in winners if one.state is VerdictState.MET]
    for name, some, limit in (
        ("called met", met, MOST_BROKEN),
        ("acceptable (met, or within as far as can be told)",
         [one for one in winners if one.is_acceptable], None),
    ):  # fmt: skip
        broken = [one for one in some if one.regret is None]
        share = 100 * len(broken) / len(some) if some else 0.0
        rows.append(
            Row(f"{group}: winners {name} that break a limit on test", share, "%", limit,
                detail=f"{len(broken)} of {len(some)}; {len(winners)} searches name a plan")
        )  # fmt: skip
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds only; its numbers are bad")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of tables and samplers")
    parser.add_argument("--processes", type=int, help="at a time; as many as there are cores")
    chosen = parser.parse_args()
    if chosen.smoke:
        chosen.seeds = 1
    return chosen


def main() -> None:
    chosen = arguments()
    of = cells(formula.SOURCES[:1])[:2] if chosen.smoke else cells()
    find_optima(of, range(chosen.seeds), keep=not chosen.smoke)
    episodes = 6 if chosen.smoke else EPISODES
    jobs = [(cell, seed, episodes) for seed in range(chosen.seeds) for cell in of]
    with multiprocessing.get_context("fork").Pool(chosen.processes or cores()) as pool:
        done = [one for one in pool.map(run, jobs, chunksize=1) if one is not None]
    rows = []
    for group in dict.fromkeys(one.group for one in done):
        own = [one for one in done if one.group == group]
        rows += [*by_end(group, own), *by_gain(group, own)]
        if group == "recorded":
            rows += of_winners(group, own)
    save(Options(chosen.smoke, chosen.results), "ends", "How searches end", rows)


if __name__ == "__main__":
    main()
