"""Stand-ins have every member of the protocol that they stand for, so that none rots."""

import sys
from pathlib import Path

import pytest
from adadeep.study.evaluate import NetworkMaker

from adadeep.core.agent_kind import ReadyAgent
from adadeep.core.protocols import Technique
from adadeep.measure.meter import LatencyMeter
from adadeep.study.study import StudyObserver
from adadeep.testing.spaces import FIRE
from fakes.search_parts import FakeMaker, FakeMeter, Watching
from fakes.toy_agent import ToyAgent

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def members(protocol):
    return {
        name
        for base in protocol.__mro__
        for name in (*vars(base).get("__annotations__", {}), *vars(base))
        if not name.startswith("_") and base.__module__.startswith("adadeep")
    }


def table_technique():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from bench_search import TableTechnique
    finally:
        sys.path.remove(str(BENCHMARKS))
    return TableTechnique("W1f", "", (), ())


@pytest.mark.parametrize(
    ("make", "protocol"),
    [
        (lambda: FIRE, Technique),
        (table_technique, Technique),
        (FakeMaker, NetworkMaker),
        (FakeMeter, LatencyMeter),
        (Watching, StudyObserver),
        (lambda: ToyAgent(None), ReadyAgent),
    ],
    ids=[
        "technique of the tests",
        "technique of the benchmark",
        "maker",
        "meter",
        "observer",
        "agent",
    ],
)
def test_a_stand_in_has_every_member_of_its_protocol(make, protocol):
    wanted = members(protocol)
    assert wanted
    assert {name for name in wanted if not hasattr(make(), name)} == set()
