"""What a run has not tried and may suit another demand better, as Q answers it at once.

The belief is told every trial of the run, held against the new demand; nothing is trained or
measured. What comes of it is *fitted*: it is shown beside the ranking, never in its table.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core import units
from adadeep.core.cost import Provenance, Quantity
from adadeep.core.cost_source import ENERGY
from adadeep.core.errors import AdaDeepError
from adadeep.core.metric import Scale
from adadeep.core.plan import CompressionPlan
from adadeep.core.plan_text import PlanText
from adadeep.core.reward import Reward
from adadeep.core.search import Goal, KnownCosts, ScoredTrial, SearchContext, TargetKnowledge
from adadeep.core.space import SearchSpace, build_space
from adadeep.core.trial import TrialState
from adadeep.cost.analytic import ANALYTIC
from adadeep.search.dqn.answer import Answer, answer_to
from adadeep.storage.records import JournalContent
from adadeep.study.bench import profile_of
from adadeep.study.choices import Choices
from adadeep.study.episodes import LEAST_GAIN
from adadeep.study.expected_time import with_expected_time
from adadeep.study.known import KnownBeforehand
from adadeep.study.ranking import RankedTarget
from adadeep.study.trials import INITIAL

_FEWEST = 5  # tried plans, besides the initial network
_MOST_TOLD = 400  # trials; the last ones
# Of what formulas are asked for: choices of neighbours, times layers. What is far beyond the
# networks of a search at hand would take seconds.
_MOST_WORK = 60_000
_TOLERANCE = 1e-9
_BELIEF, _FORMULA = "the belief of the search, told the run's trials", "the layers of the plan"
# A run of other packages or of a hostile hand, whose numbers no belief takes.
_UNTOLD = (AdaDeepError, ValueError, ArithmeticError, LookupError)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan that was not tried, and what is believed of it.

    Attributes:
        plan: not one of the run's.
        accuracy_loss: against the initial network, a fraction of the metric's range; fitted.
        latency_ms: T; fitted.
        energy_mj: E; analytic where a formula tells it, else fitted.
        storage_bytes: S_p; likewise.
        reward: R1 + R2 of these.
        keeps_limits: whether they keep all limits.
        reward_gain: by how much that is more than the best tried plan within the limits has; None
            where no tried plan is within.
    """

    plan: CompressionPlan
    accuracy_loss: float
    latency_ms: Quantity
    energy_mj: Quantity
    storage_bytes: Quantity
    reward: float
    keeps_limits: bool
    reward_gain: float | None

    @property
    def text(self) -> str:
        """The plan as `--try` takes it."""
        return self.plan.label


def propose(content: JournalContent, target: RankedTarget) -> Proposal | None:
    """The plan that Q decides on for a demand, if it is expected to do better than what was tried.

    Args:
        content: of the run's journal.
        target: of the run, ranked for the demand.

    Returns:
        None where that plan was tried or is not expected to do better, where too little was tried
        to believe anything, and where the space of the search can't be made again: a plug-in is
        missing, the techniques are others, the run is too old.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is left out below
            return _proposal(content, target)
    except _UNTOLD:
        return None


def space_of(content: JournalContent) -> SearchSpace | None:
    """What the last session of a run could decide on; None where that can't be made again.

    Raises:
        ConfigError: it kept layers that there are not.
    """
    artifact = content.artifact_of(INITIAL.key)
    if artifact is None or not content.sessions:
        return None
    session = content.sessions[-1].session
    named = (*session.only, *(plan.precision for plan in session.own_plans))
    whole = build_space(artifact.spec, list(TECHNIQUES.usable().values()), of_a_search(named))
    choices = Choices.of(whole, (), session.keep, session.only)
    return choices.space if choices.key == session.space else None


def _proposal(content: JournalContent, target: RankedTarget) -> Proposal | None:
    space = space_of(content)
    if space is None or not space.points or _work(space) > _MOST_WORK:
        return None
    known = KnownBeforehand(space.model, target.record.sources[ENERGY] == ANALYTIC.name)
    context = _context(content, target, space, known)
    answer = answer_to(context)
    if answer is None or answer.told < _FEWEST or answer.plan.key in content.trials:
        return None
    best = _best_within(target)
    if not _is_better(answer, target, best):
        return None
    if PlanText.read(answer.plan.label).plan(space) != answer.plan:
        return None  # names that --try can't be told
    return _of(answer, known(answer.plan), None if best is None else answer.reward - best)


def _work(space: SearchSpace) -> int:
    """How many networks formulas are asked for, times their layers."""
    choices = [len(point.options) for point in space.points]
    pairs = sum(one * other for one, other in itertools.pairwise(choices))
    return (sum(choices) + pairs) * len(space.model.layers)


def _context(
    content: JournalContent, target: RankedTarget, space: SearchSpace, known: KnownBeforehand
) -> SearchContext:
    """Of a search for the demand that is told all that was tried."""
    record, result = target.record, target.result
    knowledge = with_expected_time(
        TargetKnowledge(record.facts, profile_of(record.facts, lambda _: None)),
        record.target, space, known.network, lambda: None,
    )  # fmt: skip
    others = [scored for scored in result.trials if scored.trial.plan != INITIAL]
    told = [result.baseline, *others[-_MOST_TOLD:]]
    return SearchContext(
        space=space,
        goals=(Goal(record.key, target.demand, result.limits),),
        seed=content.sessions[-1].session.seed,
        known_costs=known,
        targets=(knowledge,),
        history=tuple(ScoredTrial((scored,)) for scored in told),
        scale=result.scale,
    )


def _competing(target: RankedTarget) -> list[Reward]:
    """Of the plans whose costs are known and that did not lose too much on held-back samples."""
    refuted = target.conclusion.refuted
    return [
        scored.reward
        for scored in target.result.trials
        if scored.trial.state is TrialState.COMPLETE and scored.trial.plan.key not in refuted
    ]


def _best_within(target: RankedTarget) -> float | None:
    """What the best tried plan within all limits earns; None where none is."""
    return max((one.total for one in _competing(target) if one.is_feasible), default=None)


def _is_better(answer: Answer, target: RankedTarget, best: float | None) -> bool:
    """Whether more is expected of an answer than what was tried has, worth another trial."""
    is_within = answer.violation <= _TOLERANCE
    if best is not None:
        return is_within and answer.reward >= best + LEAST_GAIN
    broken = [one.violation for one in _competing(target) if one.violation is not None]
    return is_within or answer.violation <= min(broken, default=np.inf) - LEAST_GAIN


def _of(answer: Answer, known: KnownCosts | None, gain: float | None) -> Proposal:
    """With what formulas tell exactly.

    Raises:
        ValueError: a number is not finite.
    """
    energy = known.energy_mj if known else None
    numbers = np.array([answer.loss, answer.reward, answer.violation])
    if not np.isfinite(numbers).all():
        raise ValueError("what is believed is no number")
    return Proposal(
        plan=answer.plan,
        accuracy_loss=answer.loss,
        latency_ms=Quantity(answer.latency_ms, Provenance.FITTED, _BELIEF),
        energy_mj=_quantity(answer.energy_mj, energy),
        storage_bytes=_quantity(answer.storage_bytes, known.storage_bytes if known else None),
        reward=answer.reward,
        keeps_limits=answer.violation <= _TOLERANCE,
        reward_gain=gain,
    )


def _quantity(believed: float, known: float | None) -> Quantity:
    if known is None:
        return Quantity(believed, Provenance.FITTED, _BELIEF)
    return Quantity(known, Provenance.ANALYTIC, _FORMULA)


def proposal_line(found: Proposal, scale: Scale) -> str:
    """For people: what is proposed, and what is believed of it."""
    told: dict[str, list[str]] = {Provenance.FITTED: [], Provenance.ANALYTIC: []}
    told[Provenance.FITTED].append(
        f"{scale.title} loss {units.format_percent(found.accuracy_loss)}"
    )
    for name, quantity, show in (
        ("T", found.latency_ms, units.format_ms),
        ("E", found.energy_mj, units.format_mj),
        ("S_p", found.storage_bytes, units.format_bytes),
    ):
        told[quantity.provenance].append(f"{name} {show(quantity.value)}")
    parts = [f"{', '.join(texts)} ({name})" for name, texts in told.items() if texts]
    return f"untried: {found.text} {_promise(found)}: {', '.join(parts)}; not measured"


def _promise(found: Proposal) -> str:
    if found.reward_gain is not None:
        return f"may earn {found.reward_gain:.3f} more"
    return "may be within the limits" if found.keeps_limits else "may come nearer to the limits"


def proposal_as_json(found: Proposal) -> dict[str, Any]:
    """For JSON: keys as in docs/json.md, without the command."""
    return {
        "label": found.plan.label,
        "key": found.plan.key,
        "plan": json.loads(found.plan.canonical_json),
        "accuracy_loss": {"value": found.accuracy_loss, "provenance": Provenance.FITTED},
        "latency_ms": asdict(found.latency_ms),
        "energy_mj": asdict(found.energy_mj),
        "storage_bytes": asdict(found.storage_bytes),
        "keeps_limits": found.keeps_limits,
        "reward": found.reward,
        "reward_gain": found.reward_gain,
    }
