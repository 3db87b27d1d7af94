"""What a search hands its sampler of a profiled device: T of plans, from their outlines."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from adadeep.compress.registry import TECHNIQUES
from adadeep.core.demand import UserDemand
from adadeep.core.errors import ConfigError
from adadeep.core.layers import LayerKind
from adadeep.core.plan import CompressionPlan, LayerChoice
from adadeep.core.reward import Limits
from adadeep.core.search import Goal, TargetKnowledge
from adadeep.core.space import build_space
from adadeep.search.world import World
from adadeep.storage.journal import Journal
from adadeep.storage.records import Session
from adadeep.study import builder
from adadeep.study.bench import Bench
from adadeep.study.config import StudyConfig
from adadeep.study.expected_time import GUESSED, with_expected_time
from adadeep.study.known import KnownBeforehand
from adadeep.testing.measurements import target
from fakes.lenet_spec import lenet_spec
from fakes.profiled import lawful, lawful_ms, profile
from fakes.search_parts import FACTS, FakeBench, Watching
from fakes.worlds import scored

SPEC = lenet_spec(8)
LOOSE = Limits(0.5, 1e3, 1e3, 1e9)
SVD = CompressionPlan((("fc1", TECHNIQUES.get("W1f").choices(SPEC.layer("fc1"))[0]),))
KNOWN = KnownBeforehand(SPEC, knows_energy=True)
SPACE = build_space(SPEC, list(TECHNIQUES.usable().values()), ("float32", "int8"))


def knowledge(*entries):
    return TargetKnowledge(FACTS, profile(*entries))


def time_prior(found, space=SPACE, used=lambda: None, of=None):
    return with_expected_time(found, of or target(), space, KNOWN.network, used).time_prior


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_plan_is_expected_to_take_what_the_layers_of_its_outline_do(precision):
    # The same for all kinds: of pools there are too few for a fit of their own.
    law = dict.fromkeys(LayerKind, (2e-6, 3e-6, 0.5))
    tell = time_prior(knowledge(*lawful(law=law)))
    plan = replace(SVD, precision=precision)
    layers = [one for one in KNOWN.network(plan).layers if one.kind is not LayerKind.RESHAPE]
    assert "fc1" not in {layer.name for layer in layers}
    expected = sum(lawful_ms(layer, precision, law) for layer in layers)
    assert tell(plan) == pytest.approx(expected, rel=1e-3)
    assert tell(plan) != tell(CompressionPlan((), precision))


def test_a_plan_without_an_outline_is_not_told():
    tell = time_prior(knowledge(*lawful()))
    threshold = LayerChoice("W3", (("layout", "unstructured"), ("threshold", 0.001)))
    assert tell(CompressionPlan((("fc1", threshold),))) is None
    assert tell(CompressionPlan((("conv1", LayerChoice("L3")),))) is None
    with pytest.raises(ConfigError):
        tell(CompressionPlan((), "float8"))


def test_without_a_table_for_the_target_nothing_is_expected():
    entries = lawful()
    assert time_prior(TargetKnowledge(FACTS)) is None
    assert time_prior(knowledge()) is None
    assert time_prior(knowledge(*lawful(threads=4))) is None
    assert time_prior(knowledge(*entries), of=replace(target(), runtime="other")) is None
    settings = replace(target().settings, threads=2)
    assert time_prior(knowledge(*entries), of=replace(target(), settings=settings)) is None


def test_a_table_that_lacks_a_precision_of_the_space_is_not_used():
    half = knowledge(*lawful(precisions=("float32",)))
    assert time_prior(half) is None
    only = build_space(SPEC, list(TECHNIQUES.usable().values()), ("float32",))
    assert time_prior(half, only)(CompressionPlan()) > 0


def test_that_it_is_used_is_said_at_the_first_question_only():
    said = []
    tell = time_prior(knowledge(*lawful()), used=lambda: said.append(1))
    assert not said
    tell(SVD)
    tell(CompressionPlan())
    tell(SVD)
    assert said == [1]


# ---- what the sampler of a search gets


class Recording:
    """A kind of sampler that keeps the contexts it was given."""

    presets = ("default",)

    def __init__(self):
        self.contexts = []

    def make(self, context):
        self.contexts.append(context)
        return self


@pytest.fixture
def kind(monkeypatch):
    kind = Recording()
    monkeypatch.setattr(builder, "SAMPLERS", SimpleNamespace(get=lambda name: kind))
    return kind


def make_sampler(folder, kind, *found):
    """As a search does once the initial network is measured; gives its notes."""
    benches = [FakeBench(f"Box {n}", str(n) * 16) for n in range(len(found))]
    devices = {bench.record.key: bench for bench in benches}
    watching, opened = Watching(), SimpleNamespace(spec=SPEC, basis="b")
    with Journal.open(folder) as journal:
        journal.begin({"task": "fake"})
        for bench in benches:
            journal.defer(bench.record)
        demands = {key: UserDemand() for key in devices}
        journal.defer(Session("recording", "default", 0, 1, demands))
        bench = Bench(
            folder, journal, None, devices, dict(zip(devices, found, strict=True)), demands
        )
        trainer = SimpleNamespace(opened=opened)
        search = builder._Search(StudyConfig("digits"), bench, trainer, None, watching)
        goals = tuple(Goal(key, UserDemand(), LOOSE) for key in devices)
        for _ in range(2):  # the second as after a sampler that asks otherwise
            search._sampler(goals, scored(CompressionPlan(), 0.0))
    return watching.notes


def test_a_search_on_a_profiled_device_hands_its_sampler_a_prior(tmp_path, kind):
    notes = make_sampler(tmp_path / "run", kind, knowledge(*lawful()), TargetKnowledge(FACTS))
    first, second = kind.contexts[0].targets
    assert notes == []  # nobody asked yet
    assert 0 < first.time_prior(SVD) < first.time_prior(CompressionPlan())
    assert first.profile is not None
    assert second == TargetKnowledge(FACTS)


def test_that_the_prior_is_used_is_said_once_of_all_devices(tmp_path, kind):
    both = [knowledge(*lawful()), knowledge(*lawful())]
    notes = make_sampler(tmp_path / "run", kind, *both)
    for context in kind.contexts:
        for known in context.targets:
            known.time_prior(SVD)
    assert notes == [GUESSED]


def test_a_search_on_another_device_hands_none(tmp_path, kind):
    notes = make_sampler(tmp_path / "run", kind, TargetKnowledge(FACTS), knowledge())
    assert [known.time_prior for known in kind.contexts[0].targets] == [None, None]
    assert notes == []


def test_the_world_model_expects_what_the_profile_tells(tmp_path, kind):
    law = dict.fromkeys(LayerKind, (2e-6, 3e-6, 0.5))
    make_sampler(tmp_path / "run", kind, knowledge(*lawful(law=law)))
    context = kind.contexts[0]
    tell, world = context.targets[0].time_prior, World(context)
    rows = np.array([context.space.decisions(plan) for plan in (CompressionPlan(), SVD)])
    _, (latency_ms, *_) = world.quantities(rows, world.mean().weights)
    ratio = latency_ms[0, 1] / latency_ms[0, 0]
    assert ratio == pytest.approx(tell(SVD) / tell(CompressionPlan()), rel=1e-6)
    macs = [KNOWN(plan).macs for plan in (CompressionPlan(), SVD)]
    assert abs(macs[1] / macs[0] - ratio) > 0.01
