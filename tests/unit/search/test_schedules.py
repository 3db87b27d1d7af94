import pytest

from adadeep.search.schedules import LinearSchedule


def test_falls_in_a_straight_line_then_stays():
    schedule = LinearSchedule(1.0, 0.2, 4)
    assert [schedule.value(n) for n in (0, 1, 2, 4, 100)] == pytest.approx([1, 0.8, 0.6, 0.2, 0.2])
