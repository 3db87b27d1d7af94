"""How the layers of a profile's table are measured, with a meter that is played."""

import hashlib
from dataclasses import replace

import pytest

from adadeep.core.errors import AgentError, TransientDeviceError
from adadeep.core.noise import PRIOR
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.layer_table import LAYER_PLAN, measure_layers
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.reference_models import SHARP, reference_model
from adadeep.testing.measurements import target, together

LAYERS = tuple(SingleLayer(dense(8, units)) for units in range(2, 12))
MODELS = [tflite_of(single) for single in LAYERS]
OURS = reference_model(SHARP)


class PlayedMeter:
    """Measures what it is told to; `fail` gives the error of a session, if it fails."""

    study, noise = "5717d1e5", PRIOR

    def __init__(self, recovered=(), fail=lambda models, number: None):
        self.target, self.recovered, self.fail = target(), tuple(recovered), fail
        self.asked, self.acknowledged = [], []

    def measure(self, models, plan, launches=1):
        self.asked.append(list(models))
        error = self.fail(list(models), len(self.asked))
        if error:
            raise error
        return together(models, plan=plan)

    def acknowledge(self, ids):
        self.acknowledged += ids


def table(meter, known=None):
    told = []
    return measure_layers(meter, LAYERS, known or {}, told.extend), told


def blame(model, code="unsupported_op"):
    def fail(models, number):
        return AgentError("lacks it", code, model_name(model)) if model in models else None

    return fail


def test_layers_are_measured_several_in_turn_with_one_network_of_ours():
    meter = PlayedMeter()
    entries, told = table(meter)
    assert [entry.key for entry in entries] == [single.key for single in LAYERS]
    assert list(entries) == told
    assert meter.asked == [[*MODELS[:7], OURS], [*MODELS[7:], OURS]]
    ours_ms = together([OURS]).measurements[0].latency_ms
    for entry, model in zip(entries, MODELS, strict=True):
        assert entry.measurement.model_sha256 == hashlib.sha256(model).hexdigest()
        assert entry.reference_ms == ours_ms


def test_known_entries_are_taken_over_and_not_told_again():
    entries, _ = table(PlayedMeter())
    meter = PlayedMeter()
    again, told = table(meter, {entry.key: entry for entry in entries[:4]})
    assert again[:4] == entries[:4]
    assert meter.asked == [[*MODELS[4:], OURS]]
    assert len(told) == 6


def test_a_layer_that_the_device_can_not_run_is_an_entry_and_the_others_are_measured():
    meter = PlayedMeter(fail=blame(MODELS[2]))
    entries, told = table(meter)
    assert (entries[2].error, entries[2].measurement) == ("lacks it", None)
    assert sum(entry.measurement is not None for entry in entries) == 9
    assert meter.asked[1] == [*MODELS[:2], *MODELS[3:7], OURS]
    assert len(told) == 10


def test_where_nobody_knows_whose_fault_it_is_each_is_measured_alone():
    def fail(models, number):
        if MODELS[1] in models:
            return AgentError("gone", "agent_died")
        return AgentError("too many", "out_of_memory") if len(models) > 2 else None

    entries, _ = table(PlayedMeter(fail=fail))
    assert [entry.error for entry in entries] == [None, "gone", *[None] * 8]


def test_a_network_of_ours_that_the_runtime_lacks_is_left_out():
    entries, _ = table(PlayedMeter(fail=blame(OURS)))
    assert {entry.reference_ms for entry in entries} == {None}
    assert all(entry.measurement for entry in entries)


@pytest.mark.parametrize("code", ["runtime_crashed", "overdue"])
def test_a_runtime_that_our_network_ends_ends_the_profile(code):
    with pytest.raises(AgentError):
        table(PlayedMeter(fail=blame(OURS, code)))


def test_a_device_that_goes_away_ends_it_and_what_was_told_stays_told():
    told = []
    meter = PlayedMeter(fail=lambda models, n: TransientDeviceError("gone") if n == 2 else None)
    with pytest.raises(TransientDeviceError):
        measure_layers(meter, LAYERS, {}, told.extend)
    assert len(told) == 7


def test_what_waits_on_the_device_is_kept_before_the_device_may_forget_it():
    left = together([*MODELS[:7], OURS], plan=LAYER_PLAN)
    meter, order = PlayedMeter([left]), []
    meter.acknowledge = lambda ids: order.append(("forget", *ids))
    measure_layers(
        meter, LAYERS, {}, lambda found: order.extend(("keep", entry.key) for entry in found)
    )
    assert order[:8] == [*(("keep", single.key) for single in LAYERS[:7]), ("forget", left.id)]
    assert meter.asked == [[*MODELS[7:], OURS]]


def test_what_waits_on_the_device_by_other_settings_is_left_alone():
    other = target()
    other = replace(other, settings=replace(other.settings, threads=4))
    left = together([*MODELS[:7], OURS], of=other)
    meter = PlayedMeter([left])
    table(meter)
    assert (len(meter.asked), meter.acknowledged) == (2, [])


def test_the_plan_takes_no_longer_than_a_second_for_a_group():
    assert LAYER_PLAN.placements * LAYER_PLAN.placement_ms <= 1000
