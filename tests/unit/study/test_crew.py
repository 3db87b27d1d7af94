"""Who carries out a study's jobs: what is read of the store, and when."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.storage.artifacts import ArtifactStore
from adadeep.study.crew import DeviceBench, StudyCrew
from adadeep.study.jobs import MakeJob, MeasureJob
from adadeep.study.references import SHARP, sharp_model
from adadeep.study.trainer import Answer
from adadeep.study.worker_messages import Made
from adadeep.testing.measurements import together
from fakes.lenet_spec import lenet_spec
from fakes.search_parts import target_record

RECORD = target_record()


class Meter:
    def __init__(self):
        self.measured = []

    def measure(self, models, plan, launches=1):
        self.measured.append(models)
        return together(models)


@pytest.fixture
def world(tmp_path, monkeypatch):
    store, meter, read = ArtifactStore(tmp_path), Meter(), []
    names = [store.put(f"model {number}".encode()) for number in range(4)]
    real = ArtifactStore.get
    monkeypatch.setattr(
        ArtifactStore, "get", lambda self, name: read.append(name) or real(self, name)
    )
    bench = DeviceBench(RECORD, meter, "training")
    crew = StudyCrew(None, {RECORD.key: bench}, store, lambda _: None)

    def measure(*numbers):
        models = tuple(SHARP if number is None else names[number] for number in numbers)
        return crew.measure(MeasureJob(CompressionPlan(), RECORD.key, models, "training"))

    return SimpleNamespace(measure=measure, meter=meter, read=read, names=names, store=store)


def test_what_is_odd_about_a_network_is_said(tmp_path):
    scores, said = SampleScores.of(np.ones(5, np.bool_)), []
    (tmp_path / "m.tflite").write_bytes(b"a model")
    made = Made(str(tmp_path / "m.tflite"), None, scores, lenet_spec(), ("it guesses",))
    trainer = SimpleNamespace(start=lambda _: None, finished=lambda _: Answer(None, made, None))
    crew = StudyCrew(trainer, {}, ArtifactStore(tmp_path / "s"), lambda _: None, said.append)
    crew.start(MakeJob(CompressionPlan(), "training"))
    assert crew.finished(0.0).result.scores == scores
    assert said == ["it guesses"]


def test_references_that_come_again_are_read_once(world):
    for candidate in (1, 2, 3):
        assert world.measure(candidate, None, 0).error is None
    assert world.read == [world.names[number] for number in (1, 0, 2, 3)]
    references = {id(models[2]) for models in world.meter.measured}
    assert len(references) == 1  # the same object: it needs no hash again either
    assert [models[1] for models in world.meter.measured] == [sharp_model()] * 3
    shas = [hashlib.sha256(models[0]).hexdigest() for models in world.meter.measured]
    assert shas == world.names[1:]


def test_what_was_no_reference_in_the_last_session_is_read_again(world):
    for models in ((1, 0), (2, 3), (1, 0)):
        world.measure(*models)
    assert world.read == [world.names[number] for number in (1, 0, 2, 3, 1, 0)]


def test_a_model_that_has_gone_is_said(world):
    world.store.path(world.names[1]).unlink()
    error = world.measure(1, 0).error
    assert isinstance(error, ConfigError)
    assert "has gone from the run's folder" in str(error)
