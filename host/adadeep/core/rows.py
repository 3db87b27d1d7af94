"""Rows of samples: one array, or several of the same length where a network has several ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Arrays whose rows belong together; is sliced and indexed as one array is, by rows.

    Attributes:
        arrays: (n, ...) each, in the order of a network's inputs, or of its outputs.
    """

    arrays: tuple[Array, ...]

    def __post_init__(self) -> None:
        lengths = {len(array) for array in self.arrays}
        if len(lengths) != 1:
            raise ValueError(f"arrays of {sorted(lengths)} rows do not belong together")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]] | list[int]) -> Several:
        """Those rows of each array; a slice or an array of numbers, never a single number."""
        return Several(tuple(array[rows] for array in self.arrays))


# What `len`, slices and arrays of row numbers work on alike.
Rows = Array | Several


def each(rows: Rows) -> tuple[Array, ...]:
    """The arrays, in order."""
    return rows.arrays if isinstance(rows, Several) else (rows,)


def named(name: str, rows: Rows) -> dict[str, Array]:
    """The arrays as members of a file: `name`, and where there are more `name_2`, `name_3`..."""
    return {
        f"{name}_{number}" if number > 1 else name: array
        for number, array in enumerate(each(rows), 1)
    }


def together(arrays: Iterable[Array]) -> Rows:
    """One array as it is, several as rows that belong together.

    Raises:
        ValueError: their lengths differ.
    """
    found = tuple(arrays)
    return found[0] if len(found) == 1 else Several(found)
