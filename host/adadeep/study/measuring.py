"""How a study measures: which models meet in a session, how long it takes, what comes of it.

- The *unit* of a target is the initial network's latency, measured well once, beside the sharp
  reference. Where that network can't run, the sharp reference is the unit.
- A *candidate* runs beside one or two references, in a session of a second.
- The unit is *measured again* before the first candidate of each later command, so that a device
  which became slower or faster meanwhile is known.
- *Finalists* meet in one session.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from adadeep.core.cost import COLD, MEDIAN
from adadeep.core.cost_source import UnitLatency
from adadeep.core.device import DeviceFacts
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.noise import NoiseModel
from adadeep.core.noise_plans import Offered, plan_for
from adadeep.core.noise_pool import Like
from adadeep.core.plan import CompressionPlan
from adadeep.core.session import MeasuredTogether
from adadeep.core.units import format_percent
from adadeep.storage.records import JournalContent, TargetRecord, Unit
from adadeep.study.jobs import MeasureJob
from adadeep.study.ratios import TargetRatios
from adadeep.study.references import SHARP, Reference, chosen, sharp_model, sharp_sha256

COLD_RUNS = 1  # a placement and model
_LEAST_COLD_BYTES, _MOST_COLD_BYTES = 4 << 20, 64 << 20
_LEAST_DRIFT = 0.02  # said


@dataclass(frozen=True, slots=True)
class Wish:
    """What a session of a study is to come to; how it goes follows from the device's noise.

    Attributes:
        budget_ms: the longest time of it all.
        aim: half-width of the ratios' intervals that is enough, relative.
        launches: of the agent's process.
    """

    budget_ms: float
    aim: float
    launches: int = 1

    def plan(self, noise: NoiseModel, models: Sequence[Like]) -> MeasuringPlan:
        """The plan for models of which so much is known: on a quiet device few long placements."""
        return plan_for(noise, models, self.budget_ms, self.aim).plan


# Enough is half a percent (of the unit and of finalists a tenth), which a quiet device comes to
# long before the time is over.
CANDIDATE = Wish(1000.0, 0.005)
UNIT = Wish(4500.0, 0.001, 3)
FINAL = Wish(5000.0, 0.001, 2)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study measures.

    Attributes:
        content: of the journal, as it grows.
        record: of the target.
        resource: what measuring there needs for itself alone.
        noise: of the device as it is known now.
        has: whether a model is in the run's store.
        statistic: which latency the demand there names.
    """

    content: JournalContent
    record: TargetRecord
    resource: str
    noise: NoiseModel
    has: Callable[[str], bool]
    statistic: str = MEDIAN

    def is_measured(self, model_sha256: str) -> bool:
        """Whether a session tells what is wanted of a model."""
        return self._ratios.first(model_sha256, self.statistic) is not None

    def unit_job(self, model_sha256: str | None) -> MeasureJob:
        """Measures the unit: of the initial network, or (None) of the sharp reference alone."""
        names = (SHARP,) if model_sha256 is None else (model_sha256, SHARP)
        return self._job(CompressionPlan(), names, UNIT)

    def again_job(self) -> MeasureJob | None:
        """Measures the unit once more, in a second; None where its model has gone."""
        unit = self.content.units[self.record.key]
        if not unit.latency.is_initial:
            return self._job(CompressionPlan(), (SHARP,), CANDIDATE)
        if not self.has(unit.model_sha256):
            return None
        return self._job(CompressionPlan(), (unit.model_sha256, SHARP), CANDIDATE)

    def candidate_job(
        self, plan: CompressionPlan, model_sha256: str, best: str | None
    ) -> MeasureJob:
        """Measures a plan's network beside references.

        Args:
            plan: that made it.
            model_sha256: of it.
            best: the hash of the best plan's so far; None where there is none.
        """
        known = [one for one in self._references(best) if one.name != model_sha256]
        model_bytes = self._bytes_of(model_sha256)
        names = (model_sha256, *chosen(known, self.noise, model_bytes, MeasuringPlan()))
        return self._job(plan, names, CANDIDATE)

    def final_job(self, model_sha256s: tuple[str, ...]) -> MeasureJob | None:
        """Lets finalists meet; None where they have met already."""
        for session in self._ratios.sessions:
            launches = {p.launch for one in session.measurements for p in one.placements}
            is_final = len(launches) >= FINAL.launches
            if is_final and all(session.of(sha256) for sha256 in model_sha256s):
                return None
        return self._job(CompressionPlan(), model_sha256s, FINAL)

    def unit_of(self, session: MeasuredTogether, reason: str | None = None) -> Unit:
        """The unit as a session tells it, which measured it first.

        How far the device was off its centre meanwhile the references in the session tell.

        Args:
            session: in which its model is the first.
            reason: why it is not the initial network's; None if it is.
        """
        first = session.measurements[0]
        found = self.noise.latency([first], session)
        latency = UnitLatency(
            found.median_ms,
            min(found.low_ms, found.median_ms),
            max(found.high_ms, found.median_ms),
            reason is None,
        )
        return Unit(
            self.record.key, first.model_sha256, (session.id,), latency, found.basis, self.noise,
            reason,
        )  # fmt: skip

    @property
    def _ratios(self) -> TargetRatios:
        return TargetRatios(self.content, self.record.key)

    def _references(self, best: str | None) -> Iterator[Reference]:
        """The sharp one, the best plan so far and the initial network, as far as known."""
        unit, sharp = self.content.units[self.record.key], sharp_sha256()
        for sha256 in dict.fromkeys((sharp, best, unit.model_sha256)):
            ratio = self._ratios.to_unit(sha256) if sha256 is not None else None
            if sha256 is None or ratio is None or not (sha256 == sharp or self.has(sha256)):
                continue
            name = SHARP if sha256 == sharp else sha256
            yield Reference(name, Offered(self._like(name), ratio.log_sd))

    def _like(self, name: str) -> Like:
        """Size and time of a model of a job."""
        is_sharp = name == SHARP
        size = len(sharp_model()) if is_sharp else self._bytes_of(name)
        latency_ms = self._expected_ms(sharp_sha256() if is_sharp else name, size)
        return Like(size, latency_ms, self.noise.cache_bytes)

    def _expected_ms(self, model_sha256: str, size: int) -> float:
        """What is measured; else the unit's, or a reference's that is about as large."""
        unit = self.content.units.get(self.record.key)
        if unit is None:
            alike = min(
                self.noise.references, key=lambda one: abs(math.log(one.model_bytes / size))
            )
            return alike.latency_ms
        ratio = self._ratios.to_unit(model_sha256)
        return unit.latency.latency_ms * (1.0 if ratio is None else ratio.value)

    def _bytes_of(self, model_sha256: str) -> int:
        artifacts = self.content.artifacts.values()
        sizes = (a.file_bytes for a in artifacts if a.model_sha256 == model_sha256)
        return max(next(sizes, 1), 1)

    def _job(self, plan: CompressionPlan, names: tuple[str, ...], wish: Wish) -> MeasureJob:
        measuring = wish.plan(self.noise, [self._like(name) for name in names])
        # A session is named by models and plan: the same ones again are another session.
        measuring = replace(measuring, seed=len(self.content.measured))
        if self.statistic == COLD:
            measuring = replace(
                measuring, cold_runs=COLD_RUNS, cold_bytes=cold_bytes(self.record.facts)
            )
        return MeasureJob(plan, self.record.key, names, self.resource, measuring, wish.launches)


def cold_bytes(facts: DeviceFacts) -> int:
    """Twice the last cache of a device, where that is known: what drives all else out of it."""
    last = max((cache.size_bytes for cache in facts.caches), default=_MOST_COLD_BYTES)
    return min(max(2 * last, _LEAST_COLD_BYTES), _MOST_COLD_BYTES)


def drift_of(content: JournalContent, target: str) -> float:
    """The unit's latency when it was measured last over what it is for good."""
    unit, later = content.units.get(target), content.units_later.get(target)
    return later.latency.latency_ms / unit.latency.latency_ms if unit and later else 1.0


def drift_line(content: JournalContent, record: TargetRecord) -> str | None:
    """For people: "Pixel 7 is 8 % slower than then"; None where it is about the same."""
    drift = drift_of(content, record.key)
    if abs(drift - 1) < _LEAST_DRIFT:
        return None
    way = "slower" if drift > 1 else "faster"
    return (
        f"{record.target.device_title} is {format_percent(abs(drift - 1))} {way} than when this"
        " search began. Plans are compared by ratios and keep their order; what is said of limits"
        " in ms allows for it."
    )


def is_of(session: MeasuredTogether, known: set[str]) -> bool:
    """Whether all models of a session are known ones."""
    return all(one.model_sha256 in known for one in session.measurements)
