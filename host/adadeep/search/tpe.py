"""tpe: Optuna's tree-structured Parzen estimator, multivariate, by its ask and tell.

It suggests an option for every point; layers behind one whose action replaces them are then left
alone. What it minimises is one number that orders plans as their rank does: what breaks no limit
comes before what breaks one, and that before what failed.
"""

from __future__ import annotations

import importlib.util
import random
import warnings
from typing import TYPE_CHECKING

from adadeep.core.errors import ConfigError
from adadeep.core.plan import CompressionPlan
from adadeep.core.search import ScoredTrial, SearchContext, Stop
from adadeep.search.explored import Explored, Rank
from adadeep.search.moves import Decisions, repaired

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

_TRIES = 10
_BREAKS, _FAILED = 1e6, 1e12  # beyond all rewards; beyond all violations


class TpeSampler:
    """Asks Optuna anew where a suggestion is known already, and draws a plan in the end.

    Optuna hears only of plans whose outcome is known; what is open it just may not suggest again.

    Args:
        context: of the search.

    Raises:
        ConfigError: Optuna is not installed.
    """

    def __init__(self, context: SearchContext) -> None:
        self._space = context.space
        self._rng = random.Random(context.seed)
        self._explored = Explored(context)
        self._study = _quiet_study(context.seed)
        self._options = _distributions(context)
        for decisions in self._explored.known:
            self._learn(decisions)

    def ask(self) -> CompressionPlan | Stop:
        """The next plan; never one that was asked for or told before."""
        if self._explored.is_exhausted:
            return Stop("every plan was tried")
        for _ in range(_TRIES):
            decisions = self._suggested()
            if self._explored.is_new(decisions):
                return self._explored.ask(decisions)
        return self._explored.ask(self._explored.draw(self._rng))

    def tell(self, scored: ScoredTrial) -> None:
        """Lets Optuna know, also of a plan that it did not suggest."""
        decisions = self._explored.tell(scored)
        if decisions is not None:
            self._learn(decisions)

    def _suggested(self) -> Decisions:
        from optuna.trial import TrialState

        trial = self._study.ask(self._options)
        self._study.tell(trial, state=TrialState.FAIL)  # what comes of it is told by `_learn`
        return repaired(self._space, [trial.params[name] for name in self._options])

    def _learn(self, decisions: Decisions) -> None:
        from optuna.trial import create_trial

        rank = self._explored.rank(decisions)
        if rank is None:  # incomplete
            return
        parameters = dict(zip(self._options, decisions, strict=True))
        told = create_trial(params=parameters, distributions=self._options, value=_minimised(rank))
        self._study.add_trial(told)


def _minimised(rank: Rank) -> float:
    """Sorts as ranks do, except among those that break limits equally."""
    violation, lost = rank
    if violation == 0:
        return lost
    return min(_BREAKS + violation, _FAILED)


def _quiet_study(seed: int) -> Study:
    """A study that tells nobody of it: no log, no warning that something is experimental."""
    try:
        import optuna
    except ImportError as error:
        raise _not_installed() from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    return optuna.create_study(sampler=sampler)


def _not_installed() -> ConfigError:
    return ConfigError(
        "the sampler tpe needs Optuna, which is not installed; run: pip install 'adadeep[tpe]', or"
        " take another --sampler."
    )


def _distributions(context: SearchContext) -> dict[str, BaseDistribution]:
    """By the number of a point (a layer may have any name): its options."""
    from optuna.distributions import CategoricalDistribution

    points = context.space.points
    return {str(place): CategoricalDistribution(one.options) for place, one in enumerate(points)}


class TpeKind:
    """The "tpe" entry of the registry; Optuna is imported when a sampler is made."""

    name = "tpe"
    title = "multivariate tree-structured Parzen estimator (Optuna)"
    presets = ("default",)

    def unusable(self) -> str | None:
        """Why no sampler can be made here, and what helps; None if one can."""
        return None if importlib.util.find_spec("optuna") else str(_not_installed())

    def make(self, context: SearchContext) -> TpeSampler:
        """A sampler that knows the history only.

        Raises:
            ConfigError: Optuna is not installed.
        """
        return TpeSampler(context)


TPE = TpeKind()
