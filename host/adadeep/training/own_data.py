"""A user's samples as `Data`: divided by class or group, weighted, with labels or a teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.metric import Metric, Scale
from adadeep.core.rows import Array, Rows, together
from adadeep.core.scores import least_margin
from adadeep.core.task import Data
from adadeep.training.ends import End, Meaning
from adadeep.training.given import Given, Samples
from adadeep.training.parts import FEWEST, Numbers, balanced, by_group, divided, parts_of
from adadeep.training.spool import taken

_HELD_OF_VAL = 1 / 3
_FIRST_TAIL = 0.025  # of the first finalist's interval, with one limit
_SMALL = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Judging:
    """What the split depends on besides the samples.

    Attributes:
        ends: what the outputs mean.
        metric: that networks are judged by.
        class_weight: by class, as a --train function gave it; None for none.
    """

    ends: tuple[End, ...]
    metric: Metric
    class_weight: Any = None

    def classes(self, samples: Samples) -> Array | None:
        """(n,) the class of each sample by the first output that has one; None if none has."""
        for end, labels in zip(self.ends, samples.y or (), strict=False):
            if end.is_one and end.meaning is not Meaning.VALUES:
                return labels.argmax(axis=-1) if end.is_hot else np.asarray(labels).reshape(-1)
        return None

    @property
    def is_balanced(self) -> bool:
        """Whether parts that judge need as many samples of each class."""
        return bool(getattr(self.metric, "wants_balanced_parts", False))


def data_of(given: Given, judging: Judging, model: Any) -> tuple[Data, list[str]]:
    """The samples in four parts, and what is to be said of them.

    Args:
        given: checked.
        judging: how networks are judged.
        model: the initial network, for labels where there are none.

    Raises:
        ConfigError: there are too few samples, groups, or samples of a class.
    """
    parts, notes = _divided(given, judging)
    chosen = {name: _part(samples, numbers) for name, (samples, numbers) in parts.items()}
    weights = _weights(chosen["train"], judging)
    names = given.class_names
    end = judging.ends[0]
    if len(judging.ends) == 1 and end.meaning is not Meaning.VALUES and len(names) != end.classes:
        names = tuple(map(str, range(end.classes)))
    data = Data(
        **{f"x_{name}": together(part.x) for name, part in chosen.items()},
        **{f"y_{name}": _labels(part, name, judging, model) for name, part in chosen.items()},
        class_names=names if len(judging.ends) == 1 else (),
        source=given.source,
        weights_train=weights,
        are_labels_its_own=given.samples.y is None,
    )
    counts = ", ".join(f"{len(part)} {name}" for name, part in chosen.items())
    told = _told_at_best(chosen["held"], judging)
    return data, [f"samples: {counts}", *told, *notes]


def _told_at_best(held_back: Samples, judging: Judging) -> list[str]:
    """The least loss that the held-back samples can rule out, where it is large."""
    scale, held = Scale.of(judging.metric), len(held_back)
    classes = judging.classes(held_back)
    if scale.is_f1 and classes is None:
        return []  # its own answers, which nobody has counted
    positive = 0 if classes is None else int(np.sum(classes == 1))
    least = least_margin(held, _FIRST_TAIL, scale, positive)
    if least < _SMALL:
        return []
    of_them = f", {positive} of them of class 1," if scale.is_f1 else ""
    return [
        f"{held} held-back samples{of_them} can rule out a loss of {100 * least:.1f} % at best:"
        " give more samples for a sharper verdict"
    ]


def _divided(
    given: Given, judging: Judging
) -> tuple[dict[str, tuple[Samples, Numbers]], list[str]]:
    """By part: of which samples, and their numbers there."""
    samples, test, val = given.samples, given.test, given.val
    notes = []
    if val is None:
        parts = parts_of(len(samples), judging.classes(samples), samples.group, test is not None)
        train, chosen, held = parts.train, (samples, parts.val), (samples, parts.held)
        tested = (samples, parts.test)
    else:
        train, chosen, held, tested = _with_val(samples, val, test, judging)
    if test is not None:
        tested = test, divided(len(test), (), judging.classes(test))[0]
    found = {"train": (samples, train), "val": chosen, "held": held, "test": tested}
    if samples.group is not None:
        notes.append(
            "no group is in two parts; the intervals of verdicts take samples for independent and"
            " are too narrow where those of a group resemble each other"
        )
    if judging.is_balanced:
        for name in ("val", "held", "test"):
            found[name] = _balanced(found[name], name, judging)
    return found, notes


def _with_val(
    samples: Samples, val: Samples, test: Samples | None, judging: Judging
) -> tuple[Numbers, tuple[Samples, Numbers], tuple[Samples, Numbers], tuple[Samples, Numbers]]:
    """Where others validate: a third of them is held back."""
    if test is None:
        raise ConfigError(
            "the data have samples to validate with and none to test with; name both (_val and"
            " _test), or neither."
        )
    if len(val) < FEWEST // 3:
        raise ConfigError(
            f"there are {len(val)} samples to validate with; give {FEWEST // 3} or more, for a"
            " third of them is held back to judge by."
        )
    train = divided(len(samples), (), judging.classes(samples))[0]
    if val.group is not None:
        held, chosen = by_group(val.group, (_HELD_OF_VAL,))
    else:
        held, chosen = divided(len(val), (_HELD_OF_VAL,), judging.classes(val))
    return train, (val, chosen), (val, held), (test, np.arange(len(test)))


def _balanced(
    part: tuple[Samples, Numbers], name: str, judging: Judging
) -> tuple[Samples, Numbers]:
    samples, numbers = part
    classes = judging.classes(samples)
    assert classes is not None
    mine = classes[numbers]
    everywhere = np.unique(classes)
    if len(np.unique(mine)) < len(everywhere):
        raise ConfigError(
            f"balanced accuracy needs samples of every class in each part, and the part {name!r}"
            " lacks one; give more samples of the rarest class."
        )
    return samples, numbers[balanced(mine)]


def _part(samples: Samples, numbers: Numbers) -> Samples:
    return Samples(
        tuple(taken(array, numbers) for array in samples.x),
        samples.y and tuple(taken(array, numbers) for array in samples.y),
        None if samples.group is None else samples.group[numbers],
        None if samples.weight is None else samples.weight[numbers],
    )


def _labels(part: Samples, name: str, judging: Judging, model: Any) -> Rows:
    """Those given; of the network itself where none are, or where agreement with it is asked."""
    agrees = bool(getattr(judging.metric, "labels_are_outputs", False))
    if part.y is not None and not (agrees and name != "train"):
        return together(part.y)
    from adadeep.training.fit import outputs_of

    return outputs_of(model, together(part.x))


def _weights(part: Samples, judging: Judging) -> npt.NDArray[np.float32] | None:
    """What each training sample counts, 1 on average; None where all count the same."""
    if judging.class_weight is None:
        return part.weight
    classes = judging.classes(part)
    given = judging.class_weight
    if classes is None or not isinstance(given, Mapping):
        raise ConfigError(
            "--train gives class_weight, which must be a dictionary of numbers by class, and an"
            " output must give classes; leave it out, or give a weight a sample with the data."
        )
    try:
        by_class = np.array([float(given.get(int(c), 1.0)) for c in range(int(classes.max()) + 1)])
    except (TypeError, ValueError):
        by_class = np.array([-1.0])
    if not np.isfinite(by_class).all() or by_class.min() < 0:
        raise ConfigError(
            "--train gives class_weight that are no numbers of 0 or more; change it."
        )
    weights = by_class[classes] * (1.0 if part.weight is None else part.weight)
    if not weights.sum() > 0:
        raise ConfigError("--train gives class_weight that leave no sample any weight; change it.")
    return np.asarray(weights / weights.mean(), np.float32)
