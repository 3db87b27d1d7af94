"""Sampler: what chooses the plans of a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop


class Sampler(Protocol):
    """Chooses plans. The same context, and the same trials told, give the same plans.

    `ask` and `tell` alternate, but for the asks that the study makes ahead. `tell` may also come
    for plans that were not asked for, even such as are outside the space: what an earlier search
    in the folder found.

    One that can also offers

    - `expected_gain() -> float | None`: what going on may still add to the best reward, in units
      of the reward, asked for once a plan was chosen; None if it can't tell yet. A search of no
      given length ends where that is little.
    - `believed_quality(plan: CompressionPlan) -> float | None`: a plan's quality on the search's
      validation data given all that was told, its luck on these samples taken out; None if it
      can't tell. Finalists are ordered by it.

    Neither changes what it asks for.
    """

    def ask(self) -> CompressionPlan | Stop:
        """The next plan to try, or that there is none."""
        ...

    def tell(self, scored: ScoredTrial) -> None:
        """What came of a plan.

        Nothing is to be learned from one that is incomplete: it can't be measured any more.
        """
        ...


class SamplerKind(Protocol):
    """An entry of the registry of samplers.

    One that needs a package which may not be there also offers `unusable() -> str | None`: why no
    sampler can be made here, a sentence that says what helps. It is asked before a search begins.

    Attributes:
        name: in the registry, in headers: "dqn".
        title: for people.
        presets: names of its own sets of hyper-parameters, the default one first.
    """

    name: str
    title: str
    presets: tuple[str, ...]

    def make(self, context: SearchContext) -> Sampler:
        """A fresh sampler of a search."""
        ...


def expected_gain(sampler: Sampler) -> float | None:
    """What going on may still add to the best reward; None if the sampler can't tell."""
    tell: Callable[[], float | None] | None = getattr(sampler, "expected_gain", None)
    return tell() if tell else None


def believed_quality(sampler: Sampler, plan: CompressionPlan) -> float | None:
    """A plan's quality as the sampler believes it; None if it can't tell."""
    name = "believed_quality"
    tell: Callable[[CompressionPlan], float | None] | None = getattr(sampler, name, None)
    return tell(plan) if tell else None
