"""A worker process without TensorFlow: makes "networks" by the plan, and dies where it is told to.

Run as the real one is; its habits come by environment variables. With the habit "whole study" it
serves a whole search: of a LeNet, its models run, and the notes tell what was trained.
"""

import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.storage.records import content_key
from adadeep.study import worker
from adadeep.study.known import KnownBeforehand
from adadeep.study.worker_messages import (
    Judge,
    Judged,
    Made,
    Make,
    Opened,
    OpenTask,
    Sample,
    Sampled,
    Stage,
)
from fakes.lenet_spec import lenet_spec
from fakes.tflite_models import Input, relu

SPEC = ModelSpec("toy", (4,), (LayerSpec("fc", LayerKind.DENSE, (4,), (2,), weights=10),))


class ToyWorker(worker.Worker):
    def _done(self, request):
        note = Path(os.environ["TOY_NOTES"])
        with note.open("a") as file:
            goes_on = getattr(request, "goes_on", False)
            file.write(type(request).__name__ + (" goes_on" if goes_on else "") + "\n")
        if isinstance(request, OpenTask):
            if request.others:
                os.kill(os.getpid(), signal.SIGSEGV)  # over the file of another run
            print("a stray print")  # must not spoil the channel
            self._send(Stage("opening"))
            return Opened(SPEC, "basis")
        if isinstance(request, Judge):
            return Judged(SampleScores.of(np.ones(5, np.bool_)))
        assert isinstance(request, Make)
        return self._make(request, note.read_text().count("Make"))

    def _make(self, request, count):
        habit = os.environ.get("TOY_HABIT", "")
        if habit == "dies always" or (habit == "dies once" and count == 1):
            os.kill(os.getpid(), signal.SIGSEGV)
        if habit == "refuses":
            raise TechniqueNotApplicable("W9 can't be applied.")
        if habit == "raises":
            raise ValueError("a tensor was lost")
        path = Path(request.folder) / f".part.{request.plan.key}.tflite"
        path.write_bytes(b"a model")
        scores = SampleScores.of(np.ones(5, np.bool_))
        return Made(str(path), None, scores, SPEC)


class StudyWorker(ToyWorker):
    def _done(self, request):
        if isinstance(request, OpenTask):
            return self._open(request)
        if isinstance(request, Make):
            return self._make(request, 0)
        if isinstance(request, Sample):
            return self._sample(request)
        return Judged(SampleScores.of(np.arange(400) < 390))

    def _open(self, request):
        path, taken = Path(request.initial), None
        if not (request.goes_on and path.exists()):
            key = content_key(f"seed {request.seed}", CompressionPlan())
            taken = next((one.path for one in request.others if one.key == key), None)
            if taken is None:
                self._train("the initial network")
            path.write_bytes(b"initial network")
        return Opened(lenet_spec(), f"seed {request.seed}", None, taken)

    def _train(self, what):
        with Path(os.environ["TOY_NOTES"]).open("a") as file:
            file.write(f"{what}\n")
        time.sleep(float(os.environ.get("TOY_TRAINING_S", "0")))

    def _make(self, request, count):
        plan, folder = request.plan, Path(request.folder)
        if plan != CompressionPlan():
            self._train(plan.label)
        model = folder / f".part.{plan.key}.tflite"
        model.write_bytes(relu(Input(plan.key, "FLOAT32", (1, 4))))
        network = folder / f".part.{plan.key}.keras" if plan.choices else None
        if network:
            network.write_bytes(plan.canonical_json.encode())
        spec = KnownBeforehand(lenet_spec(), True).network(plan) or lenet_spec()
        right = 395 - int(plan.key, 16) % 9
        scores = SampleScores.of(np.arange(400) < right)
        return Made(str(model), str(network) if network else None, scores, spec)

    def _sample(self, request):
        path = Path(request.folder) / ".part.samples.npz"
        some = np.zeros((request.count, 4), np.float32)
        np.savez(path, inputs=some, labels=some[:, 0], **dict.fromkeys(request.models, some))
        return Sampled(str(path))


if __name__ == "__main__":
    if os.environ.get("TOY_HABIT") == "whole study":
        ToyWorker = StudyWorker
    worker.Worker = ToyWorker
    assert msgspec
    sys.exit(worker.main())
