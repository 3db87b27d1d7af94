"""Makes networks with Keras and TensorFlow: the initial one once, then one for each plan."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adadeep.compress.apply import apply_plan, needs_training
from adadeep.compress.describe import model_spec, stores_sparse
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.tflite import convert
from adadeep.convert.verify import run_tflite
from adadeep.core.errors import FormatError
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.precision import Precision
from adadeep.core.reader import why
from adadeep.core.scores import SampleScores, judged
from adadeep.predict.analytic import energy_mj
from adadeep.storage.archives import open_zip
from adadeep.storage.artifacts import write_through
from adadeep.study.evaluate import MadeNetwork
from adadeep.training.fit import outputs_of
from adadeep.training.tasks import LoadedTask

INITIAL = "initial.keras"
_REPRESENTATIVE = 100  # training samples that a precision may take its ranges from
_VALIDATING = 2000  # standard error 0.3 % at 98 %; three times as many cost 2.5 s a plan
_FITTING = 500  # training samples that replaced layers are fitted to


def plan_seed(seed: int, plan: CompressionPlan) -> int:
    """The seed of a plan's training: the same whenever and wherever the plan is tried."""
    digest = hashlib.sha256(f"{seed} {plan.key}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def load_network(model: Any, path: Path) -> None:
    """Loads the weights of a network that was saved; nothing else of the file is believed.

    Raises:
        FormatError: it is damaged or of another network; says what to do.
    """
    try:
        open_zip(path).close()
        model.load_weights(path)
    except Exception as error:  # Keras, h5py and zipfile raise whatever they stumble over
        raise FormatError(
            f"{path} is damaged or of another network ({why(error)}); delete it and run the same "
            "command again: the initial network is then trained anew."
        ) from error


class KerasMaker:
    """Makes the networks of one task.

    Args:
        task: network, data, recipe and metric.
        path: of the initial network, which is kept there, trained.
        seed: of the study.
        stage: is told what is being done.
        goes_on: whether the file there, if any, is of this study; else it is written anew.
    """

    def __init__(
        self,
        task: LoadedTask,
        path: Path,
        seed: int,
        stage: Callable[[str], None] = lambda _: None,
        goes_on: bool = True,
    ) -> None:
        self._task = task
        self._path = path
        self._goes_on = goes_on
        self._seed = seed
        self._stage = stage
        data = task.data
        self._untrained = task.network.build(data.input_shape, data.classes, seed)
        self._trained: Any = None  # keras.Model

    @property
    def spec(self) -> ModelSpec:
        """What the initial network is; needs no training."""
        return model_spec(self._untrained, self._task.network.title)

    def make(self, plan: CompressionPlan) -> MadeNetwork:
        """Compresses the initial network, trains, converts and tests it.

        Raises:
            TechniqueNotApplicable: the plan can't be applied.
            ConversionError: the network did not become a .tflite.
            ConfigError: the initial network's file can't be written, or the precision is unknown.
            FormatError: it can't be read.
        """
        gc.collect()  # graphs refer to themselves: 50 MB a plan would wait for a chance collection
        precision = PRECISIONS.get(plan.precision)
        model = self._compressed(plan)
        spec = model_spec(model, plan.label, precision)
        samples = self._task.data.x_train[:_REPRESENTATIVE]
        tflite = convert(model, precision, samples, stores_sparse(model))
        return MadeNetwork(
            model=tflite,
            scores=self._scores(model, tflite, precision),
            macs=spec.macs,
            storage_bytes=spec.parameter_storage_bytes,
            activation_bytes=spec.activation_storage_bytes,
            energy_mj=energy_mj(spec),
        )

    def _compressed(self, plan: CompressionPlan) -> Any:
        initial = self._initial()
        if not plan.choices:
            return initial
        data, recipe = self._task.data, self._task.recipe
        model = apply_plan(initial, plan, data.x_train[:_FITTING])
        steps = recipe.fine_tune_steps * needs_training(plan)
        recipe.train(model, data, steps, plan_seed(self._seed, plan), recipe.fine_tune_rate)
        return model

    def _initial(self) -> Any:
        if self._trained is None:
            model = self._untrained
            if self._goes_on and self._path.exists():
                load_network(model, self._path)
            else:
                self._stage(f"training the initial network on {self._task.title}")
                recipe = self._task.recipe
                steps, rate = recipe.base_steps, recipe.base_rate
                recipe.train(model, self._task.data, steps, self._seed, rate)
                write_through(self._path, model.save)
            self._trained = model
        return self._trained

    def _scores(self, model: Any, tflite: bytes, precision: Precision) -> SampleScores:
        """On validation data: of the .tflite where its numbers are not Keras' own."""
        data = self._task.data
        x, y = data.x_val[:_VALIDATING], data.y_val[:_VALIDATING]
        outputs = outputs_of(model, x) if precision.runs_as_trained else run_tflite(tflite, x)
        return judged(self._task.metric, outputs, y)
