from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.devices.parse.battery import (
    counter_doubt,
    parse_batterystats_capacity_mah,
    parse_dumpsys_battery,
)
from adadeep.devices.parse.capabilities import battery_current
from adadeep.devices.parse.power_supply import (
    batteries_of,
    combine,
    parse_uevent,
    reading_of,
    supplies_of,
)
from adadeep.devices.parse.sections import Reads, decode, parse_reads
from adadeep.devices.parse.thermal import parse_thermalservice, parse_zones, zone_celsius

CAPTURES = Path(__file__).parents[2] / "data" / "captures"


def capture(name: str) -> str:
    return decode((CAPTURES / name).read_bytes())


@pytest.mark.parametrize(
    ("name", "level", "voltage_mv", "temperature_c", "status"),
    [
        ("samsung-s24ultra-oneui", 75, 4156, 35.7, "charging"),
        ("asus-zenfone-padfone-phoenix", 97, 4342, 24.5, "charging"),  # not the pad's level
        ("google-pixel-c-dragon-a7", 19, 3764, 27.5, "charging"),  # echoed prompt
        ("meizu-current-now-negative", 55, 3977, 33.5, "unknown"),  # notes behind values
        ("oneplus7-lineage20-acc-info", 77, 3985, 29.4, "discharging"),
        ("samsung-gh0st-a8", 84, 4063, 32.6, "charging"),
        ("xiaomi-pad6-pipa-a14", 22, 3826, 33.7, "charging"),
    ],
)
def test_battery_service_of_captured_devices(name, level, voltage_mv, temperature_c, status):
    reading = parse_dumpsys_battery(capture(f"battery/{name}.txt"))
    assert reading is not None
    assert (reading.level_percent, reading.voltage_mv) == (level, voltage_mv)
    assert (reading.temperature_c, reading.status) == (temperature_c, status)
    assert reading.doubts == ()


def test_a_made_up_battery_is_doubted_and_its_values_are_not_used():
    reading = parse_dumpsys_battery(capture("battery/ppmy-console-box-unplugged.txt"))
    assert reading is not None
    assert reading.level_percent == 90
    assert (reading.voltage_mv, reading.temperature_c) == (None, None)
    assert reading.doubts == ("voltage: 13",)


def test_a_state_held_by_a_test_command_is_doubted():
    text = (
        "  (UPDATES STOPPED -- use 'reset' to restart)\n  level: 50\n  scale: 100\n  voltage: 0\n"
    )
    reading = parse_dumpsys_battery(text)
    assert reading is not None
    assert [doubt.split(":")[0] for doubt in reading.doubts] == ["UPDATES STOPPED", "voltage"]


def test_microvolts_are_told_by_their_size():
    reading = parse_dumpsys_battery("level: 50\nscale: 100\nvoltage: 4123000\n")
    assert reading is not None
    assert reading.voltage_mv == 4123


def test_no_service_is_no_reading():
    assert parse_dumpsys_battery("Can't find service: battery") is None


@pytest.mark.parametrize(
    ("raw", "level", "plausible"),
    [
        (3719506, 75, True),
        (2010829, 22, True),
        (220, 15, False),
        (4622, 97, False),  # milliampere-hours
        (2816840000, 80, False),
        (-110, 50, False),
        (0, 50, False),
        (310_000, 100, True),  # a watch
    ],
)
def test_charge_counters_that_cannot_be_microampere_hours(raw, level, plausible):
    assert (counter_doubt(raw, level) is None) == plausible


def test_the_doubt_of_a_counter_in_milliampere_hours_says_so():
    assert "looks like mAh" in (counter_doubt(4622, 97) or "")


def test_capacity_of_the_power_profile_and_its_unfilled_default():
    text = "    Capacity: 3050, Computed drain: 674, actual drain: 640-671"
    assert parse_batterystats_capacity_mah(text) == 3050
    assert parse_batterystats_capacity_mah("  Estimated battery capacity: 10.0 mAh") is None


def test_battery_of_sysfs_is_found_by_type_whatever_its_name():
    lines = capture("power-supply/xiaomi-lavender-sdm660-mainline.txt").split("\n")[1:]
    folder = "/sys/class/power_supply"
    text = (
        f"{folder}/qcom-battery/uevent\t{'|'.join(lines)}\n"
        f"{folder}/usb/uevent\t|POWER_SUPPLY_TYPE=USB\n"
    )
    found = batteries_of(supplies_of(parse_reads(text)))
    assert [name for name, _ in found] == ["qcom-battery"]
    reading = reading_of(found[0][1])
    assert (reading.capacity_mah, reading.status, reading.level_percent) == (4000, "full", 99)
    assert (reading.temperature_c, reading.current_raw) == (26.3, -19531)


def test_battery_of_a_mouse_is_not_the_devices():
    text = (
        "/sys/class/power_supply/hidpp_battery_0/uevent\t"
        "|POWER_SUPPLY_TYPE=Battery|POWER_SUPPLY_SCOPE=Device|POWER_SUPPLY_CAPACITY=50\n"
    )
    assert batteries_of(supplies_of(parse_reads(text))) == []


def test_notes_behind_values_and_error_numbers_are_no_values():
    reading = reading_of(parse_uevent(capture("power-supply/xiaomi-mi6-sagit-bms.txt")))
    assert (reading.level_percent, reading.capacity_mah) == (70, 3350)
    assert reading_of({"CURRENT_NOW": "-22"}).current_raw is None


def test_a_current_is_told_with_what_told_it():
    averaged = reading_of({"CURRENT_AVG": "-976"}, "bms")
    service = parse_dumpsys_battery("level: 5\nvoltage: 4000\ncurrent now: -7\n")
    none = reading_of({"CAPACITY": "5"}, "battery")
    path = "/sys/class/power_supply/bms: current_avg"
    assert (averaged.current_raw, averaged.current_source) == (-976, path)
    both = combine([none, averaged, service])
    assert (both.current_raw, both.current_source) == (-976, path)
    found = battery_current(("battery", {}), both, Reads(), "")
    assert found.evidence == f"{path} -976"
    found = battery_current(None, combine([none, service]), Reads(), "")
    assert found.evidence == "dumpsys battery: current now: -7"


def test_keys_without_a_prefix_and_all_on_one_line():
    pixel = reading_of(parse_uevent(capture("power-supply/google-pixel3a-not-charging.txt")))
    assert (pixel.current_raw, pixel.status) == (976, "not charging")
    moto = parse_uevent(capture("power-supply/moto-logcat-one-line-uevent.txt"))
    assert reading_of(moto).capacity_mah == 2366


def test_energy_gives_a_capacity_where_charge_does_not():
    supply = {"ENERGY_FULL_DESIGN": "57000000", "VOLTAGE_MIN_DESIGN": "11400000"}
    assert reading_of(supply).capacity_mah == 5000


def test_of_several_sources_the_first_that_knows_wins():
    service = parse_dumpsys_battery("level: 50\nscale: 100\nvoltage: 4000\n")
    merged = combine([None, service, reading_of({"CAPACITY": "49", "TEMP": "250"})])
    assert merged is not None
    assert (merged.level_percent, merged.temperature_c) == (50, 25.0)
    assert combine([None, None]) is None


def test_only_the_current_temperatures_of_the_hal_count():
    service = parse_thermalservice(capture("thermalservice/google-pixel3a-sdm670.txt"))
    readings = {t.name: t.celsius for t in service.temperatures}
    assert service.status == 0
    assert readings["mb-therm-monitor"] == 30.147
    assert readings["cpu1-gold-usr"] == 33.5  # 48.3 is the cached one
    assert max(c for t, c in readings.items() if c) == 44.1


def test_rows_that_are_no_temperatures_are_left_out():
    service = parse_thermalservice(capture("thermalservice/google-pixel6-tensor-full.txt"))
    readings = [t.celsius for t in service.temperatures if t.celsius is not None]
    assert readings
    assert max(readings) < 60


def test_sensors_that_are_not_fitted_have_no_reading():
    service = parse_thermalservice(capture("thermalservice/samsung-a52-5g-a12.txt"))
    readings = {t.name: t.celsius for t in service.temperatures}
    assert (readings["AP"], readings["SUBBAT"], readings["USB"]) == (25.6, None, None)


def test_a_status_without_a_hal_is_no_status():
    name = "thermalservice/qcom-msm8998-lineage21-hal-not-ready.txt"
    service = parse_thermalservice(capture(name))
    assert (service.hal_ready, service.status, service.temperatures) == (False, None, ())


def test_an_overridden_status_is_told():
    assert parse_thermalservice("IsStatusOverride: true\nThermal Status: 3\n").overridden


@pytest.mark.parametrize(
    ("text", "name", "celsius"),
    [
        ("25000", "bms", 25.0),
        ("309", "tsens_tz_sensor5", 30.9),
        ("31", "xo_therm", 31.0),
        ("-40", "pa_therm1", None),
        ("-273000", "broken", None),
        ("75000", "lmh-dcvs-00", None),
        ("Result:30 Raw:7f6f", "adc", 30.0),
        ("45000        # millidegrees", "soc-thermal", 45.0),
        ("0", "x", None),
        ("", "x", None),
    ],
)
def test_zones_of_three_units(text, name, celsius):
    assert zone_celsius(text, name) == celsius


def test_zones_are_matched_with_their_types_by_number():
    zones = parse_zones(parse_reads(capture("thermal-zones/unit-test-qcom-units-minus273.txt")))
    assert [(z.name, z.kind, z.celsius) for z in zones] == [
        ("cpu-0-0-usr", "cpu", 44.5),
        ("battery", "battery", 35.0),
        ("broken", None, None),
    ]
