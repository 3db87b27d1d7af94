"""From the journals of `record_truth.py` to the tables that `recorded.py` reads."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import PRECISIONS, of_a_search
from adadeep.core.layers import ModelSpec
from adadeep.core.space import SearchSpace, build_space
from adadeep.profiles import files
from adadeep.profiles.time_prior import ProfileTimePrior, measured_ways
from adadeep.study.expected_time import ExpectedTime
from adadeep.study.known import KnownBeforehand
from search.spaces import plan_of, some, space_content

MEMBERS = ("search", "held", "test")
_VALIDATING = 2000  # of the validation data, as study/maker.py takes

Row = dict[str, Any]


@dataclass(frozen=True)
class About:
    """What the rows of a journal are about; the actions are those of this version.

    Attributes:
        task: its name.
        initial: the network that plans compress.
        counts: samples, by member.
    """

    task: str
    initial: ModelSpec
    counts: dict[str, int]

    @property
    def space(self) -> SearchSpace:
        """Of all plans."""
        techniques = list(TECHNIQUES.usable().values())
        return build_space(self.initial, techniques, of_a_search())


def described(task: str, seed: int, initial: Path) -> About:
    """The network and the data of a recording; loads Keras.

    Args:
        task: its name.
        seed: of the training.
        initial: the trained network's file.
    """
    from adadeep.study.maker import KerasMaker
    from adadeep.study.worker_messages import OpenTask
    from adadeep.training.tasks import load_task

    if not initial.exists():
        raise SystemExit(f"{initial} is missing: pack where the recording was made")
    spec = KerasMaker.open(OpenTask(task, seed, str(initial), goes_on=True), print).spec
    data = load_task(task).data
    held, test = some(data.x_held, task), some(data.x_test, task)
    counts = min(len(data.x_val), _VALIDATING), len(held), len(test)
    return About(task, spec, dict(zip(MEMBERS, counts, strict=True)))


def expected_times(known: KnownBeforehand) -> dict[str, ExpectedTime]:
    """T as the library's profiles "board" and "local" let expect it; by those names."""
    found = {}
    for name in ("board", "local"):
        if not files.exists(name):
            print(f"no profile {name}: record_truth.py profile makes it")
            continue
        profile = files.load(name)
        prior = ProfileTimePrior.of(profile, measured_ways(profile)[0], PRECISIONS.usable())
        if prior is not None:
            found[name] = ExpectedTime(prior, known.network)
    return found


def write(path: Path, about: About, rows: list[Row], on_board: dict[str, float]) -> None:
    """Writes the table of a recording.

    Args:
        path: of the .npz.
        about: the recording.
        rows: of its journal; where a plan is twice, the last one counts.
        on_board: latency in ms by the plan's key.
    """
    rows = list({row["key"]: row for row in rows}.values())
    made = [dict(row) for row in rows if "error" not in row]
    members = {member: _bits(made, member, about.counts[member]) for member in MEMBERS}
    known = KnownBeforehand(about.initial, knows_energy=True)
    expected = expected_times(known)
    for row in made:
        row["expected_ms"] = {name: of(plan_of(row["plan"])) for name, of in expected.items()}
        beforehand = known(plan_of(row["plan"]))
        row["known"] = asdict(beforehand) if beforehand else None
        row["board_ms"] = on_board.get(row["key"])
    space = about.space
    for row in rows:
        space.decisions(plan_of(row["plan"]))  # or it was recorded with another set of actions
    content = {
        "task": about.task,
        "counts": about.counts,
        "space": space_content(space),
        "plans": made,
        "errors": {row["key"]: row["error"] for row in rows if "error" in row},
    }
    path.parent.mkdir(exist_ok=True)
    text = np.frombuffer(json.dumps(content).encode(), np.uint8)
    np.savez_compressed(path, about=text, **members)


def _bits(rows: list[Row], member: str, count: int) -> Any:
    """(rows, bytes) of uint8; takes them out of the rows."""
    packed = [np.frombuffer(base64.b64decode(row.pop(member)), np.uint8) for row in rows]
    lengths = {len(one) for one in packed}
    if lengths - {-(-count // 8)}:
        raise SystemExit(f"{member}: {lengths} bytes a plan, for {count} samples")
    return np.stack(packed)
