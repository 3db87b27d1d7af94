"""On a device that the user attached: pytest --device SERIAL. It is left as it was found."""

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import NoAgentError
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.discovery import select
from adadeep.devices.facts import gather_facts
from adadeep.measure.reference_models import SHARP, reference_model
from adadeep.measure.session import open_meter

pytestmark = pytest.mark.device

QUICK = MeasuringPlan(placements=2, least_placements=2, placement_ms=20, max_ms=500)


def test_its_facts_are_plausible(device_serial):
    [transport] = select([device_serial], Deadline.after(30))
    facts, capabilities = gather_facts(transport, Deadline.after(60))
    assert facts.machine
    assert facts.ram_bytes is None or facts.ram_bytes > 64 * 2**20
    assert facts.clusters
    assert {capability.name for capability in capabilities} >= {"shell", "cpu_frequency", "python"}


def test_it_measures_or_says_what_it_lacks(device_serial):
    [transport] = select([device_serial], Deadline.after(30))
    try:
        with open_meter(transport, Deadline.after(120)) as meter:
            [measurement] = meter.measure([reference_model(SHARP)], QUICK).measurements
    except NoAgentError as error:
        pytest.skip(str(error))
    assert measurement.latency_ms > 0
    assert measurement.placements[0].first_ns > 0
    left = transport.run(f"ls {transport.workdir}/models", Deadline.after(30)).text
    assert left == ""
