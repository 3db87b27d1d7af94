"""How often a sampler explores, by episode."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinearSchedule:
    """Goes from `start` to `end` in a straight line over `episodes`, then stays.

    It does not depend on how many episodes a search has: a search that is given more of them
    later goes on as if it had always had them.

    Attributes:
        start: value of episode 0.
        end: value of episode `episodes` and of all later ones.
        episodes: at least 1.
    """

    start: float
    end: float
    episodes: int

    def value(self, episode: int) -> float:
        """The value in an episode, counted from 0."""
        done = min(episode / self.episodes, 1.0)
        return self.start + done * (self.end - self.start)
