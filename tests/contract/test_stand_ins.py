"""Stand-ins have every member of the protocol that they stand for, so that none rots."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest

from adadeep.core.agent_kind import ReadyAgent
from adadeep.core.clock import Clock
from adadeep.core.protocols import Technique
from adadeep.core.sampler import Sampler
from adadeep.storage.artifacts import ArtifactStore
from adadeep.study.jobs import Crew
from adadeep.study.pipeline import TargetBench
from adadeep.study.study import StudyObserver
from adadeep.testing.spaces import FIRE
from fakes.clock import HandClock
from fakes.search_parts import FakeBench, FakeCrew, Watching
from fakes.toy_agent import ToyAgent
from unit.study.test_study import ScriptedSampler

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def members(protocol):
    return {
        name
        for base in protocol.__mro__
        for name in (*vars(base).get("__annotations__", {}), *vars(base))
        if not name.startswith("_") and base.__module__.startswith("adadeep")
    }


def of_benchmark(module, name, *arguments):
    """Makes a stand-in of a benchmark."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return getattr(importlib.import_module(module), name)(*arguments)
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize(
    ("make", "protocol"),
    [
        (lambda: FIRE, Technique),
        (lambda: of_benchmark("search.formula", "TableTechnique", "W1f", "", (), ()), Technique),
        (lambda: ScriptedSampler([]), Sampler),
        (lambda: FakeCrew([FakeBench()], ArtifactStore(Path("models"))), Crew),
        (FakeBench, TargetBench),
        (Watching, StudyObserver),
        (lambda: of_benchmark("bench_overlap", "Timing"), StudyObserver),
        (lambda: ToyAgent(None), ReadyAgent),
        (HandClock, Clock),
    ],
    ids=[
        "technique of the tests",
        "technique of the benchmark",
        "sampler",
        "crew",
        "bench",
        "observer",
        "observer of the benchmark",
        "agent",
        "clock",
    ],
)
def test_a_stand_in_has_every_member_of_its_protocol_and_takes_what_it_takes(make, protocol):
    wanted = members(protocol)
    assert wanted
    made = make()
    assert {name for name in wanted if not hasattr(made, name)} == set()
    for name in wanted:
        method = vars(protocol).get(name)
        if inspect.isfunction(method):
            given = list(inspect.signature(method).parameters.values())[1:]
            needed = [one for one in given if one.default is one.empty]
            for asked in (given, needed):
                inspect.signature(getattr(made, name)).bind(*asked)
