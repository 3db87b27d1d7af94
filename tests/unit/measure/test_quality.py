"""What disturbed a measurement, told by what the kernel says and not by the times alone."""

from dataclasses import replace

import pytest

from adadeep.core.measurement import Block, Conditions, Placement
from adadeep.measure.quality import (
    causes,
    clock_drop,
    disturbed_by,
    heat_limit,
    slowdown,
    throttled,
    waited_share,
    with_causes,
)
from adadeep.testing.measurements import measurement, together


def blocks(*told):
    """(core, kHz) of blocks."""
    return [Block(n, n, 1, (100,), core=core, khz=khz) for n, (core, khz) in enumerate(told)]


@pytest.mark.parametrize(
    ("told", "drop"),
    [
        ([(0, 2000), (0, 1500)], 0.25),
        ([(0, 500), (0, 2000)], 0.0),  # it only woke up
        ([(0, 2000), (4, 1000), (0, 2000), (4, 1000)], 0.0),  # another kind of core is no drop
        ([(0, 2000), (4, 1000), (0, 1900), (4, 500)], 0.5),
        ([(0, 2000)] * 8 + [(0, 1000)] + [(0, 2000)] * 7, 0.0),  # one reading is none
        ([(0, 2000), (0, None)], None),
        ([(0, 2000), (1, 1000)], None),
        ([(None, 2000), (None, 1000)], 0.5),
    ],
)
def test_a_clock_is_compared_with_its_own_core_alone(told, drop):
    assert clock_drop(blocks(*told)) == drop


def test_the_share_of_waiting_is_of_the_blocks_that_tell_it():
    told = [
        Block(0, 0, 1, (100, 100), delay_ns=30),
        Block(1, 1, 1, (100, 100), delay_ns=10),
        Block(2, 2, 1, (100_000,)),
    ]
    assert waited_share(told) == pytest.approx(0.1)
    assert waited_share(told[2:]) is None


def with_medians(*placements):
    """A measurement whose blocks take so long, in us."""
    made = measurement(b"a")
    placed = tuple(
        Placement(n, 0, 1, 1, tuple(Block(r, r, 1, (us * 1000,)) for r, us in enumerate(rounds)))
        for n, rounds in enumerate(placements)
    )
    return replace(made, placements=placed)


def test_a_model_that_gets_slower_with_each_run_is_found_though_each_load_heals_it():
    leaking = with_medians(*[[100, 110, 120, 130, 140, 150, 160, 170]] * 3)
    assert slowdown(leaking) == pytest.approx(0.57, abs=0.01)
    [reason] = causes(leaking)
    assert reason == "became 57% slower while it was measured"


@pytest.mark.parametrize(
    ("blocks", "timings", "found"), [(2, 10, 0.5), (1, 16, 0.5), (1, 15, 0.0), (3, 5, 0.0)]
)
def test_beside_others_a_placement_has_few_blocks_and_their_timings_tell(blocks, timings, found):
    count = blocks * timings
    ns = [100 + (50 if n >= count - count // 4 else 0) for n in range(count)]
    own = [Block(b, b, 2, tuple(ns[b * timings : (b + 1) * timings])) for b in range(blocks)]
    placed = tuple(Placement(n, 0, 1, 1, tuple(own)) for n in range(3))
    assert slowdown(replace(measurement(b"a"), placements=placed)) == pytest.approx(found)


def test_a_model_that_gets_slower_from_load_to_load_is_found():
    assert slowdown(with_medians(*[[100 + 10 * n] for n in range(8)])) == pytest.approx(0.57, 0.01)


def test_one_slow_placement_or_a_handful_of_blocks_tell_nothing():
    steady = [100, 100, 100, 100]
    assert slowdown(with_medians(steady, steady, [100, 100, 200, 200])) == 0.0
    assert slowdown(with_medians([100, 300])) == 0.0
    assert slowdown(with_medians([300, 100, 100, 100], [300, 100, 100, 100], steady)) == 0.0


def test_every_cause_is_named_with_its_amount_and_none_where_nothing_is_known():
    noisy = replace(
        measurement(b"a"),
        placements=(
            Placement(0, 0, 1, 1, (
                Block(0, 0, 1, (100,), delay_ns=20, core=0, khz=2000),
                Block(1, 1, 1, (100,), delay_ns=20, core=0, khz=1000),
            )),
        ),
    )  # fmt: skip
    assert causes(noisy) == (
        "the clock dropped 50%",
        "waited 20% of the time for a processor",
    )
    assert causes(measurement(b"a")) == ()


def heated(before, after):
    session = together([b"a"])
    states = {"before": Conditions(1.0, **before), "after": Conditions(2.0, **after)}
    return replace(session, measurements=(replace(session.measurements[0], **states),))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"throttled": 5}, {"throttled": 6}, "the processor was too hot and slowed down 1 time"),
        ({"throttled": 5}, {"throttled": 1205},
         "the processor was too hot and slowed down 1,200 times"),
        ({"throttled": 5}, {"throttled": 5}, None),
        ({"throttled": 5}, {"throttled": 2}, None),  # its counter began anew
        ({}, {"throttled": 6}, None),
        ({"cooling": {"cpufreq-cpu0": 0}}, {"cooling": {"cpufreq-cpu0": 3}},
         "slowed down for its heat (cpufreq-cpu0 3)"),
        ({"cooling": {"cpufreq-cpu0": 2, "cpufreq-cpu4": 0}},
         {"cooling": {"cpufreq-cpu0": 0, "cpufreq-cpu4": 1}},
         "slowed down for its heat (cpufreq-cpu0 2)"),
        ({"cooling": {"cpufreq-cpu0": 0}}, {"cooling": {"cpufreq-cpu0": 0}}, None),
    ],
)  # fmt: skip
def test_what_the_kernel_says_of_heat_is_a_cause_and_the_next_session_waits(before, after, said):
    session = heated(before, after)
    [found] = session.measurements
    assert heat_limit(found) == said
    assert causes(found) == (() if said is None else (said,))
    assert throttled(session) is (said is not None)


def test_causes_are_the_models_own_and_reasons_are_of_all():
    session = together([b"a", b"b"])
    slow = replace(session.measurements[0], placements=with_medians(
        *[[100, 110, 120, 130, 140, 150, 160, 170]] * len(session.measurements[0].placements)
    ).placements)  # fmt: skip
    session = replace(session, measurements=(slow, session.measurements[1]))
    found = with_causes(disturbed_by(disturbed_by(session, ["hot"]), ["hot"]))
    first, second = (one.disturbed for one in found.measurements)
    assert first == ("hot", "became 57% slower while it was measured")
    assert second == ("hot",)
    assert not throttled(found)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"thermal_status": 1}, {"thermal_status": 1}, ()),
        ({}, {"thermal_status": 3}, ("the device throttled: its thermal status was severe",)),
        ({"screen": "on"}, {"screen": "on"}, ()),
        ({"screen": "on"}, {"screen": "off"}, ("the screen was on, then off",)),
        ({"screen": None}, {"screen": "off"}, ()),
        ({"doze": "none"}, {"doze": "none"}, ()),
        ({"doze": "none"}, {"doze": "deep"}, ("the device dozed",)),
        ({"battery_saver": False}, {}, ()),
        ({"battery_saver": True}, {}, ("battery saver was on",)),
        ({"plugged": "usb"}, {"plugged": "nothing"}, ()),
    ],
)
def test_what_an_android_says_of_itself_disturbs(before, after, said):
    made = measurement(b"a")
    told = replace(made, before=replace(made.before, **before), after=replace(made.after, **after))
    assert causes(told) == said
