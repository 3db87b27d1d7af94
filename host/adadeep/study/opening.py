"""How the worker begins: the task with its data, and the initial network, trained."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from adadeep.compress.graph import flattened, folded, standard
from adadeep.compress.load import load_model
from adadeep.convert.tflite import CONVERSION_VERSION, require_room
from adadeep.core.compressed import Compressed
from adadeep.core.errors import FormatError
from adadeep.core.files import write_through
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.reader import why
from adadeep.core.rows import each
from adadeep.core.task import Data, Recipe
from adadeep.storage.archives import open_zip
from adadeep.storage.initials import Initials
from adadeep.storage.records import content_key
from adadeep.study.subject import scale_in_header
from adadeep.study.worker_messages import OpenTask
from adadeep.training.fit import TRAINING_VERSION
from adadeep.training.own import load_own
from adadeep.training.tasks import LoadedTask, load_task

_COMPILING_S = 2.0  # of a training, before its first step: of LeNets, on two cores
_HEADER_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker makes networks of.

    Attributes:
        task: network, data, recipe and metric.
        seed: of the study.
        trained_on: hash of what training depends on besides the initial weights.
        network: the initial network, trained; None before.
        fine_tuning_s: about what training a compressed one takes; None where that is not known.
        taken: path of the other run's network that it is; None if it is none's.
        about: what a journal's header has to say of the user's own network and data.
    """

    task: LoadedTask
    seed: int
    trained_on: str
    network: Any = None
    fine_tuning_s: float | None = None
    taken: str | None = None
    about: dict[str, Any] = field(default_factory=dict)


def opened(request: OpenTask, stage: Callable[[str], None]) -> Start:
    """Loads the data and the initial network, or takes it over or trains it, and saves it.

    Raises:
        ConfigError: the data can't be had, the network's file can't be written, or it is too large
            for this computer's memory.
        FormatError: it can't be read.
    """
    task = load_own(request.own, load_model) if request.own else load_task(request.task)
    data, path = task.data, Path(request.initial)
    start = Start(
        task, request.seed, _digest_of(_trained_on(data)),
        about=_header_of(task) if request.own else {},
    )  # fmt: skip
    raw = task.network.build(data.input_shape, data.classes, request.seed)
    require_room(raw)
    if request.goes_on and path.exists():
        model = standard(raw)
        load_network(model, path)
        return _with(start, model)
    found = _initial(start, raw, request, stage)
    write_through(path, found.network.save)
    return found


def _initial(start: Start, raw: Any, request: OpenTask, stage: Callable[[str], None]) -> Start:
    """The initial network: as it comes, of another run, of the cache, or trained now."""
    if start.task.is_trained:
        return _with(start, standard(raw))
    model = standard(raw)
    taken = _take(model, start, request)
    if taken is not None:
        return _with(start, model, taken=taken)
    cache = Initials(Path(request.cache)) if request.cache else None
    key = basis_of(start, raw)
    kept = cache.find(key) if cache else None
    recipe = start.task.recipe
    if kept is not None:
        with contextlib.suppress(FormatError):
            load_network(model, kept[0])
            return _with(start, model, expected_fine_tuning_s(kept[1].training_s, recipe))
    stage(f"training the initial network on {start.task.title}")
    began, trained = time.monotonic(), flattened(raw)
    steps, rate = recipe.base_steps, recipe.base_rate
    recipe.train(Compressed(trained), start.task.data, steps, start.seed, rate)
    model, training_s = folded(trained), time.monotonic() - began
    if cache is not None:
        cache.keep(key, model.save, training_s)
    return _with(start, model, expected_fine_tuning_s(training_s, recipe))


def _with(
    start: Start, network: Any, fine_tuning_s: float | None = None, taken: str | None = None
) -> Start:
    return Start(
        start.task, start.seed, start.trained_on, network, fine_tuning_s, taken, start.about
    )


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


def basis_of(start: Start, network: Any) -> str:
    """Hash of what networks depend on besides their plan.

    Args:
        start: task and seed.
        network: the one that they are made of.
    """
    about = (TRAINING_VERSION, CONVERSION_VERSION, start.seed, repr(start.task.recipe))
    digest = hashlib.sha256(repr(about).encode())
    for array in network.get_weights():
        digest.update(np.ascontiguousarray(array).data)
    digest.update(start.trained_on.encode())
    return digest.hexdigest()


def _trained_on(data: Data) -> tuple[Any, ...]:
    return data.trained_on


def _digest_of(arrays: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _header_of(task: LoadedTask) -> dict[str, Any]:
    """What a search of the user's own is a study of, besides the network's file."""
    data = task.data
    parts = (data.x_train, data.x_val, data.x_held, data.x_test)
    labels = (
        () if data.are_labels_its_own else (data.y_train, data.y_val, data.y_held, data.y_test)
    )
    arrays = [array for rows in (*parts, *labels) for array in each(rows)]
    recipe = hashlib.sha256(repr(task.recipe).encode()).hexdigest()
    return {
        "data_set": f"own:{_digest_of(arrays)[:_HEADER_DIGITS]}",
        "recipe": f"own:{recipe[:_HEADER_DIGITS]}",
        **scale_in_header(Scale.of(task.metric)),
    }


def _take(model: Any, start: Start, request: OpenTask) -> str | None:
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
            if content_key(basis_of(start, model), CompressionPlan()) == other.key:
                return other.path
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    return None
