"""A user's own network and data as a task: checked, divided, with a recipe and a metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.own_task import OwnTask
from adadeep.core.task import Network, Recipe
from adadeep.training.checks import class_notes, fitted, require_classes, value_notes
from adadeep.training.ends import End, Meaning, end_of, ports
from adadeep.training.frozen import frozen_names, rescales
from adadeep.training.given import Given
from adadeep.training.own_data import Judging, data_of
from adadeep.training.own_metric import metric_for
from adadeep.training.own_recipe import recipe_for
from adadeep.training.saying import said
from adadeep.training.sources import given_by
from adadeep.training.tasks import LoadedTask

if TYPE_CHECKING:
    import keras

# Of a file: (path, trust=whether its code may be run, custom_objects=None or by name).
LoadModel = Callable[..., Any]
_FEW_SHOWN = 3


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """A `Network` that is there already.

    Attributes:
        name: of its file, without the suffix.
        title: likewise.
        model: with its weights.
    """

    name: str
    title: str
    model: Any

    def build(self, input_shape: tuple[int, ...], classes: int, seed: int) -> Any:  # noqa: ARG002
        """The network itself, each time the same."""
        return self.model


def load_plain(
    path: Path, *, trust: bool = False, custom_objects: dict[str, Any] | None = None
) -> keras.Model:
    """A network by Keras alone; who has a better way gives it to `load_own`.

    Raises:
        ConfigError: Keras can't load it.
    """
    import keras

    try:
        return keras.models.load_model(path, custom_objects, compile=True, safe_mode=not trust)
    except Exception as error:  # Keras raises whatever it stumbles over
        raise ConfigError(
            f"{one_line(str(path))} can't be loaded ({one_line(str(error), 200)}); name a .keras"
            " file of Keras 3."
        ) from error


def load_own(own: OwnTask, load: LoadModel = load_plain) -> LoadedTask:
    """The task that a user's own network and data are; TensorFlow is loaded.

    Args:
        own: what the user named.
        load: loads the network, with the state that it was compiled in.

    Raises:
        ConfigError: something of it can't be used; says what to do.
    """
    if own.data is None:
        raise ConfigError(
            "a network of your own needs data; name them by --data: FILE.npz, a folder of images,"
            " or module:function."
        )
    saying = said(own.train, own.search_path)
    path = Path(own.model)
    model = load(path, trust=own.trust_model, custom_objects=saying.get("custom_objects"))
    inputs, outputs = ports(model)
    given = fitted(given_by(own.data, own.search_path, inputs, outputs), inputs)
    ends = _ends(model, given, own)
    metric = metric_for(own.metric or ("agreement" if given.samples.y is None else None), ends)
    judging = Judging(ends, metric, saying.get("class_weight"))
    data, notes = data_of(given, judging, model)
    recipe = recipe_for(model, saying, ends, data, is_trained=not own.untrained)
    return LoadedTask(
        title=f"{one_line(path.name, 60)} with {one_line(given.source, 60)}",
        network=cast("Network", OwnNetwork(path.stem, path.name, model)),
        data=data,
        recipe=cast("Recipe", recipe),
        metric=metric,
        notes=(*_notes(model, given, ends, rescales(model)), *notes, *_of_training(model, recipe)),
        is_trained=not own.untrained,
    )


def _ends(model: Any, given: Given, own: OwnTask) -> tuple[End, ...]:
    """What the outputs mean, by the labels; without any by what the network itself gives."""
    outputs = ports(model)[1]
    labels = given.samples.y
    if labels is None:
        if own.untrained:
            raise ConfigError(
                f"{given.source} has no labels, and a network that is not trained can teach"
                " nothing; give labels (y), or leave out --untrained."
            )
        return tuple(_of_itself(port) for port in outputs)
    ends = tuple(end_of(port, y) for port, y in zip(outputs, labels, strict=True))
    for part in (given.samples, given.test, given.val):
        found = () if part is None else part.y or ()
        for end, y in zip(ends, found, strict=False):
            require_classes(end, y, given.source)
    return ends


def _of_itself(port: Any) -> End:
    """Of an output that is compared with another network's."""
    size = port.shape[-1] if port.shape else 1
    is_one = len(port.shape) <= 1
    if port.activation == "softmax":
        return End(port.name, Meaning.CLASSES, False, True, size or 0, is_one)
    if port.activation == "sigmoid":
        return End(port.name, Meaning.FLAGS, classes=2, is_one=is_one and size == 1)
    return End(port.name, Meaning.VALUES)


def _notes(model: Any, given: Given, ends: tuple[End, ...], rescaled: bool) -> list[str]:
    notes = [*given.notes, *value_notes(given.samples, ports(model)[0], rescaled)]
    for end, labels in zip(ends, given.samples.y or (), strict=False):
        notes += class_notes(end, labels, given.class_names)
    return notes


def _of_training(model: Any, recipe: Any) -> list[str]:
    frozen = frozen_names(model)
    notes = [f"trained by {recipe.title}"]
    if frozen:
        shown = ", ".join(frozen[:_FEW_SHOWN]) + (", ..." if len(frozen) > _FEW_SHOWN else "")
        notes.append(
            f"{len(frozen)} layers are frozen and stay so ({one_line(shown, 60)}); what replaces"
            " one is trained"
        )
    return notes
