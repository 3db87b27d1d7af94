"""Given: what a user hands over as data, by name, before it is known whether it can be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array
from adadeep.training.ends import Port

_GROUP = ("group", "subject", "clip")
_WEIGHT = "weight"
_CLASS_NAMES = "class_names"


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Some samples, in the order of a network's inputs and outputs.

    Attributes:
        x: an array for each input.
        y: one for each output; None where there are no labels.
        group: (n,) what samples belong together by; None where nothing says so.
        weight: (n,) how much a sample counts; None where all count the same.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...] | None = None
    group: Array | None = None
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.x[0])

    @property
    def arrays(self) -> tuple[Array, ...]:
        """All that there are."""
        extra = (one for one in (self.group, self.weight) if one is not None)
        return (*self.x, *(self.y or ()), *extra)


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What was handed over.

    Attributes:
        source: for people: where it came from.
        samples: to train on, and to validate and test with where no others are for that.
        test: to test with; None where they are taken from `samples`.
        val: to validate with; likewise.
        class_names: as given; empty where none are.
        notes: for people: what of it was not used, or how it was read.
    """

    source: str
    samples: Samples
    test: Samples | None = None
    val: Samples | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def named(
    members: Mapping[str, Array], source: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]
) -> Given:
    """Arrays by their names as samples.

    Args:
        members: `x`, `y` of a network with one input and output, else the names of those;
            besides `group`, `weight`; with `_test` or `_val` behind it for samples that are for
            that alone; `class_names`. `x_train` is `x`.
        source: for people.
        inputs: of the network.
        outputs: of the network.

    Raises:
        ConfigError: what there must be is not there; says what it is to be called.
    """
    left = {name.removesuffix("_train"): array for name, array in members.items()}
    names = tuple(map(str, np.ravel(left.pop(_CLASS_NAMES, np.empty(0, str)))))
    ports = inputs, outputs
    samples = _part(left, "", ports)
    if samples is None:
        wanted = "x" if len(inputs) == 1 else ", ".join(port.name for port in inputs)
        found = one_line(", ".join(members), 80) or "nothing"
        raise ConfigError(
            f"{source} holds {found}; the samples must be called {wanted} (and the labels"
            f" {'y' if len(outputs) == 1 else ', '.join(port.name for port in outputs)})."
        )
    test, val = _part(left, "_test", ports), _part(left, "_val", ports)
    unused = one_line(", ".join(left), 80)
    notes = (f"not used of {source}: {unused}",) if left else ()
    return Given(source, samples, test, val, names, notes)


def _part(
    members: dict[str, Array], suffix: str, ports: tuple[tuple[Port, ...], tuple[Port, ...]]
) -> Samples | None:
    """Takes the samples of one part out of the members; None if there are none."""
    inputs, outputs = ports
    x = _taken(members, suffix, inputs, "x")
    if x is None:
        return None
    groups = [members.pop(name + suffix) for name in _GROUP if name + suffix in members]
    y = _taken(members, suffix, outputs, "y")
    weight = members.pop(_WEIGHT + suffix, None)
    return Samples(x, y, groups[0] if groups else None, weight)


def _taken(
    members: dict[str, Array], suffix: str, ports: Iterable[Port], alone: str
) -> tuple[Array, ...] | None:
    """One member for each port, taken out; None unless all are there."""
    ports = tuple(ports)
    found = []
    for port in ports:
        names = (*port.names, alone) if len(ports) == 1 else port.names
        known = next((name + suffix for name in names if name + suffix in members), None)
        if known is None:
            return None
        found.append(known)
    return tuple(members.pop(name) for name in found)
