"""What is made of the files that an agent read around a measurement."""

import pytest

from adadeep.core.measurement import Conditions
from adadeep.devices.parse.conditions import (
    ANDROID_PATHS,
    CONDITION_COMMANDS,
    CONDITION_PATHS,
    conditions_of,
)
from adadeep_agent.readings import reading
from adadeep_agent.wire import COMMANDS, MAX_PATTERNS, is_readable

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


class TestOnAndroid:
    BATTERY = (
        "Current Battery Service state:\n  AC powered: false\n  USB powered: true\n"
        "  status: 2\n  present: true\n  level: 75\n  scale: 100\n  voltage: 4156\n"
    )
    THERMAL = (
        "IsStatusOverride: false\nThermal Status: 2\nHAL Ready: true\n"
        "Current temperatures from HAL:\n"
        "\tTemperature{mValue=44.5, mType=0, mName=cpu0-gold-usr, mStatus=0}\n"
        "\tTemperature{mValue=-99.9, mType=3, mName=skin, mStatus=0}\n"
    )
    POWER = "  mWakefulness=Awake\n  mDeviceIdleMode=false\n  Battery Saver is currently: OFF\n"

    def said(self, **more):
        given = {"battery": self.BATTERY, "thermalservice": self.THERMAL, "power": self.POWER}
        return {f"dumpsys {name}": text for name, text in {**given, **more}.items()}

    def test_the_commands_are_those_that_an_agent_runs(self):
        assert set(CONDITION_COMMANDS) <= set(COMMANDS)
        assert len(ANDROID_PATHS) <= MAX_PATTERNS
        assert all(map(is_readable, ANDROID_PATHS))

    def test_services_tell_what_a_shell_may_not_read(self):
        assert conditions_of(7.5, {}, self.said()) == Conditions(
            timestamp=7.5,
            temperatures_c={"cpu0-gold-usr": 44.5},
            battery_percent=75,
            battery_status="Charging",
            thermal_status=2,
            screen="on",
            doze="none",
            battery_saver=False,
            plugged="usb",
        )

    def test_files_go_before_services(self):
        texts = {
            **supply("battery", kind="Battery", capacity="80", status="Full"),
            f"{ZONE}0/type": "cpu0-gold-usr",
            f"{ZONE}0/temp": "50000",
        }
        found = conditions_of(7.5, texts, self.said())
        assert (found.battery_percent, found.battery_status) == (80, "Full")
        assert found.temperatures_c == {"cpu0-gold-usr": 50}
        assert found.plugged == "usb"

    def test_a_state_that_a_test_command_holds_is_not_believed(self):
        battery = "Current Battery Service state:\n  (UPDATES STOPPED -- use 'reset')\n"
        thermal = self.THERMAL.replace("Override: false", "Override: true")
        held = self.said(battery=battery + self.BATTERY.partition("\n")[2], thermalservice=thermal)
        found = conditions_of(7.5, {}, held)
        assert (found.battery_percent, found.battery_status, found.plugged) == (None, None, None)
        assert found.thermal_status is None

    def test_no_source_of_power_is_nothing_and_none_told_is_none(self):
        off = self.BATTERY.replace("USB powered: true", "USB powered: false")
        assert conditions_of(0.0, {}, self.said(battery=off)).plugged == "nothing"
        untold = "\n".join(line for line in off.split("\n") if "powered" not in line)
        assert conditions_of(0.0, {}, self.said(battery=untold)).plugged is None

    def test_commands_that_failed_or_said_nothing_leave_all_unknown(self):
        for text in (None, "", "Can't find service: x"):
            said = dict.fromkeys(CONDITION_COMMANDS, text)
            assert conditions_of(7.5, {}, said) == Conditions(7.5)

    def test_where_the_agent_runs_is_of_its_own_process(self):
        texts = {
            "/proc/self/cgroup": "4:cpuset:/\n",
            "/proc/self/status": "Cpus_allowed_list:\t0-3\n",
        }
        assert conditions_of(0.0, texts).scheduling == "cpuset /, cores 0-3"
