"""A worker process without TensorFlow: makes "networks" by the plan, and dies where it is told to.

Run as the real one is; its habits come by environment variables.
"""

import os
import signal
import sys
from pathlib import Path

import msgspec
import numpy as np

from adadeep.core.correct import CorrectSamples
from adadeep.core.errors import TechniqueNotApplicable
from adadeep.core.layers import LayerKind, LayerSpec, ModelSpec
from adadeep.study import worker
from adadeep.study.worker_messages import Judge, Judged, Made, Make, Opened, OpenTask, Stage

SPEC = ModelSpec("toy", (4,), (LayerSpec("fc", LayerKind.DENSE, (4,), (2,), weights=10),))


class ToyWorker(worker.Worker):
    def _done(self, request):
        note = Path(os.environ["TOY_NOTES"])
        with note.open("a") as file:
            file.write(type(request).__name__ + "\n")
        if isinstance(request, OpenTask):
            print("a stray print")  # must not spoil the channel
            self._send(Stage("opening"))
            return Opened(SPEC, "basis")
        if isinstance(request, Judge):
            return Judged(CorrectSamples.of(np.ones(5, np.bool_)))
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
        correct = CorrectSamples.of(np.ones(5, np.bool_))
        return Made(str(path), None, correct, SPEC)


if __name__ == "__main__":
    worker.Worker = ToyWorker
    assert msgspec
    sys.exit(worker.main())
