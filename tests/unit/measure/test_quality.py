import pytest

from adadeep.core.measurement import Conditions, Launch
from adadeep.measure.quality import clock_drop, disturbances, drift, launch_spread, ratio_to_anchor


def at(*khz):
    return Conditions(timestamp=0.0, cpu_khz=khz)


def launch(*runs):
    return Launch(load_ns=1, first_ns=1, warmup_ns=(), runs_ns=runs)


@pytest.mark.parametrize(
    ("before", "after", "drop"),
    [
        (at(2000, 1000), at(1500, 1000), 0.25),
        (at(500, None), at(2000, None), 0.0),  # an idle clock before says nothing
        (at(), at(2000), None),
        (at(2000), at(None), None),
    ],
)
def test_a_clock_drop_is_that_of_the_fastest_core(before, after, drop):
    assert clock_drop(before, after) == drop


def test_launches_that_agree_have_no_spread_and_others_their_ratio():
    assert launch_spread((launch(100, 110, 120), launch(110))) == 0.0
    assert launch_spread((launch(100), launch(150))) == pytest.approx(0.5)
    assert launch_spread(()) == 0.0


def test_quiet_samples_are_not_suspect():
    assert disturbances(at(2000), at(1950), (launch(100), launch(105)), 0.05) == ()
    assert disturbances(at(), at(), (launch(100),), None) == ()


def test_every_reason_is_named_with_its_amount():
    reasons = disturbances(at(2000), at(1000), (launch(100), launch(200)), -0.3)
    assert reasons == (
        "the clock dropped 50%",
        "the anchor model drifted -30%",
        "the launches differ by 100%",
    )


def test_anchors_give_a_ratio_to_their_mean_and_the_drift_between_them():
    assert ratio_to_anchor(6.0, [1.0, 3.0]) == 3.0
    assert ratio_to_anchor(6.0, []) is None
    assert drift([2.0, 3.0]) == 0.5
    assert drift([2.0]) is None
