"""What is made of the files that an agent read around a measurement."""

import pytest

from adadeep.core.measurement import Conditions
from adadeep.devices.parse.conditions import CONDITION_PATHS, conditions_of
from adadeep_agent.readings import reading
from adadeep_agent.wire import MAX_PATTERNS, is_readable

CPU, ZONE = "/sys/devices/system/cpu", "/sys/class/thermal/thermal_zone"
SUPPLY, COOLING = "/sys/class/power_supply", "/sys/class/thermal/cooling_device"


def zones(*pairs):
    """Zones by number, each with its type (None: unreadable) and what its temp says."""
    texts = {}
    for number, (name, temp) in enumerate(pairs):
        texts |= {f"{ZONE}{number}/type": name, f"{ZONE}{number}/temp": temp}
    return conditions_of(0.0, texts).temperatures_c


def supply(name, *, kind, capacity=None, status=None):
    files = {"type": kind, "capacity": capacity, "status": status}
    return {f"{SUPPLY}/{name}/{file}": text for file, text in files.items()}


def test_what_is_asked_for_is_what_an_agent_reads():
    assert len(CONDITION_PATHS) <= MAX_PATTERNS
    assert all(map(is_readable, CONDITION_PATHS))


def test_a_device_that_tells_nothing_has_conditions_all_the_same():
    assert conditions_of(7.5, {}) == Conditions(7.5)
    assert conditions_of(7.5, dict.fromkeys(CONDITION_PATHS)) == Conditions(7.5)


def test_a_device_that_tells_all_has_every_field():
    texts = {
        f"{CPU}/online": "0-1\n",
        "/proc/loadavg": "0.25 0.20 0.10 1/200 4711\n",
        f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
        f"{CPU}/cpu1/cpufreq/scaling_cur_freq": "600000\n",
        f"{CPU}/cpu0/cpufreq/scaling_governor": "schedutil\n",
        f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave\n",
        f"{ZONE}0/type": "cpu-0-0\n", f"{ZONE}0/temp": "41500\n",
        **supply("battery", kind="Battery\n", capacity="80\n", status="Discharging\n"),
        f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "7\n",
        f"{CPU}/cpu1/thermal_throttle/package_throttle_count": "30\n",
        f"{COOLING}0/type": "cpufreq-cpu0\n", f"{COOLING}0/cur_state": "2\n",
    }  # fmt: skip
    assert conditions_of(1795230496.559, texts) == Conditions(
        timestamp=1795230496.559,
        cpu_khz=(1800000, 600000),
        governors=("schedutil", "powersave"),
        temperatures_c={"cpu-0-0": 41.5},
        load_1min=0.25,
        battery_percent=80,
        battery_status="Discharging",
        online_cores=(0, 1),
        throttled=37,
        cooling={"cpufreq-cpu0": 2},
    )


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("41500", 41.5),
        ("415", 41.5),
        ("41", 41.0),
        ("-5000", -5.0),
        ("0", None),
        ("-99900", None),
        ("200000", None),
        ("", None),
        ("hot", None),
    ],
)
def test_thermal_zones_in_any_of_their_units_give_celsius_and_nonsense_gives_none(raw, value):
    assert zones(("cpu", raw)) == ({} if value is None else {"cpu": value})


def test_zones_of_one_type_are_told_apart_and_one_without_has_its_number():
    assert zones(("cpu", "41000"), ("cpu", "42000"), (None, "43000")) == {
        "cpu": 41.0, "cpu#1": 42.0, "thermal_zone2": 43.0,
    }  # fmt: skip


def test_a_limit_among_the_zones_is_no_temperature():
    assert zones(("cpu-lowf0-step", "41000"), ("soc", "80")) == {}


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0-3,6", (0, 1, 2, 3, 6)), ("0", (0,)), ("", ()), ("x", ()), ("0-1,", ()), (None, ())],
)
def test_core_lists_are_read(text, cores):
    assert conditions_of(0.0, {f"{CPU}/online": text}).online_cores == cores


def test_a_core_that_tells_no_clock_is_none_and_if_none_does_there_are_no_clocks():
    texts = {f"{CPU}/online": "0,2", f"{CPU}/cpu2/cpufreq/scaling_cur_freq": "1000000"}
    assert conditions_of(0.0, texts).cpu_khz == (None, None, 1000000)
    assert conditions_of(0.0, {f"{CPU}/online": "0,2"}).cpu_khz == ()
    zero = {f"{CPU}/online": "0", f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "0"}
    assert conditions_of(0.0, zero).cpu_khz == ()


@pytest.mark.parametrize("clock", ["fast", "-1", "9" * 30, "1e6", ""])
def test_a_clock_that_can_not_be_is_none(clock):
    texts = {
        f"{CPU}/online": "0-1",
        f"{CPU}/cpu0/cpufreq/scaling_cur_freq": clock,
        f"{CPU}/cpu1/cpufreq/scaling_cur_freq": "1000000",
    }
    assert conditions_of(0.0, texts).cpu_khz == (None, 1000000)


def test_the_battery_is_the_supply_of_that_type_and_no_peripheral():
    texts = {
        **supply("ac", kind="Mains"),
        **supply("hid-mouse-battery", kind="Battery", capacity="5"),
        **supply("bat0", kind="Battery", capacity="80", status="Not charging"),
    }
    found = conditions_of(0.0, texts)
    assert (found.battery_percent, found.battery_status) == (80, "Not charging")
    mains = conditions_of(0.0, supply("ac", kind="Mains"))
    assert (mains.battery_percent, mains.battery_status) == (None, None)


@pytest.mark.parametrize("text", ["-1", "many", "9" * 20, "1.5", ""])
def test_a_counter_that_can_not_be_is_none_and_another_still_counts(text):
    path = f"{CPU}/cpu{{}}/thermal_throttle/core_throttle_count"
    online = {f"{CPU}/online": "0-1"}
    assert conditions_of(0.0, {**online, path.format(0): text}).throttled is None
    assert conditions_of(0.0, {**online, path.format(0): text, path.format(1): "3"}).throttled == 3


def cooling(*pairs):
    texts = {}
    for number, (name, state) in enumerate(pairs):
        texts |= {f"{COOLING}{number}/type": name, f"{COOLING}{number}/cur_state": state}
    return conditions_of(0.0, texts).cooling


def test_of_what_cools_only_what_slows_a_processor_is_told_and_by_its_own_name():
    assert cooling(
        ("Fan", "1"), ("thermal-cpufreq-0", "3"), ("cpufreq-cpu4", "0"), ("Processor", "1"),
        ("Processor", "2"), ("intel_powerclamp", "-1"), ("panel0-backlight", "5"),
    ) == {
        "thermal-cpufreq-0": 3, "cpufreq-cpu4": 0, "Processor": 1, "Processor#4": 2,
        "intel_powerclamp": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "state"),
    [("cpufreq-cpu0", "hot"), ("cpufreq-cpu0", "99999"), ("cpufreq-\x1b[31m", "1"),
     ("cpufreq-" + "x" * 100, "1"), (None, "1")],
)  # fmt: skip
def test_a_state_or_a_name_that_can_not_be_is_left_out(name, state):
    assert cooling((name, state)) == {}


@pytest.mark.parametrize("capacity", ["101", "-5", "many", None])
def test_a_level_that_can_not_be_is_none(capacity):
    texts = supply("bat0", kind="Battery", capacity=capacity)
    assert conditions_of(0.0, texts).battery_percent is None


@pytest.mark.parametrize("text", ["", "x", "nan 0 0", "-1.0 0 0", None])
def test_a_load_that_can_not_be_is_none(text):
    assert conditions_of(0.0, {"/proc/loadavg": text}).load_1min is None


def test_conditions_of_this_machine_are_plausible():
    read = reading(CONDITION_PATHS)
    found = conditions_of(read["timestamp"], read["texts"])
    assert found.timestamp > 1.6e9
    assert found.load_1min is not None
    assert found.online_cores
