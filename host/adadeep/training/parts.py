"""How a user's samples are divided: by class, by group, and the same way each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adadeep.core.errors import ConfigError
from adadeep.core.rows import Array

Numbers = npt.NDArray[np.int64]

# Test, held back, validate: of all samples, and where others test. Of few samples more are held
# back: 200 of them can show a loss of 2.6 % at best, 400 one of 1.3 %.
_FEW = 10_000
_SHARES = {True: ((0.15, 0.2, 0.15), (0.2, 0.15)), False: ((0.2, 0.1, 0.2), (0.1, 0.2))}
_SEED = 20180610
FEWEST = 50  # samples: five are held back then


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Numbers of samples, each part in an order of its own; `test` is empty where others test."""

    train: Numbers
    val: Numbers
    held: Numbers
    test: Numbers


def divided(count: int, shares: tuple[float, ...], strata: Array | None = None) -> list[Numbers]:
    """Numbers of samples in parts of these shares and the rest.

    Args:
        count: samples.
        shares: of each part but the last.
        strata: (n,) whose values each part has its share of, as near as can be; None for none.
    """
    rng = np.random.default_rng(_SEED)
    order = rng.permutation(count)
    if strata is not None:
        order = order[np.argsort(_places(np.asarray(strata)[order], rng), kind="stable")]
    ends = np.cumsum([int(share * count) for share in shares])
    return np.split(order, ends)


def _places(strata: Array, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Where samples stand in their strata, 0..1: sorted by it, every stretch has all strata."""
    places = np.empty(len(strata))
    for value in np.unique(strata):
        mine = np.flatnonzero(strata == value)
        places[mine] = (np.arange(len(mine)) + rng.random()) / len(mine)
    return places


def by_group(groups: Array, shares: tuple[float, ...]) -> list[Numbers]:
    """Likewise, and no group is in two parts; every part but the last has at least one group.

    Raises:
        ConfigError: there are too few groups.
    """
    rng = np.random.default_rng(_SEED)
    names, of = np.unique(groups, return_inverse=True)
    if len(names) < len(shares) + 1:
        raise ConfigError(
            f"the samples are of {len(names)} groups, and no group may be in two parts; give"
            f" {len(shares) + 1} groups or more, or leave out the member that names them."
        )
    sizes = np.bincount(of)
    waiting = list(rng.permutation(len(names)))
    found = []
    for place, share in enumerate(shares):
        wanted, mine = share * len(groups), [waiting.pop()]
        spare = len(shares) - place  # a group for each part to come
        while len(waiting) > spare and sizes[mine].sum() + sizes[waiting[-1]] / 2 <= wanted:
            mine.append(waiting.pop())
        found.append(rng.permutation(np.flatnonzero(np.isin(of, mine))))
    return [*found, rng.permutation(np.flatnonzero(np.isin(of, waiting)))]


def parts_of(count: int, strata: Array | None, groups: Array | None, has_test: bool) -> Parts:
    """Half train, half do what `_SHARES` says; more train where others test.

    Raises:
        ConfigError: there are too few samples or groups.
    """
    if count < FEWEST:
        raise ConfigError(
            f"there are {count} samples to train and validate with; give {FEWEST} or more, for a"
            " tenth of them is held back to judge by."
        )
    shares = _SHARES[count < _FEW][has_test]
    found = by_group(groups, shares) if groups is not None else divided(count, shares, strata)
    test = np.empty(0, np.int64) if has_test else found.pop(0)
    held, val, train = found
    return Parts(train, val, held, test)


def balanced(classes: Array) -> Numbers:
    """Numbers of the first samples of each class, as many of each as of the rarest.

    In their order, so that parts of a part are nearly balanced, too.

    Args:
        classes: (n,), of at least one sample.
    """
    _, of = np.unique(classes, return_inverse=True)
    fewest = int(np.bincount(of).min())
    kept = [np.flatnonzero(of == number)[:fewest] for number in range(int(of.max()) + 1)]
    return np.asarray(np.stack(kept, axis=1).ravel(), np.int64)
