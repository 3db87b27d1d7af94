"""The replay memory (Lambda in Algorithm 1): the last transitions, in a ring. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Transitions, one a row.

    Attributes:
        states: o; (rows, features).
        actions: a; (rows,).
        gains: R1; (rows,).
        satisfactions: R2; (rows,).
        next_states: o'; (rows, features).
        next_masks: actions open in o'; (rows, actions).
        done: whether o' is the end of the episode; (rows,).
    """

    states: Floats
    actions: npt.NDArray[np.int32]
    gains: Floats
    satisfactions: Floats
    next_states: Floats
    next_masks: npt.NDArray[np.bool_]
    done: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Transition:
    """One decision and what came of it; fields as in `Batch`."""

    state: Floats
    action: int
    gain: float
    satisfaction: float
    next_state: Floats
    next_mask: npt.NDArray[np.bool_]
    done: bool


class ReplayMemory:
    """Keeps the last `capacity` transitions.

    Args:
        capacity: at least 1.
        features: length of a state vector.
        actions: number of actions.
    """

    def __init__(self, capacity: int, features: int, actions: int) -> None:
        self._capacity = capacity
        self._count = 0
        self._columns: dict[str, npt.NDArray[Any]] = {
            "states": np.zeros((capacity, features), np.float32),
            "actions": np.zeros(capacity, np.int32),
            "gains": np.zeros(capacity, np.float32),
            "satisfactions": np.zeros(capacity, np.float32),
            "next_states": np.zeros((capacity, features), np.float32),
            "next_masks": np.zeros((capacity, actions), np.bool_),
            "done": np.zeros(capacity, np.bool_),
        }

    def __len__(self) -> int:
        return min(self._count, self._capacity)

    def add(self, transition: Transition) -> None:
        """Keeps a transition in the place of the oldest one."""
        row = self._count % self._capacity
        values = (
            transition.state, transition.action, transition.gain, transition.satisfaction,
            transition.next_state, transition.next_mask, transition.done,
        )  # fmt: skip
        for column, value in zip(self._columns.values(), values, strict=True):
            column[row] = value
        self._count += 1

    def extend(self, batch: Batch) -> None:
        """Keeps transitions, no more than the capacity, in the place of the oldest ones."""
        rows = (self._count + np.arange(len(batch.actions))) % self._capacity
        for name, column in self._columns.items():
            column[rows] = getattr(batch, name)
        self._count += len(batch.actions)

    def sample(self, rows: int, rng: np.random.Generator) -> Batch:
        """Draws transitions with replacement.

        Raises:
            ValueError: the memory is empty.
        """
        if not self._count:
            raise ValueError("the replay memory is empty")
        chosen = rng.integers(len(self), size=rows)
        return Batch(**{name: column[chosen] for name, column in self._columns.items()})
