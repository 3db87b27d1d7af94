import pytest

from adadeep_agent.conditions import celsius, conditions, parse_core_list


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (41500, 41.5),
        (415, 41.5),
        (41, 41.0),
        (-5000, -5.0),
        (0, None),
        (-99900, None),
        (200000, None),
    ],
)
def test_thermal_zones_in_any_of_their_units_give_celsius_and_nonsense_gives_none(raw, value):
    assert celsius(raw) == value


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0-3,6", [0, 1, 2, 3, 6]), ("0", [0]), ("", []), ("x", []), ("0-1,", [])],
)
def test_core_lists_are_read(text, cores):
    assert parse_core_list(text) == cores


def test_conditions_of_this_machine_have_every_field_and_a_plausible_time():
    state = conditions()
    assert set(state) == {
        "timestamp", "cpu_khz", "governors", "temperatures_c", "load_1min", "online_cores",
        "battery_percent", "battery_status",
    }  # fmt: skip
    assert state["timestamp"] > 1.6e9
