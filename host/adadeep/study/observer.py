"""Who is told what a study does, and shows it to the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from adadeep.core.metric import ACCURACY_SCALE, Scale
from adadeep.core.reward import Limits
from adadeep.core.search import ScoredTrial
from adadeep.storage.records import Unit
from adadeep.study.price import Price


@dataclass(frozen=True, slots=True)
class TrialEvent:
    """A trial was told to the sampler.

    Attributes:
        number: of the episode, from 1; 0 for the initial network.
        episodes: how many there will be; None where that is not known.
        scored: the trial and its reward.
        best: the best so far.
        known: whether it was in the journal already.
        expected_gain: by which going on may raise the best reward, as the sampler said last; None
            if it did not.
        scale: what accuracies mean.
    """

    number: int
    episodes: int | None
    scored: ScoredTrial
    best: ScoredTrial
    known: bool
    expected_gain: float | None = None
    scale: Scale = ACCURACY_SCALE


class StudyObserver(Protocol):
    """Is told what happens; shows it to the user."""

    def stage(self, text: str) -> None:
        """Something long begins: "training the initial network"."""
        ...

    def note(self, text: str) -> None:
        """Something the user should see at once: what is waited for, and how long already."""
        ...

    def limits(self, title: str, limits: Limits, scale: Scale) -> None:
        """The limits on a device, and what accuracies mean; once for each, before all episodes."""
        ...

    def unit(self, title: str, unit: Unit, drift: float) -> None:
        """What latencies on a device are multiples of, and how many times as long it takes now."""
        ...

    def price(self, price: Price) -> None:
        """About what is to come; once, before the first plan that is asked for anew."""
        ...

    def trial(self, event: TrialEvent) -> None:
        """A trial is done."""
        ...
