"""Makes networks with Keras and TensorFlow: the initial one once, then one for each plan.

Only the worker process imports this.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adadeep.compress.apply import apply_plan, needs_training
from adadeep.compress.describe import model_spec
from adadeep.convert.check import check
from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.convert.tflite import convert, require_room
from adadeep.convert.verify import run_tflite
from adadeep.core.compressed import Compressed
from adadeep.core.files import PART, write_atomic, write_through
from adadeep.core.layers import ModelSpec
from adadeep.core.plan import CompressionPlan
from adadeep.core.precision import Precision
from adadeep.core.rows import Rows, named
from adadeep.core.scores import SampleScores, judged
from adadeep.core.task import Training, full_steps_of, learns_from_teacher, train_by
from adadeep.study.opening import Start, basis_of, opened
from adadeep.study.worker_messages import (
    Explained,
    Made,
    Opened,
    OpenTask,
    PartLoss,
    Sample,
    Sampled,
)
from adadeep.training.fit import outputs_of
from adadeep.training.guessing import guess_notes

_REPRESENTATIVE = 100  # training samples that a precision may take its ranges from
_VALIDATING = 2000  # standard error 0.3 % at 98 %; three times as many cost 2.5 s a plan
_FITTING = 500  # training samples that replaced layers are fitted to


def part_file(folder: str, plan: CompressionPlan, kind: str) -> Path:
    """Where a plan's network is left until the host takes it over."""
    return Path(folder) / f"{PART}{plan.key}.{kind}"


def plan_seed(seed: int, plan: CompressionPlan) -> int:
    """The seed of a plan's training: the same whenever and wherever the plan is tried."""
    digest = hashlib.sha256(f"{seed} {plan.key}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _part_loss(layers: tuple[str, ...], sqnr_db: float | None) -> PartLoss:
    """For JSON, which has no infinity."""
    is_lossless = sqnr_db is not None and math.isinf(sqnr_db)
    return PartLoss(layers, None if is_lossless else sqnr_db, is_lossless)


class KerasMaker:
    """Makes the networks of one task.

    Args:
        start: the task, and its initial network.
    """

    is_bare: Literal[False] = False

    def __init__(self, start: Start) -> None:
        self._task = start.task
        self._seed = start.seed
        self._initial = self._latest = start.network
        self.start = start

    @classmethod
    def open(cls, request: OpenTask, stage: Callable[[str], None]) -> KerasMaker:
        """Loads the data and the initial network, or takes it over or trains it, and saves it.

        Raises:
            ConfigError: the data can't be had, or the network's file can't be written.
            FormatError: it can't be read.
        """
        return cls(opened(request, stage))

    @property
    def opened(self) -> Opened:
        """What the host is told of it."""
        start, about = self.start, self.start.about
        return Opened(
            self.spec, self.basis, start.fine_tuning_s, start.taken, start.task.notes, about
        )

    @property
    def spec(self) -> ModelSpec:
        """What the initial network is."""
        return model_spec(self._initial, self._task.network.title)

    @property
    def basis(self) -> str:
        """Hash of what networks depend on besides their plan."""
        return basis_of(self.start, self._initial)

    def make(self, plan: CompressionPlan, folder: str, full: bool = False) -> Made:
        """Compresses the initial network, trains, converts and judges it.

        Args:
            plan: what to make of it.
            folder: for its files, under names of what is not finished; the host takes them over.
            full: whether to train by the full recipe, not the short one.

        Raises:
            TechniqueNotApplicable: the plan can't be applied.
            ConversionError: the network did not become a .tflite.
            ConfigError: its files can't be written, or the precision is unknown.
        """
        gc.collect()  # graphs refer to themselves: 50 MB a plan would wait for a chance collection
        made = self._compressed(plan, full)
        model, data = made.network, self._task.data
        self._latest = model
        precision = PRECISIONS.get(plan.precision)
        spec = model_spec(model, plan.label, made.hooks).in_precision(precision)
        tflite = convert(model, precision, data.x_train[:_REPRESENTATIVE], made.stores_sparse)
        check(model, tflite, precision, data.x_val)
        file, network = part_file(folder, plan, "tflite"), None
        write_atomic(file, tflite)
        if plan.choices:
            network = part_file(folder, plan, "keras")
            write_through(network, model.save)
        scores, notes = self._judged(plan, model, tflite, precision)
        return Made(str(file), str(network) if network else None, scores, spec, notes)

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
        members: dict[str, Any] = dict(named("inputs", inputs))
        members |= named("labels", data.y_test[: request.count])
        for name, model in request.models.items():
            members |= named(name, run_tflite(Path(model).read_bytes(), inputs))
        path = Path(request.folder) / f"{PART}samples.npz"
        write_through(path, lambda file: np.savez_compressed(file, **members))
        return Sampled(str(path))

    def explain(self) -> Explained:
        """What int8 costs by layer of the network that was made last.

        Raises:
            ConversionError: the network can't be converted.
        """
        from adadeep.convert.losses import int8_losses

        model, data = self._latest, self._task.data
        found = int8_losses(model, data.x_train[:_REPRESENTATIVE], data.x_val)
        return Explained(tuple(_part_loss(one.layers, one.sqnr_db) for one in found))

    def _compressed(self, plan: CompressionPlan, full: bool = False) -> Compressed[Any]:
        if not plan.choices:
            return Compressed(self._initial)
        require_room(self._initial)  # else said after minutes of training, at the conversion
        data, recipe = self._task.data, self._task.recipe
        samples = data.x_train[:_FITTING]
        made = apply_plan(self._initial, plan, samples)
        steps = full_steps_of(recipe) if full else recipe.fine_tune_steps
        training = Training(
            steps * needs_training(plan), plan_seed(self._seed, plan), recipe.fine_tune_rate,
            self._teacher,
        )  # fmt: skip
        train_by(recipe, made, data, training)
        return made

    def _judged(
        self, plan: CompressionPlan, model: Any, tflite: bytes, precision: Precision
    ) -> tuple[SampleScores, tuple[str, ...]]:
        """On validation data: of the .tflite where its numbers are not Keras' own; and notes."""
        data, metric = self._task.data, self._task.metric
        x, y = data.x_val[:_VALIDATING], data.y_val[:_VALIDATING]
        outputs = outputs_of(model, x) if precision.runs_as_trained else run_tflite(tflite, x)
        scores = judged(metric, outputs, y)
        is_initial = plan == CompressionPlan()
        return scores, guess_notes(metric, scores, outputs, y) if is_initial else ()

    @functools.cached_property
    def _teacher(self) -> Rows | None:
        """What the initial network gives for the training samples, where the recipe asks."""
        if not learns_from_teacher(self._task.recipe):
            return None
        return outputs_of(self._initial, self._task.data.x_train)
