"""What can be said of a trial against the limits of the demand. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from adadeep.core.cost import Quantity
from adadeep.core.metric import Scale
from adadeep.core.paired import Paired, PairedCounts, PairedScores
from adadeep.core.scores import SampleScores
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.search.reward import Limits
from adadeep.storage.journal import HeldTest, JournalContent
from adadeep.study.results import ScoredTrial

# Over all finalists that a run ever tests, the probability that one is called met on the accuracy
# and is not. The first one gets half of it, each further one half of what is left. Whom to test
# next depends on whether an earlier one was met, and halving makes that harmless: with f(k) the
# error from the k-th on, a bad finalist adds at most tail(k) to f(k + 1), and a good one, which
# adds nothing, at most doubles f(k + 1) by branching: f(k) = 2 tail(k) solves both, and f(1) is
# ERROR_RATE. Other weights need another proof.
ERROR_RATE = 0.05
# Later ones would have less error than the transform of the exact law resolves.
MOST_TESTS = 30
_ITSELF = "the initial network itself"
# The exact interval over the normal approximation, about; only to choose finalists. A Bernstein
# interval is wider, and on few samples too wide for any plan to be met; what is worth an estimate
# is tested all the same, for a level that is lost costs such an interval little.
_WIDER = 1.15


def tail_of(number: int) -> float:
    """The error that each end of the interval of the n-th finalist (from 1) may have."""
    return ERROR_RATE / 2.0**number


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds trials against the limits.

    Attributes:
        max_accuracy_loss: that the demand allows, a fraction of the metric's range.
        limits: of the costs.
        baseline: the initial network.
        content: of the journal: the scores of each network, and what they mean.
    """

    max_accuracy_loss: float
    limits: Limits
    baseline: ScoredTrial
    content: JournalContent

    @property
    def next_number(self) -> int:
        """Of the next finalist, from 1."""
        return 1 + max((test.number for test in self.content.held_tests.values()), default=0)

    def verdicts(self, scored: ScoredTrial) -> Verdicts | None:
        """Of all limits; None for a failed trial."""
        trial, cost, limits = scored.trial, scored.trial.cost, self.limits
        if trial.accuracy is None or cost is None:
            return None
        own = scored is self.baseline
        return Verdicts(
            accuracy_loss=self._accuracy_loss(scored, trial.accuracy),
            latency_ms=_of_quantity(limits.max_latency_ms, cost.latency_ms, own),
            energy_mj=_of_quantity(limits.max_energy_mj, cost.energy_mj, own),
            storage_bytes=Verdict.exact(
                limits.max_storage_bytes, cost.storage_bytes, "counted (Eq. 3)"
            ),
        )

    def held_test(self, scored: ScoredTrial) -> HeldTest | None:
        """Its test on the held-back samples; None if it had none, or with another model."""
        test = self.content.held_tests.get(scored.trial.plan.key)
        return test if test and test.model_sha256 == scored.trial.model_sha256 else None

    def _accuracy_loss(self, scored: ScoredTrial, accuracy: float) -> Verdict:
        limit = self.max_accuracy_loss
        if scored is self.baseline:
            return Verdict.exact(limit, 0.0, _ITSELF)
        test, initial = self.held_test(scored), self.held_test(self.baseline)
        if test is None or initial is None or test.correct.count != initial.correct.count:
            seen = self.on_search(scored)
            known = self.baseline.trial.accuracy or 0.0
            loss = seen.loss if seen else self.content.scale.loss(known, accuracy)
            return Verdict(limit, loss, basis="the search's own validation samples, no interval")
        held = compared(self.content.scale, initial.correct, test.correct)
        low, high = held.interval(tail_of(test.number))
        return Verdict(limit, held.loss, low, high, f"{held.samples} held-back samples")

    def on_search(self, scored: ScoredTrial) -> Paired | None:
        """Against the initial network on the search's samples; None in a journal of 0.1."""
        mine, initial = self._scores(scored), self._scores(self.baseline)
        if mine is None or initial is None or mine.count != initial.count:
            return None
        return compared(self.content.scale, initial, mine)

    def _scores(self, scored: ScoredTrial) -> SampleScores | None:
        artifact = self.content.artifacts.get(scored.trial.plan.key)
        return artifact.correct if artifact else None

    def chance_to_pass(self, scored: ScoredTrial, number: int, held_back: int) -> float:
        """How likely the accuracy is called met, were this the n-th finalist.

        A normal approximation from the search's samples; it chooses what is tested and claims
        nothing.

        Args:
            scored: a complete trial.
            number: of the finalist, from 1.
            held_back: samples that it would be tested on.
        """
        seen = self.on_search(scored)
        if seen is None:
            return 0.5 if scored.reward.is_feasible else 0.0
        on_held, on_search = (seen.square / held_back) ** 0.5, (seen.square / seen.samples) ** 0.5
        needed = -NormalDist().inv_cdf(tail_of(number)) * _WIDER * on_held
        spread = (on_held**2 + on_search**2) ** 0.5
        return NormalDist().cdf((self.max_accuracy_loss - needed - seen.loss) / spread)


def compared(scale: Scale, initial: SampleScores, mine: SampleScores) -> Paired:
    """A network against the initial one on the same samples.

    Raises:
        ValueError: they are not of the same samples.
    """
    first, second = initial.array, mine.array
    if not scale.higher_is_better:
        first, second = second, first
    if scale.is_binary:
        return PairedCounts.of(first, second)
    return PairedScores.of(first, second, scale.span)


def _of_quantity(limit: float, quantity: Quantity, is_own: bool) -> Verdict:
    """A measured number has the interval that it was measured with; a formula's is exact.

    A limit that the initial network's own cost has set is kept by it, whatever the interval.
    """
    if is_own and quantity.value == limit:
        return Verdict.exact(limit, quantity.value, _ITSELF)
    if quantity.provenance.is_modelled and quantity.low is None:
        return Verdict.exact(limit, quantity.value, str(quantity.provenance))
    basis = str(quantity.provenance)
    return Verdict(limit, quantity.value, quantity.low, quantity.high, basis)
