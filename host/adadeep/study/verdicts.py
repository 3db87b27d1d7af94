"""What can be said of a trial against the limits of the demand. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from adadeep.core.cost import MEDIAN, Quantity
from adadeep.core.paired import Paired
from adadeep.core.reward import Limits
from adadeep.core.scores import SampleScores, compared, least_margin
from adadeep.core.search import GoalScore
from adadeep.core.verdict import Verdict, Verdicts
from adadeep.storage.records import HeldTest, JournalContent
from adadeep.study.measuring import drift_of

# Over all finalists that a run ever tests, the probability that one is called met on the accuracy
# and is not. With one limit of the accuracy loss the first finalist gets half of it, each further
# one half of what is left; with g different limits (devices may have their own) the part is 1 of
# g + 1. Whom to test next depends on which limits an earlier one was found to keep, one of g + 1
# outcomes. Let f(k) be the error from the k-th on. A finalist that keeps all limits adds none and
# branches: (g + 1) f(k + 1). One that breaks some adds at most tail(k), the outcomes with such an
# error need no going on, and at most g others are left: tail(k) + g f(k + 1). So
# f(k) = (g + 1) tail(k) where tail(k + 1) = tail(k) / (g + 1), and f(1) is ERROR_RATE. Other
# weights need another proof; a limit chosen after its test was seen is outside of this one.
ERROR_RATE = 0.05
# Later ones would have less error than the transform of the exact law resolves.
MOST_TESTS = 30
_ITSELF = "the initial network itself"
# The exact interval over the normal approximation, about; only to choose finalists. One by betting
# is wider, and on few samples too wide for any plan to be met; what is worth an estimate
# is tested all the same, for a level that is lost costs such an interval little.
_WIDER = 1.15


def next_tail(tests: Iterable[HeldTest], limits: int = 1) -> float:
    """The error that each end of the next finalist's interval may have.

    Args:
        tests: all that were ever made in the run.
        limits: how many different limits of the accuracy loss plans are held against.
    """
    return min((test.tail for test in tests if test.number), default=ERROR_RATE) / (limits + 1)


@dataclass(frozen=True, slots=True)
class Judge:
    """Holds trials against the limits.

    Attributes:
        max_accuracy_loss: that the demand allows, a fraction of the metric's range.
        limits: of the costs.
        baseline: the initial network.
        content: of the journal: the scores of each network, and what they mean.
        loss_limits: how many different limits of the accuracy loss the run has.
    """

    max_accuracy_loss: float
    limits: Limits
    baseline: GoalScore
    content: JournalContent
    loss_limits: int = 1

    @property
    def next_number(self) -> int:
        """Of the next finalist, from 1."""
        return 1 + max((test.number for test in self.content.held_tests.values()), default=0)

    @property
    def next_tail(self) -> float:
        """Of the next finalist's interval."""
        return next_tail(self.content.held_tests.values(), self.loss_limits)

    def verdicts(self, scored: GoalScore) -> Verdicts | None:
        """Of all limits; None for a failed trial."""
        trial, cost, limits = scored.trial, scored.trial.cost, self.limits
        if trial.accuracy is None or cost is None:
            return None
        own = scored is self.baseline
        return Verdicts(
            accuracy_loss=self._accuracy_loss(scored, trial.accuracy),
            latency_ms=self._latency(cost.latency_ms, own),
            energy_mj=_of_quantity(limits.max_energy_mj, cost.energy_mj, own),
            storage_bytes=Verdict.exact(
                limits.max_storage_bytes, cost.storage_bytes, "counted (Eq. 3)"
            ),
        )

    def held_test(self, scored: GoalScore) -> HeldTest | None:
        """Its test on the held-back samples; None if it had none, or with another model."""
        test = self.content.held_tests.get(scored.trial.plan.key)
        return test if test and test.model_sha256 == scored.trial.model_sha256 else None

    def _accuracy_loss(self, scored: GoalScore, accuracy: float) -> Verdict:
        limit = self.max_accuracy_loss
        if scored is self.baseline:
            return Verdict.exact(limit, 0.0, _ITSELF)
        test, initial = self.held_test(scored), self.held_test(self.baseline)
        if test is None or initial is None or test.scores.count != initial.scores.count:
            seen = self.on_search(scored)
            known = self.baseline.trial.accuracy or 0.0
            loss = seen.loss if seen else self.content.scale.loss(known, accuracy)
            return Verdict(limit, loss, basis="the search's own validation samples, no interval")
        held = compared(self.content.scale, initial.scores, test.scores)
        low, high = held.interval(test.tail)
        return Verdict(limit, held.loss, low, high, f"{held.samples} held-back samples")

    def _latency(self, latency: Quantity, is_own: bool) -> Verdict:
        """T against its limit.

        One that the initial network's T has set is judged by the ratio to that alone, whatever the
        unit's own uncertainty; one in ms by both, and by how the device has changed since.
        """
        limit, initial = self.limits.max_latency_ms, self.baseline.trial.cost
        is_set_by_initial = initial is not None and initial.latency_ms.value == limit
        is_itself = is_own and is_set_by_initial
        if is_itself or latency.low is None or latency.high is None:
            return _of_quantity(limit, latency, is_itself)
        ratio = latency.ratio if latency.statistic == MEDIAN else None
        if is_set_by_initial and ratio is not None:
            basis = f"{latency.provenance} in turn with the initial network"
            return Verdict(limit, latency.value, limit * ratio.low, limit * ratio.high, basis)
        drift = drift_of(self.content, self.baseline.target)
        low, high = latency.low * min(1.0, drift), latency.high * max(1.0, drift)
        return Verdict(limit, latency.value, low, high, _basis(latency, drift))

    def on_search(self, scored: GoalScore) -> Paired | None:
        """Against the initial network on the search's samples; None where one has no network."""
        mine, initial = self._scores(scored), self._scores(self.baseline)
        if mine is None or initial is None or mine.count != initial.count:
            return None
        return compared(self.content.scale, initial, mine)

    def _scores(self, scored: GoalScore) -> SampleScores | None:
        artifact = self.content.artifact_of(scored.trial.plan.key)
        return scored.trial.scores or (artifact.scores if artifact else None)

    def can_be_met(self, held_back: int) -> bool:
        """Whether a finalist that errs as the initial network does could be met on the accuracy.

        On few samples, or after many tests, it could not be told apart from one that loses more
        than the limit.

        Args:
            held_back: samples that it would be tested on.
        """
        initial = self._scores(self.baseline)
        share = held_back / initial.count if initial else 0.0
        found = [int(share * number) for number in initial.outcomes] if initial else [held_back]
        margin = least_margin(held_back, self.next_tail, self.content.scale, *found)
        return margin <= self.max_accuracy_loss

    def chance_to_pass(self, scored: GoalScore, held_back: int) -> float:
        """How likely the accuracy is called met, were this the next finalist.

        A normal approximation from the search's samples; it chooses what is tested and claims
        nothing.

        Args:
            scored: a complete trial.
            held_back: samples that it would be tested on.
        """
        return self._chance(scored, held_back, -NormalDist().inv_cdf(self.next_tail) * _WIDER)

    def chance_within(self, scored: GoalScore, held_back: int) -> float:
        """How likely the estimate by so many held-back samples is within the limit; as above."""
        return self._chance(scored, held_back, 0.0)

    def _chance(self, scored: GoalScore, held_back: int, errors: float) -> float:
        """How likely the estimate is within the limit by so many of its standard errors."""
        seen = self.on_search(scored)
        if seen is None:
            return 0.5 if scored.reward.is_feasible else 0.0
        on_held, on_search = (seen.square / held_back) ** 0.5, (seen.square / seen.samples) ** 0.5
        spread = (on_held**2 + on_search**2) ** 0.5
        return NormalDist().cdf((self.max_accuracy_loss - errors * on_held - seen.loss) / spread)


def _basis(latency: Quantity, drift: float) -> str:
    """What a verdict on T rests on: "measured, p95; the device takes 8 % more now"."""
    what = "" if latency.statistic == MEDIAN else f", {latency.statistic}"
    now = "" if drift == 1.0 else f"; the device takes {drift:.2f} times as long now"
    return f"{latency.provenance}{what}{now}"


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
