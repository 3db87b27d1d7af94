"""How long a search asks: the time of one ask and tell, on one core with one BLAS thread.

The median over a search of 25 plans, each told before the next ask. What the DQN learns is left
out: it learns while a plan is tried. Time is the processor's, so that what else runs here counts
less. Spaces: a recorded LeNet, conv6 (`search/formula.py`), and 30 layers with 10 techniques of 2
settings on each.

    python benchmarks/bench_ask.py [--smoke] [--results FOLDER]
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from adadeep.core.sampler import Sampler
from adadeep.core.search import Stop
from adadeep.search.dqn.config import ImaginationConfig
from adadeep.search.dqn.planning import PlanningDqnSampler
from adadeep.search.planner import PlannerSampler
from record import Row, options, save
from search import formula, recorded
from search.deep import deep_table
from search.demands import DEMANDS
from search.replay import Contender, Contest
from search.table import Table

PLANS, FEW_PLANS = 25, 4
WITHOUT_LEARNING = replace(ImaginationConfig(), first_batches=0, later_batches=0)

SAMPLERS: dict[str, Contender] = {
    "planner": PlannerSampler,
    "dqn": lambda context: PlanningDqnSampler(context, WITHOUT_LEARNING),
}


# Name, the table, and what is promised in ms.
TABLES: list[tuple[str, Callable[[], Table], float | None]] = [
    ("LeNet", lambda: recorded.sources()[0].draw(0), 20.0),
    ("conv6", lambda: formula.SOURCES[1].draw(0), None),
    ("30 layers, 10 techniques", lambda: deep_table(0), 50.0),
]


def spent_ms(sampler: Sampler, contest: Contest, plans: int) -> list[float]:
    """Of each ask and tell."""
    spent = []
    for _ in range(plans):
        start = time.process_time()
        plan = sampler.ask()
        took = time.process_time() - start
        if isinstance(plan, Stop):
            break
        told = contest.skipped(plan) or contest.scored(plan)
        start = time.process_time()
        sampler.tell(told)
        spent.append(1000 * (took + time.process_time() - start))
    return spent


def main() -> None:
    chosen = options(__doc__)
    plans = FEW_PLANS if chosen.smoke else PLANS
    rows = []
    for table_name, draw, limit in TABLES:
        contest = Contest(draw(), DEMANDS[0], seed=0)
        for name, make in SAMPLERS.items():
            spent = spent_ms(make(contest.context), contest, plans)
            detail = f"{len(spent)} plans; the longest {max(spent):.0f} ms"
            what = f"{name}: one ask and tell, {table_name}"
            rows.append(Row(what, statistics.median(spent), "ms", limit, detail=detail))
    save(chosen, "ask", "Asking for a plan", rows)


if __name__ == "__main__":
    main()
