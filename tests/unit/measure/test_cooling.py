"""Waiting for a device that throttled, by whatever it lets us read."""

from dataclasses import replace

import pytest

from adadeep.core.measurement import Conditions
from adadeep.measure.cooling import Cooling
from adadeep.testing.measurements import placement, together
from fakes.clock import HandClock


def at(celsius=None, khz=None):
    return Conditions(
        0.0, (khz,) if khz else (), temperatures_c={"cpu": celsius} if celsius else {}
    )


def session(before, first_khz, last_khz):
    made = together([b"a"])
    placed = tuple(
        placement(n, 1000, core=0, khz=khz) for n, khz in enumerate((first_khz, last_khz))
    )
    one = replace(made.measurements[0], placements=placed, before=before)
    return replace(made, measurements=(one,))


def waited(start, now, first_khz=2000, last_khz=1000):
    """Seconds of waiting after such a session, and what is said; `now` by the number of looks."""
    clock, looks = HandClock(), []
    cooling = Cooling(clock)
    cooling.note(session(start, first_khz, last_khz))

    def read():
        looks.append(None)
        return now(len(looks))

    return clock, cooling.wait(read)


def test_a_device_that_did_not_throttle_is_not_waited_for_however_warm_it_is():
    clock, said = waited(at(40), lambda _: at(90), last_khz=1900)
    assert (clock.time, said) == (0, ())


def test_nothing_is_waited_for_before_the_first_session():
    assert Cooling(HandClock()).wait(lambda: at(90)) == ()


@pytest.mark.parametrize(
    ("start", "now"),
    [
        (at(40), lambda look: at(44 if look < 5 else 43)),
        (at(40, 2000), lambda look: at(60, 1000 if look < 5 else 1850)),
        (at(None, 2000), lambda look: at(None, 1000 if look < 5 else 2000)),
    ],
    ids=["cool", "the clock is back", "no temperature"],
)
def test_it_is_waited_for_until_it_is_cool_or_its_clock_is_back(start, now):
    clock, said = waited(start, now)
    assert (clock.time, said) == (8, ())


def test_where_no_temperature_can_be_read_ten_seconds_are_enough():
    clock, said = waited(at(), lambda _: at())
    assert 10 <= clock.time <= 12
    assert said == ("the device throttled before",)


def test_the_device_is_compared_with_how_it_was_when_the_meter_began():
    """Else each session's warmth would be the next one's measure."""
    clock, looks = HandClock(), iter([70, 60, 41])
    cooling = Cooling(clock)
    cooling.note(session(at(40), 2000, 2000))
    cooling.note(session(at(70), 2000, 1000))
    assert cooling.wait(lambda: at(next(looks))) == ()
    assert clock.time == 4
