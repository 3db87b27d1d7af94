"""No parser may crash on what a device prints, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adadeep.devices.facts import read_facts
from adadeep.devices.parse.battery import (
    parse_batterystats_capacity_mah,
    parse_dumpsys_battery,
)
from adadeep.devices.parse.conditions import CONDITION_PATHS, conditions_of
from adadeep.devices.parse.cpu_sysfs import parse_core_list, parse_cpu_sysfs
from adadeep.devices.parse.cpuinfo import parse_cpuinfo
from adadeep.devices.parse.features import parse_features
from adadeep.devices.parse.getprop import parse_build_prop, parse_getprop, parse_identity
from adadeep.devices.parse.meminfo import parse_ram_bytes
from adadeep.devices.parse.os_release import parse_os_release
from adadeep.devices.parse.power_supply import parse_uevent, reading_of
from adadeep.devices.parse.sections import Section, decode, parse_reads, split_sections
from adadeep.devices.parse.thermal import parse_thermalservice, parse_zones, zone_celsius

SHARED = Path(__file__).parents[4] / "shared" / "data" / "device_captures"
FILES = sorted(SHARED.glob("*/*.txt")) if SHARED.is_dir() else []
SECTIONS = (
    "id", "uname", "cpuinfo", "meminfo", "cpu", "power", "thermal", "energy", "python", "linux",
    "getprop", "build_prop", "features", "battery", "thermalservice", "stats", "rails",
    "os_release", "java",
)  # fmt: skip


def check_everything(text: str) -> None:
    """Runs every parser over the text; what comes out is within sane ranges."""
    sections = {name: Section(text, "", 0) for name in SECTIONS}
    facts, capabilities = read_facts(sections, "S", "adb")
    assert facts.ram_bytes is None or facts.ram_bytes > 0
    for cluster in facts.clusters:
        assert cluster.cores
        assert cluster.max_khz is None or 1_000 <= cluster.max_khz <= 20_000_000
    for cache in facts.caches:
        assert cache.size_bytes > 0
        assert cache.cores
    battery = facts.battery
    if battery:
        assert battery.voltage_mv is None or 2200 <= battery.voltage_mv <= 30_000
        assert battery.temperature_c is None or -30 <= battery.temperature_c <= 100
        assert battery.level_percent is None or 0 <= battery.level_percent <= 100
        assert battery.capacity_mah is None or battery.capacity_mah > 0
    assert all(len(capability.evidence) <= 120 for capability in capabilities)
    celsius = [t.celsius for t in parse_thermalservice(text).temperatures]
    celsius += [t.celsius for t in parse_zones(parse_reads(text))]
    assert all(-40 <= c <= 135 for c in celsius if c is not None)
    parse_identity(parse_getprop(text))
    parse_build_prop(text)
    concrete = [path.replace("*", "0") for path in CONDITION_PATHS]
    conditions = conditions_of(0.0, dict.fromkeys(concrete, text))
    assert all(-40 <= c <= 135 for c in conditions.temperatures_c.values())
    assert all(0 <= state <= 1000 for state in conditions.cooling.values())


@pytest.mark.skipif(not FILES, reason="the collection of captures is not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_parser_survives_every_capture(path):
    check_everything(decode(path.read_bytes()))


CAPTURES = sorted((Path(__file__).parents[2] / "data" / "captures").glob("*/*.txt"))


@given(st.data())
def test_a_capture_with_a_piece_torn_out_is_survived(data):
    text = decode(data.draw(st.sampled_from(CAPTURES)).read_bytes())[:3000]
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    check_everything(text[:first] + data.draw(st.text(max_size=20)) + text[last:])


@given(st.text(max_size=300))
def test_arbitrary_text_is_survived_by_each_parser(text):
    for parse in (
        parse_getprop, parse_build_prop, parse_cpuinfo, parse_ram_bytes, parse_core_list,
        parse_features, parse_os_release, parse_uevent, parse_dumpsys_battery,
        parse_batterystats_capacity_mah, parse_thermalservice, zone_celsius,
    ):  # fmt: skip
        parse(text)
    reads = parse_reads(text)
    parse_cpu_sysfs(reads)
    parse_zones(reads)
    reading_of(parse_uevent(text))
    split_sections(text, "T")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_decoded(data):
    assert isinstance(decode(data), str)


CPUINFO_LINES = [
    "processor : 0", "processor\t: 99999999999", "CPU part : 0xd03 & 0x", "", "Hardware",
    "CPU implementer : 0x41", "CPU part : zz", "vendor_id : x", "model name : y",
    "CPU variant : 0x4",
]  # fmt: skip


@given(st.lists(st.sampled_from(CPUINFO_LINES), max_size=12))
def test_any_order_of_cpuinfo_lines_is_survived(lines):
    check_everything("\n".join(lines))


@pytest.mark.parametrize(
    "piece",
    [
        " ", "a ", "level: ", "[a]: [", "(", "x" * 50 + " ", "processor : 1\n", "feature:a\n",
        "/sys/class/power_supply/b/uevent\t|A=1", "/sys/devices/system/cpu/cpu1/x\t1\n",
        "Temperature{mValue=1, ", "9", "CPU part : 0x1 ", "\x1b]0;x\x07", "]: [", "level: 1 # ",
    ],
)  # fmt: skip
def test_a_flood_of_anything_is_survived(piece):
    """A pattern that takes time by the square of its text would hang here."""
    check_everything(piece * (200_000 // len(piece)))


NUMBERS = st.sampled_from(["0", "-1", "1", "4095", "9" * 9, "9" * 15, "9" * 18, "9" * 30, "nan"])


@given(NUMBERS, NUMBERS, NUMBERS)
def test_numbers_beyond_all_reason_are_no_facts(first, second, third):
    cpu, supply = "/sys/devices/system/cpu", "/sys/class/power_supply/b"
    check_everything(
        f"MemTotal: {first} kB\nlevel: {second}\nscale: {third}\nvoltage: {first}\n"
        f"temperature: {second}\nCapacity: {third}, x\n[ro.build.version.sdk]: [{first}]\n"
        f"{cpu}/present:0-{second}\n{cpu}/cpu0/cpufreq/cpuinfo_max_freq:{first}\n"
        f"{cpu}/cpu0/cpufreq/cpuinfo_min_freq:{third}\n{cpu}/cpu0/cpufreq/related_cpus:{second}\n"
        f"{cpu}/cpu0/cache/index0/size:{first}G\n{cpu}/cpu0/cache/index0/level:{second}\n"
        f"{cpu}/cpu0/cache/index0/shared_cpu_list:0-{third}\n"
        f"{supply}/uevent:TYPE=Battery|CAPACITY={first}|ENERGY_FULL_DESIGN={second}|"
        f"VOLTAGE_NOW={third}|CHARGE_FULL_DESIGN={second}|CURRENT_AVG={first}\n"
    )
