"""What a search is about: a registered task, or a network and data of the user's own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.own_task import OwnTask
from adadeep.core.registry import Registry, suggestion
from adadeep.study.plugins import parts_of
from adadeep.training.registry import DATA_SETS, METRICS, NETWORKS, RECIPES, TASKS

MODEL_FILES = (".keras", ".h5", ".hdf5")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 60
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_own(text: str) -> bool:
    """Whether what was given for a task names a file, not a registered task."""
    if text in TASKS:
        return False
    return text.lower().endswith(MODEL_FILES) or os.sep in text or Path(text).exists()


def own_task(
    model: str,
    data: str | None = None,
    train: str | None = None,
    metric: str | None = None,
    trust_model: bool = False,
    untrained: bool = False,
) -> OwnTask:
    """What the user named, its files looked for; nothing of it is loaded.

    Raises:
        ConfigError: a file is not there, or a name is none.
    """
    path = Path(model)
    if not path.exists():
        raise ConfigError(f"{one_line(model)} is not there; name a .keras or .h5 file.")
    if metric is not None:
        METRICS.get(metric)
    if train is not None and not _FUNCTION.fullmatch(train):
        raise ConfigError(
            f"--train {one_line(train)} is no module:function; write for example"
            " my_training:recipe, of my_training.py in this folder."
        )
    return OwnTask(
        model=str(path.absolute()),
        data=None if data is None else _data(data),
        train=train,
        metric=metric,
        trust_model=trust_model,
        untrained=untrained,
        search_path=str(Path.cwd()),
    )


def _data(text: str) -> str:
    """A path, absolute, or module:function as it is."""
    path = Path(text)
    if path.exists():
        return str(path.absolute())
    if _FUNCTION.fullmatch(text):
        return text
    raise ConfigError(
        f"--data {one_line(text)} is not there; name an .npz file, a folder with a folder of"
        " images for each class, or module:function that gives the data."
    )


def name_of(own: OwnTask) -> str:
    """What a run of it is called: by the file, as a folder and a file on devices can be."""
    name = _NO_NAME.sub("-", Path(own.model).stem).strip("-.")[:_LONGEST_NAME] or "network"
    return f"{name}-own" if name in TASKS else name


def file_sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal digits.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(
            f"{one_line(str(path))} can't be read ({error.strerror}); name a .keras or .h5 file."
        ) from error


@dataclass(frozen=True, slots=True)
class Subject:
    """What a search is about.

    Attributes:
        task: name of the run's subject: of the task, or made of the file's.
        own: the user's network and data; None of a registered task.
    """

    task: str
    own: OwnTask | None = None

    def problems(self, tasks: Iterable[str]) -> list[str]:
        """What is wrong with it, a sentence each, as far as it can be told at once."""
        if self.own is not None:
            return [] if self.own.data is not None else [LACKS_DATA]
        known = list(tasks)
        if self.task not in known:
            return [
                f"unknown task {self.task!r}.{suggestion(self.task, known)} There are:"
                f" {', '.join(known)}; or name a .keras file of yours."
            ]
        return _unusable(self.task) if self.task in TASKS else []

    @property
    def header(self) -> dict[str, Any]:
        """What a run's folder is a study of, JSON values.

        Of the user's own the worker tells the rest, once it has loaded the data.

        Raises:
            ConfigError: a part of the task, or the file, can't be had.
        """
        if self.own is not None:
            network = f"own:{file_sha256(Path(self.own.model))}"
            return {"task": self.task, "network": network}
        task = TASKS.get(self.task)
        parts = {"network": task.network, "data_set": task.data_set, "recipe": task.recipe}
        split = DATA_SETS.get(task.data_set).split
        scale = Scale.of(METRICS.get(task.metric))
        return {"task": self.task, **parts, "split": split, **scale_in_header(scale)}

    def parts(self, metric: str) -> list[tuple[Registry[Any], Iterable[str]]]:
        """What it is made of that other packages may bring; see `plugins.taking_part`."""
        return parts_of(self.task) if self.own is None else [(METRICS, [metric])]


LACKS_DATA = (
    "a network of your own needs data; name them by --data: an .npz file, a folder with a folder"
    " of images for each class, or module:function that gives them."
)


def scale_in_header(scale: Scale) -> dict[str, Any]:
    """What a header says of the metric: nothing of accuracy."""
    return {} if scale == ACCURACY_SCALE else {"metric": asdict(scale)}


def _unusable(name: str) -> list[str]:
    """What a task names and can't be used here."""
    task, found = TASKS.get(name), []
    pairs: list[tuple[Registry[Any], str]] = [
        (NETWORKS, task.network), (DATA_SETS, task.data_set), (RECIPES, task.recipe),
        (METRICS, task.metric),
    ]  # fmt: skip
    for registry, part in pairs:
        try:
            registry.get(part)
        except ConfigError as error:  # unknown, or a plug-in that can't be used
            found.append(str(error))
    return found
