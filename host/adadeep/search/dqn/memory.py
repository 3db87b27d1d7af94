"""The replay memory of imagined episodes: the last ones, in a ring. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adadeep.search.dqn.episodes import Trace
from adadeep.search.replay import Batch, Floats


@dataclass(frozen=True, slots=True)
class Imagined:
    """Transitions of imagined episodes, and what the outlook advised on them.

    Attributes:
        batch: transitions.
        advice: on the decisions that were taken; (rows, 2).
        next_advice: on all actions in the next state; (rows, actions, 2).
    """

    batch: Batch
    advice: Floats
    next_advice: Floats


class EpisodeMemory:
    """Keeps the last episodes.

    Args:
        capacity: transitions; one episode at least is kept.
        points: decisions of an episode.
    """

    def __init__(self, capacity: int, points: int) -> None:
        self._capacity, self._points, self._count = max(capacity // points, 1), points, 0
        self._columns: dict[str, npt.NDArray[Any]] = {}

    def __len__(self) -> int:
        return min(self._count, self._capacity)

    def extend(self, trace: Trace, ends: npt.NDArray[np.float64]) -> None:
        """Keeps episodes in the place of the oldest ones.

        Each decision is rewarded with what it changes in what is expected to come of the episode,
        the last one with what came, so that nothing has to be carried back from the end
        (potentials; Ng, Harada and Russell 1999).

        Args:
            trace: of them.
            ends: R1 and R2 that came of them; (rows, 2).
        """
        reached = np.concatenate([trace.worth, ends[:, np.newaxis]], axis=1)
        found = {
            "states": trace.states, "masks": trace.masks, "advice": trace.advice,
            "actions": trace.plans.astype(np.int32),
            "rewards": np.diff(reached, axis=1).astype(np.float32),
        }  # fmt: skip
        rows = (self._count + np.arange(len(ends))) % self._capacity
        for name, values in found.items():
            if name not in self._columns:
                self._columns[name] = np.zeros((self._capacity, *values.shape[1:]), values.dtype)
            self._columns[name][rows] = values
        self._count += len(ends)

    def sample(self, rows: int, rng: np.random.Generator) -> Imagined:
        """Draws transitions with replacement.

        Raises:
            ValueError: the memory is empty.
        """
        if not self._count:
            raise ValueError("the replay memory is empty")
        of = self._columns
        row, place = rng.integers(len(self), size=rows), rng.integers(self._points, size=rows)
        ahead = np.minimum(place + 1, self._points - 1)
        actions, rewards = of["actions"][row, place], of["rewards"][row, place]
        batch = Batch(
            of["states"][row, place], actions, rewards[:, 0], rewards[:, 1],
            of["states"][row, ahead], of["masks"][row, ahead], place == self._points - 1,
        )  # fmt: skip
        return Imagined(batch, of["advice"][row, place, actions], of["advice"][row, ahead])
