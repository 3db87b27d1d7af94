"""Makes networks with Keras and TensorFlow: the initial one once, then one for each plan.

Only the worker process imports this.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.compress.apply import apply_plan, needs_training
from adadeep.compress.describe import model_spec
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.tflite import CONVERSION_VERSION, convert
from adadeep.convert.verify import run_tflite
from adadeep.core.compressed import Compressed
from adadeep.core.errors import FormatError
from adadeep.core.files import PART, write_atomic, write_through
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.precision import Precision
from adadeep.core.reader import why
from adadeep.core.scores import SampleScores, judged
from adadeep.core.task import Recipe
from adadeep.storage.archives import open_zip
from adadeep.storage.records import content_key
from adadeep.study.worker_messages import Made, OpenTask, Sample, Sampled
from adadeep.training.fit import TRAINING_VERSION, outputs_of
from adadeep.training.tasks import LoadedTask, load_task

_REPRESENTATIVE = 100  # training samples that a precision may take its ranges from
_VALIDATING = 2000  # standard error 0.3 % at 98 %; three times as many cost 2.5 s a plan
_COMPILING_S = 2.0  # of a training, before its first step: of LeNets, on two cores
_FITTING = 500  # training samples that replaced layers are fitted to


def part_file(folder: str, plan: CompressionPlan, kind: str) -> Path:
    """Where a plan's network is left until the host takes it over."""
    return Path(folder) / f"{PART}{plan.key}.{kind}"


def plan_seed(seed: int, plan: CompressionPlan) -> int:
    """The seed of a plan's training: the same whenever and wherever the plan is tried."""
    digest = hashlib.sha256(f"{seed} {plan.key}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def expected_fine_tuning_s(training_s: float, recipe: Recipe) -> float:
    """About what a fine-tuning takes, by what training the initial network took."""
    compiling_s = min(_COMPILING_S, training_s / 2)
    steps = recipe.fine_tune_steps / max(recipe.base_steps, 1)
    batches = recipe.batch_size / (getattr(recipe, "base_batch_size", None) or recipe.batch_size)
    return compiling_s + (training_s - compiling_s) * steps * batches


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


def _basis(task: LoadedTask, seed: int, initial: Any) -> str:
    data = task.data
    about = (TRAINING_VERSION, CONVERSION_VERSION, seed, repr(task.recipe))
    digest = hashlib.sha256(repr(about).encode())
    for array in (*initial.get_weights(), data.x_train, data.y_train):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _take(model: Any, task: LoadedTask, request: OpenTask) -> str | None:
    """Loads the first of the other runs' initial networks that is what training would give.

    That is so where its weights, with our data, recipe and seed, have the key that its run's
    journal has of it. Returns its path; None, and the network as it was, if there is none.
    """
    if not request.others:
        return None
    before = [variable.numpy() for variable in model.variables]
    for other in request.others:
        with contextlib.suppress(FormatError):
            load_network(model, Path(other.path))
            if content_key(_basis(task, request.seed, model), CompressionPlan()) == other.key:
                return other.path
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    return None


class KerasMaker:
    """Makes the networks of one task.

    Args:
        task: network, data, recipe and metric.
        seed: of the study.
        network: the initial network, trained.
        fine_tuning_s: about what training a compressed one takes; None where that is not known.
        taken: path of the other run's network that it is; None if it is none's.
    """

    def __init__(
        self,
        task: LoadedTask,
        seed: int,
        network: Any,
        fine_tuning_s: float | None = None,
        taken: str | None = None,
    ) -> None:
        self.fine_tuning_s = fine_tuning_s
        self.taken = taken
        self._task = task
        self._seed = seed
        self._initial = network

    @classmethod
    def open(cls, request: OpenTask, stage: Callable[[str], None]) -> KerasMaker:
        """Loads the data and the initial network, or takes it over or trains it, and saves it.

        Raises:
            ConfigError: the data can't be had, or the network's file can't be written.
            FormatError: it can't be read.
        """
        task, path = load_task(request.task), Path(request.initial)
        data, recipe = task.data, task.recipe
        model = task.network.build(data.input_shape, data.classes, request.seed)
        if request.goes_on and path.exists():
            load_network(model, path)
            return cls(task, request.seed, model)
        fine_tuning_s, taken = None, _take(model, task, request)
        if taken is None:
            stage(f"training the initial network on {task.title}")
            steps, rate, start = recipe.base_steps, recipe.base_rate, time.monotonic()
            recipe.train(Compressed(model), data, steps, request.seed, rate)
            fine_tuning_s = expected_fine_tuning_s(time.monotonic() - start, recipe)
        write_through(path, model.save)
        return cls(task, request.seed, model, fine_tuning_s, taken)

    @property
    def spec(self) -> ModelSpec:
        """What the initial network is."""
        return model_spec(self._initial, self._task.network.title)

    @property
    def basis(self) -> str:
        """Hash of what networks depend on besides their plan."""
        return _basis(self._task, self._seed, self._initial)

    def make(self, plan: CompressionPlan, folder: str) -> Made:
        """Compresses the initial network, trains, converts and judges it.

        Args:
            plan: what to make of it.
            folder: for its files, under names of what is not finished; the host takes them over.

        Raises:
            TechniqueNotApplicable: the plan can't be applied.
            ConversionError: the network did not become a .tflite.
            ConfigError: its files can't be written, or the precision is unknown.
        """
        gc.collect()  # graphs refer to themselves: 50 MB a plan would wait for a chance collection
        made = self._compressed(plan)
        model, data = made.network, self._task.data
        precision = PRECISIONS.get(plan.precision)
        spec = model_spec(model, plan.label, made.hooks).in_precision(precision)
        tflite = convert(model, precision, data.x_train[:_REPRESENTATIVE], made.stores_sparse)
        file, network = part_file(folder, plan, "tflite"), None
        write_atomic(file, tflite)
        if plan.choices:
            network = part_file(folder, plan, "keras")
            write_through(network, model.save)
        return Made(
            model=str(file),
            network=str(network) if network else None,
            scores=self._scores(model, tflite, precision),
            spec=spec,
        )

    def judge(self, model: str, part: str) -> SampleScores:
        """The scores of a .tflite on a part of the data.

        Raises:
            ConversionError: the runtime does not take the model.
        """
        x, y = getattr(self._task.data, f"x_{part}"), getattr(self._task.data, f"y_{part}")
        return judged(self._task.metric, run_tflite(Path(model).read_bytes(), x), y)

    def sample(self, request: Sample) -> Sampled:
        """Some test samples, and what models give for them."""
        data = self._task.data
        inputs = data.x_test[: request.count]
        members: dict[str, Any] = {"inputs": inputs, "labels": data.y_test[: request.count]}
        for name, model in request.models.items():
            members[name] = run_tflite(Path(model).read_bytes(), inputs)
        path = Path(request.folder) / f"{PART}samples.npz"
        write_through(path, lambda file: np.savez_compressed(file, **members))
        return Sampled(str(path))

    def _compressed(self, plan: CompressionPlan) -> Compressed[Any]:
        if not plan.choices:
            return Compressed(self._initial)
        data, recipe = self._task.data, self._task.recipe
        made = apply_plan(self._initial, plan, data.x_train[:_FITTING])
        steps = recipe.fine_tune_steps * needs_training(plan)
        recipe.train(made, data, steps, plan_seed(self._seed, plan), recipe.fine_tune_rate)
        return made

    def _scores(self, model: Any, tflite: bytes, precision: Precision) -> SampleScores:
        """On validation data: of the .tflite where its numbers are not Keras' own."""
        data = self._task.data
        x, y = data.x_val[:_VALIDATING], data.y_val[:_VALIDATING]
        outputs = outputs_of(model, x) if precision.runs_as_trained else run_tflite(tflite, x)
        return judged(self._task.metric, outputs, y)
