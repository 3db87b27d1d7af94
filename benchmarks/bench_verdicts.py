"""How often "met" is said, and how often it is wrong: searches replayed on recorded networks.

The tables (`record_verdicts.py`) hold which samples 130 compressed LeNets get right on MNIST and
on digits. A replay draws plans in random order, as a search that asks for 24 would, holds them
against a demand, tests the finalists on the held-back samples and then looks at the test images.

    python benchmarks/bench_verdicts.py [--smoke] [--results FOLDER]
"""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import resolve_limits, reward
from adadeep.core.scores import SampleScores
from adadeep.core.search import GoalScore
from adadeep.core.trial import Trial, TrialState
from adadeep.core.verdict import VerdictState
from adadeep.storage.journal import Journal
from adadeep.storage.records import Artifact, TrialRecord, content_key
from adadeep.study.contest import Contest
from adadeep.study.finalists import conclude
from adadeep.study.results import StudyResult
from adadeep.study.verdicts import Judge
from record import Row, options, save

RECORDED = Path(__file__).parents[1] / "tests" / "data" / "recorded"
EPISODES = 24
LOSSES = (0.005, 0.01, 0.02, 0.03)
STORAGE_SHARES = (1.0, 0.3)  # of the initial network's S_p
SEEDS = range(5)
_TIME_NOISE = 0.01  # half the width of a latency's interval
_SPEC = ModelSpec("recorded", (1,), ())  # a stand-in: costs are taken from the table


@dataclass(frozen=True)
class Recorded:
    """A network of the table; its samples by part: "search", "held", "test"."""

    plan: CompressionPlan
    cost: Cost
    correct: dict[str, SampleScores]


@dataclass(frozen=True)
class Replay:
    """What one replayed search said.

    Attributes:
        limit: of the accuracy loss.
        called: the winner's verdict on the accuracy.
        whole: on all limits.
        acceptable: whether a search would end with exit code 0.
        test_loss: the winner's on the test images.
        attainable: whether a plan that was tried keeps the costs and loses half the limit or
            less on the test images.
    """

    limit: float
    called: VerdictState
    whole: VerdictState
    acceptable: bool
    test_loss: float
    attainable: bool


@functools.cache
def table(task: str) -> tuple[Recorded, ...]:
    """The recorded networks, the initial one first."""
    with np.load(RECORDED / f"{task}-lenet.npz", allow_pickle=False) as members:
        about = json.loads(members["about"].tobytes())
        packed = {name: members[name] for name in ("search", "held", "test")}
    rows = []
    for number, row in enumerate(about["plans"]):
        correct = {
            name: SampleScores.of(np.unpackbits(bits[number], count=about["counts"][name]) > 0)
            for name, bits in packed.items()
        }
        rows.append(Recorded(_plan(row["plan"]), _cost(row), correct))
    return tuple(rows)


def _plan(content: dict[str, Any]) -> CompressionPlan:
    choices = []
    for layer, settings in content["layers"].items():
        parameters = tuple((k, v) for k, v in settings.items() if k != "technique")
        choices.append((layer, LayerChoice(settings["technique"], parameters)))
    return CompressionPlan(tuple(choices), content["precision"])


def _cost(row: dict[str, Any]) -> Cost:
    latency = 1e-7 * row["macs"]  # a stand-in: what is tried here is the accuracy
    ends = (latency * (1 - _TIME_NOISE), latency * (1 + _TIME_NOISE))
    return Cost(
        Quantity(latency, Provenance.MEASURED, "stand-in", (), *ends),
        Quantity(row["energy_mj"], Provenance.ANALYTIC, "Eq. 5"),
        row["storage_bytes"], 0.0, row["file_bytes"], row["macs"],
    )  # fmt: skip


def replay(task: str, demanded: tuple[float, float], seed: int, folder: Path) -> Replay:
    """One search: the initial network and `EPISODES` others of the table, then the finalists."""
    max_loss, storage_share = demanded
    initial, *others = table(task)
    order = np.random.default_rng(seed).permutation(len(others))[:EPISODES]
    tried = [initial, *(others[number] for number in order)]
    demand = UserDemand(
        max_accuracy_loss=max_loss,
        max_storage_bytes=storage_share * initial.cost.storage_bytes,
    )
    limits = resolve_limits(demand, initial.correct["search"].quality, initial.cost)
    with Journal.open(folder) as journal:
        journal.begin({"task": f"recorded {task}"})
        scored = []
        for row in tried:
            trial = _recorded(journal, row)
            assert trial.accuracy is not None
            earned = reward(demand, limits, trial.accuracy, row.cost)
            scored.append(GoalScore(trial, earned))
        judge = Judge(max_loss, limits, scored[0], journal.content)
        contest = Contest(judge, StudyResult(limits, scored[0], tuple(scored)))
        by_key = {row.plan.key: row for row in tried}
        [conclusion] = conclude(
            [contest], journal, lambda s: by_key[s.trial.plan.key].correct["held"]
        )
    right = initial.correct["test"].quality
    lost = {row.plan.key: right - row.correct["test"].quality for row in tried}
    attainable = any(
        lost[s.trial.plan.key] <= max_loss / 2
        and all(v.state is VerdictState.MET for name, v in found if name != "accuracy_loss")
        for s in scored[1:]
        if (found := judge.verdicts(s)) is not None
    )
    verdicts = conclusion.of_winner
    loss = lost[conclusion.winner.trial.plan.key]
    called, whole = verdicts.accuracy_loss.state, verdicts.state
    return Replay(max_loss, called, whole, conclusion.is_acceptable, loss, attainable)


def _recorded(journal: Journal, row: Recorded) -> Trial:
    """A network of the table as a trial of the journal."""
    plan, correct, sha256 = row.plan, row.correct["search"], 4 * row.plan.key
    key, size = content_key("recorded", plan), row.cost.file_bytes or 1
    journal.add(Artifact(key, plan.key, sha256, size, correct.quality, correct, _SPEC))
    journal.add(TrialRecord(plan, key))
    return Trial(plan, TrialState.COMPLETE, correct.quality, row.cost, model_sha256=sha256)


def replays(task: str, seeds: range = SEEDS) -> Iterator[Replay]:
    """Every demand with every seed: 40 of them."""
    with tempfile.TemporaryDirectory() as folder:
        for demanded in itertools.product(LOSSES, STORAGE_SHARES):
            for seed in seeds:
                name = "-".join(map(str, (*demanded, seed)))
                yield replay(task, demanded, seed, Path(folder) / name)


def summary(done: list[Replay]) -> dict[str, int]:
    """Counts: how often "met" was called, wrongly, and where it was to be had."""
    met = [r for r in done if r.whole is VerdictState.MET]
    attainable = [r for r in done if r.attainable]
    return {
        "replays": len(done),
        "met": len(met),
        "open": sum(r.whole is VerdictState.OPEN for r in done),
        "broken": sum(r.whole is VerdictState.BROKEN for r in done),
        "wrong": sum(r.test_loss > r.limit for r in met),
        "acceptable": sum(r.acceptable for r in done),
        "acceptable_wrong": sum(r.acceptable and r.test_loss > r.limit for r in done),
        "attainable": len(attainable),
        "attained": sum(r.whole is VerdictState.MET for r in attainable),
    }


def rows_of(task: str, done: list[Replay]) -> list[Row]:
    """The rows of one task."""
    counts = summary(done)
    share = counts["attained"] / counts["attainable"] if counts["attainable"] else 1.0
    said = ", ".join(f"{counts[state]} {state}" for state in ("met", "open", "broken"))
    promised = task == "mnist"  # digits has 179 held-back images: few losses can be told there
    return [
        Row(f"{task}: replays", counts["replays"], "", detail=said),
        Row(f"{task}: met, but over the limit on test", counts["wrong"], "", 4),
        Row(
            f"{task}: exit 0 (met, or open and within), over it on test",
            counts["acceptable_wrong"], "", detail=f"of {counts['acceptable']}",
        ),
        Row(
            f"{task}: met where half the limit was tried", 100 * share, "%",
            80 if promised else None, at_least=True, detail=f"of {counts['attainable']}",
        ),
    ]  # fmt: skip


def main() -> None:
    chosen = options(__doc__)
    rows = []
    for task in ("mnist", "digits"):
        done = list(replays(task, range(1) if chosen.smoke else SEEDS))
        for limit in LOSSES:
            some = Counter(str(r.whole) for r in done if r.limit == limit)
            print(f"{task}, loss {limit:.1%}: {dict(some)}")
        rows += rows_of(task, done)
    save(chosen, "verdicts", "Verdicts on replayed searches", rows)


if __name__ == "__main__":
    main()
