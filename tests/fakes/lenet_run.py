"""A run's folder of searches of a LeNet whose truth is simulated: what plans cost, and lose."""

from __future__ import annotations

import hashlib

import numpy as np

from adadeep.compress.registry import TECHNIQUES
from adadeep.convert.precisions.registry import of_a_search
from adadeep.core.cost import Cost, Provenance, Quantity
from adadeep.core.demand import UserDemand
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.plan import CompressionPlan
from adadeep.core.scores import SampleScores
from adadeep.core.space import build_space
from adadeep.cost.formulas import energy_mj
from adadeep.search.registry import SAMPLERS
from adadeep.storage.journal import Journal
from adadeep.storage.records import Artifact, Ask, Session, TrialRecord, content_key
from adadeep.study.choices import Choices
from adadeep.study.known import KnownBeforehand
from adadeep.study.references import sharp_model
from adadeep.testing.measurements import together
from fakes.lenet_spec import lenet_spec
from fakes.search_parts import target_record, unit_of
from fakes.simulated import Simulated

LENET = build_space(
    lenet_spec(), list(TECHNIQUES.usable().values()), of_a_search()
)  # fmt: skip
INITIAL = CompressionPlan()
SAMPLES = 2000
_SHARP_NS = 100_000


class LenetTruth(Simulated):
    """Losses and times are drawn from the seed; S_p and E are those of the network of a plan."""

    def __post_init__(self):
        super().__post_init__()
        self.formulas = KnownBeforehand(self.space.model, knows_energy=True)

    def known(self, plan):
        """None where a technique can't tell beforehand."""
        return self.formulas(plan)

    def network(self, plan):
        """What a plan makes; a choice that no formula tells changes nothing."""
        told = [one for one in plan.choices if self.formulas(CompressionPlan((one,)))]
        return self.formulas.network(CompressionPlan(tuple(told), plan.precision))

    def cost(self, plan):
        spec = self.network(plan)
        return Cost(
            Quantity(self.latency_ms(plan), Provenance.MEASURED),
            Quantity(energy_mj(spec), Provenance.ANALYTIC),
            spec.parameter_storage_bytes, spec.activation_storage_bytes, None, spec.macs,
        )  # fmt: skip


def truth(seed, demand=None):
    """What every plan of a LeNet turns out to be on the device."""
    return LenetTruth(LENET, demand or UserDemand(), seed, target=target_record().key)


def played(of, count):
    """What an engineer tries first, told what comes of it."""
    sampler, plans = SAMPLERS.get("sweep").make(of.context()), []
    while len(plans) < count:
        plans.append(sampler.ask())
        sampler.tell(of.scored(plans[-1]))
    return plans


def write_lenet_run(folder, of, plans, keep=(), only=(), **changes):
    """A run that tried those plans on one device or several.

    Args:
        folder: to be made.
        of: the simulated truth; the same on every device.
        plans: in their order.
        keep: layers that the search kept.
        only: names that it chose among.
        changes: `targets` (records), or fields of the session.
    """
    targets = changes.pop("targets", [target_record()])
    whole = build_space(
        of.space.model, list(TECHNIQUES.usable().values()), of_a_search()
    )  # fmt: skip
    session = {
        "sampler": "sweep", "preset": "default", "seed": 0, "look_ahead": 1,
        "demands": {one.key: of.demand for one in targets},
        "space": Choices.of(whole, (), keep, only).key, "keep": keep, "only": only,
    } | changes  # fmt: skip
    with Journal.open(folder) as journal:
        journal.begin({"task": "digits"})
        for record in targets:
            journal.defer(record)
        journal.defer(Session(**session))
        _add(journal, of, INITIAL, targets)
        for number, plan in enumerate(plans, start=1):
            journal.add(Ask(number, plan))
            _add(journal, of, plan, targets)
    return folder


def _add(journal, of, plan, targets):
    model, key = f"model of {plan.canonical_json}".encode(), content_key("basis", plan)
    right = np.arange(SAMPLES) < round(of.accuracy(plan) * SAMPLES)
    sha256 = hashlib.sha256(model).hexdigest()
    journal.add(
        Artifact(
            key, plan.key, sha256, len(model), float(right.mean()), SampleScores.of(right),
            of.network(plan),
        )
    )  # fmt: skip
    measured = {}
    for record in targets:
        models, plan_ns = (model, sharp_model()), round(of.latency_ms(plan) * 1e6)
        seed = MeasuringPlan(seed=len(journal.content.measured))
        session = together(models, (plan_ns, _SHARP_NS), record.target, seed)
        journal.add(session)
        measured[record.key] = session.id
        if plan == INITIAL:
            journal.add(unit_of(session))
    journal.add(TrialRecord(plan, key, measured))
