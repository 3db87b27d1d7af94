"""The sessions that noise is learned from."""

import pytest

from adadeep.core.device import CpuCache, DeviceFacts
from adadeep.core.errors import AgentError
from adadeep.core.noise import PRIOR
from adadeep.measure.meter_jobs import model_name
from adadeep.measure.noise_session import SECONDS, learn_noise, noise_plans
from adadeep.measure.reference_models import (
    REFERENCES,
    SHARP,
    made_references,
    reference_model,
    reference_models,
)
from adadeep.profiles.noise import NoiseSource, last_cache_bytes, learned_of, sweep_bytes
from adadeep.testing.measurements import target, together

FACTS = DeviceFacts("S", "adb", caches=(CpuCache(1, "Data", 32768), CpuCache(3, "Unified", 2**24)))


@pytest.mark.parametrize("seconds", [4, SECONDS, 60, 300, 3600])
def test_sessions_take_about_the_time_that_they_may(seconds):
    plans = list(noise_plans(seconds))
    timed = sum(p.plan.placements * p.plan.placement_ms / 1000 for p in plans)
    most = sum(one.plan.max_ms / 1000 for one in plans) + sum(p.launches for p in plans)
    assert 0.5 * seconds <= timed <= seconds
    assert most <= 1.1 * seconds + 2
    assert plans[0].plan.placements == 1
    assert all(one.launches == 2 and one.plan.placements >= 4 for one in plans[1:])


def test_a_profile_takes_twenty_seconds_more_at_the_most():
    assert SECONDS <= 18


def test_no_time_means_no_sessions():
    assert list(noise_plans(0)) == []


def test_no_two_sessions_have_the_same_orders():
    plans = [one.plan for seed in (1, 1000) for one in noise_plans(60, seed)]
    assert len({plan.seed for plan in plans}) == len(plans)


def test_references_are_small_and_large_quick_and_slow():
    sizes = {name: len(model) for name, model in reference_models().items()}
    assert sizes["tiny"] < sizes[SHARP] < 100_000 < 12_000_000 < sizes["heavy"]
    macs = {name: single.layer.macs for name, single in REFERENCES.items()}
    assert macs["tiny"] < macs[SHARP] < macs["heavy"] < macs["slow"]


class PlayedMeter:
    study, noise, target, recovered = "5717d1e5", PRIOR, target(), ()

    def __init__(self, fail=lambda models: None):
        self.asked, self.fail = [], fail

    def measure(self, models, plan, launches=1):
        self.asked.append(list(models))
        error = self.fail(models)
        if error:
            raise error
        return together(models, plan=plan)


def test_all_references_are_measured_in_every_session():
    meter = PlayedMeter()
    sessions = learn_noise(meter, noise_plans(SECONDS))
    assert len(sessions) == len(meter.asked) - 1 == len(list(noise_plans(SECONDS)))
    assert meter.asked[1] == list(reference_models().values())


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_that_the_device_can_not_run_is_left_out(name):
    bad = reference_model(name)

    def fail(models):
        return AgentError("no", "unsupported_op", model_name(bad)) if bad in models else None

    meter = PlayedMeter(fail)
    sessions = learn_noise(meter, noise_plans(SECONDS))
    assert {len(session.measurements) for session in sessions} == {3}
    assert len(meter.asked) == len(sessions) + 2  # one failed, and what tells how quick it is


def test_where_memory_is_short_the_largest_goes_first():
    heavy = reference_model("heavy")

    def fail(models):
        return AgentError("no room", "out_of_memory") if heavy in models else None

    learn_noise(meter := PlayedMeter(fail), noise_plans(4))
    assert [len(models) for models in meter.asked] == [1, 4, 3, 3]


@pytest.mark.parametrize(
    ("small_ms", "left"), [(0.1, 4), (3.0, 4), (5.0, 3), (1000.0, 1)], ids="{}".format
)
def test_what_takes_an_age_on_the_device_is_not_measured_there(small_ms, left):
    class Slow(PlayedMeter):
        def measure(self, models, plan, launches=1):
            super().measure(models, plan)
            return together(models, [round(small_ms * 1e6)] * len(models), plan=plan)

    learn_noise(meter := Slow(), noise_plans(4))
    assert [len(models) for models in meter.asked] == [1, left, left]


def test_a_device_that_can_run_none_of_them_is_an_error():
    with pytest.raises(AgentError):
        learn_noise(PlayedMeter(lambda _: AgentError("no", "run_failed")), noise_plans(4))


# ---- what a profile learns of them


def sessions(of=None, seed=0):
    return learn_noise(
        type("Meter", (PlayedMeter,), {"measure": lambda self, models, plan, n=1: together(
            models, of=of, plan=plan
        )})(),
        noise_plans(SECONDS, seed),
    )  # fmt: skip


def test_a_device_is_known_by_its_references_and_its_caches():
    found = learned_of(FACTS, None, NoiseSource(sessions(), made_references()))
    assert found is not None
    assert not found.is_prior
    assert found.cache_bytes == 2**24
    assert {one.model_sha256 for one in found.references if one.model_sha256} <= made_references()


def test_what_holds_of_any_device_is_not_kept_as_a_devices_own():
    candidates = [together([b"a", b"b"])]
    assert learned_of(FACTS, None, NoiseSource(candidates, made_references())) is None


def test_sessions_of_another_state_are_passed_over_unless_it_is_learned_anew():
    known = learned_of(FACTS, None, NoiseSource(sessions(), made_references()))
    other = target(fingerprint="e" * 16)
    beside = [together([b"a", reference_model(SHARP)], of=other)]
    assert learned_of(FACTS, known, NoiseSource(beside, made_references())) == known
    anew = learned_of(FACTS, known, NoiseSource(sessions(other, 5), made_references()))
    assert anew is not None
    assert anew.state != known.state
    assert anew.fits(together([b"a"], of=other).measurements[0])


def test_the_sweep_is_twice_the_last_cache_and_64_mib_at_the_most():
    assert (last_cache_bytes(FACTS), sweep_bytes(FACTS)) == (2**24, 2**25)
    large = DeviceFacts("S", "adb", caches=(CpuCache(3, "Unified", 2**27),))
    assert sweep_bytes(large) == sweep_bytes(DeviceFacts("S", "adb")) == 64 << 20
    code = DeviceFacts("S", "adb", caches=(CpuCache(1, "Instruction", 2**20),))
    assert last_cache_bytes(code) is None
