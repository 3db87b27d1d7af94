from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.devices.parse.arm_parts import part_name
from adadeep.devices.parse.clusters import group_clusters
from adadeep.devices.parse.cpu_sysfs import parse_core_list, parse_cpu_sysfs
from adadeep.devices.parse.cpuinfo import parse_cpuinfo
from adadeep.devices.parse.sections import decode, parse_reads

CAPTURES = Path(__file__).parents[2] / "data" / "captures"


def capture(name: str) -> str:
    return decode((CAPTURES / name).read_bytes())


def clusters(name: str) -> list[tuple[tuple[int, ...], int | None, str | None]]:
    sysfs = parse_cpu_sysfs(parse_reads(capture(f"cpu-sysfs/{name}.txt")))
    found = group_clusters(parse_cpuinfo(capture(f"cpuinfo/{name}.txt")), sysfs)
    return [(c.cores, c.max_khz, c.part) for c in found]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "huawei-mate-20",  # three clusters of two kinds
            [
                ((0, 1, 2, 3), 1805000, "Cortex-A55"),
                ((4, 5), 1901000, "Cortex-A76"),
                ((6, 7), 2600000, "Cortex-A76"),
            ],
        ),
        (
            "galaxy-s9-us",
            [
                ((0, 1, 2, 3), 1766400, "Kryo-3xx-Silver"),
                ((4, 5, 6, 7), 2803200, "Kryo-3xx-Gold"),
            ],
        ),
        (
            "galaxy-a8-2016-duos",  # the slower cluster has the higher numbers; core 3 is offline
            [((4, 5, 6, 7), 1113600, "Cortex-A53"), ((0, 1, 2, 3), 1459200, "Cortex-A53")],
        ),
        (
            "huawei-honor-6",  # one shared block with two parts: "0xc07 & 0xc0f"
            [((0, 1, 2, 3), 1305600, "Cortex-A7"), ((4, 5, 6, 7), 1708800, "Cortex-A15")],
        ),
        (
            "galaxy-c9-pro",  # the shared part is that of the core that answered, a big one
            [((0, 1, 2, 3), 1401600, None), ((4, 5, 6, 7), 1958400, "Cortex-A72")],
        ),
        ("galaxy-s5-us", [((0, 1, 2, 3), 2457600, "Krait")]),  # a clock for each core
        ("moto-g-gen2", [((0, 1, 2, 3), 1190400, "Cortex-A7")]),  # related_cpus that disagree
        ("moto-e-gen1", [((0, 1), 1190400, "Cortex-A7")]),  # core 1 is offline
        (
            "alcatel-revvl",  # cores 0,4-7 are present, 0 is offline and tells nothing
            [((0,), None, None), ((4, 5, 6, 7), 1508000, "Cortex-A53")],
        ),
        (
            "meizu-pro-6",  # core 0's folder is left from another core
            [
                ((0, 1, 2, 3, 9), None, None),
                ((8,), None, "Cortex-A72"),
                ((4, 5, 6, 7), 2002000, "Cortex-A53"),
            ],
        ),
        ("nexus-s", [((0,), 1000000, "Cortex-A8")]),  # no "processor" line at all
    ],
)
def test_clusters_of_captured_devices(name, expected):
    assert clusters(name) == expected


SYSFS = "/sys/devices/system/cpu"
FOUR_OF_EIGHT = f"{SYSFS}/present:0-7\n{SYSFS}/online:0-3\n"
ONE_A53 = "CPU implementer : 0x41\nCPU part : 0xd03\n\n"
EACH = "".join(f"processor : {n}\n{ONE_A53}" for n in range(4))
SHARED = "".join(f"processor : {n}\n" for n in range(4)) + f"\n{ONE_A53}Hardware : X\n"
CLOCKS = "".join(f"{SYSFS}/cpu{n}/cpufreq/cpuinfo_max_freq:1500000\n" for n in range(4))
RELATED = "".join(f"{SYSFS}/cpu{n}/cpufreq/related_cpus:0 1 2 3\n" for n in range(4))
PACKAGE = "".join(f"{SYSFS}/cpu{n}/topology/physical_package_id:0\n" for n in range(8))


@pytest.mark.parametrize("cpuinfo", [EACH, SHARED], ids=["each", "shared"])
@pytest.mark.parametrize("more", ["", CLOCKS, CLOCKS + RELATED, PACKAGE, CLOCKS + PACKAGE])
def test_four_offline_cores_of_eight_are_of_no_known_kind(cpuinfo, more):
    sysfs = parse_cpu_sysfs(parse_reads(FOUR_OF_EIGHT + more))
    found = {c.cores: c.part for c in group_clusters(parse_cpuinfo(cpuinfo), sysfs)}
    assert found == {(0, 1, 2, 3): "Cortex-A53", (4, 5, 6, 7): None}


TWO_PACKAGES = "".join(f"{SYSFS}/cpu{n}/topology/physical_package_id:{n // 4}\n" for n in range(8))


@pytest.mark.parametrize(
    ("online", "evidence"),
    [("0-3", CLOCKS + RELATED.replace("2 3", "2 3 4 5 6 7")), ("0-2,4", TWO_PACKAGES)],
)
def test_offline_cores_that_share_a_clock_or_one_of_two_packages_are_of_its_kind(online, evidence):
    text = FOUR_OF_EIGHT.replace("0-3", online) + evidence
    cpuinfo = EACH if online == "0-3" else EACH.replace("processor : 3", "processor : 4")
    found = group_clusters(parse_cpuinfo(cpuinfo), parse_cpu_sysfs(parse_reads(text)))
    assert {c.part for c in found} == {"Cortex-A53"}


def test_x86_cores_are_named_by_the_model():
    assert {part for _, _, part in clusters("zenfone-2")} == {
        "Intel(R) Atom(TM) CPU Z3580 @ 1.33GHz"
    }


def test_processor_with_a_name_inside_a_block_is_no_core_number():
    info = parse_cpuinfo(capture("cpuinfo/zgemma-h9-hi3798mv200-arm32.txt"))
    assert info.parts == dict.fromkeys(range(3), "Cortex-A53")
    assert info.model_name is None


def test_shared_block_behind_the_cores_is_not_the_last_cores_own():
    info = parse_cpuinfo(capture("cpuinfo/asus-tf201-ics.txt"))
    assert (info.parts, info.shared_parts) == ({}, ("Cortex-A9",))
    assert info.hardware == "cardhu"


def test_carriage_returns_do_not_reach_the_hardware_line():
    info = parse_cpuinfo(capture("cpuinfo/galaxy-c9-pro-armeabi.txt"))
    assert info.hardware == "Qualcomm Technologies, Inc MSM8976"


def test_caches_are_listed_once_an_instance():
    caches = parse_cpu_sysfs(parse_reads(capture("cpu-sysfs/galaxy-s9-us.txt"))).caches
    third = [cache for cache in caches if cache.level == 3]
    assert [(c.size_bytes, c.cores) for c in third] == [(2048 * 1024, tuple(range(8)))]
    assert len([c for c in caches if c.level == 1 and c.type == "Data"]) == 8
    second = {c.size_bytes for c in caches if c.level == 2}
    assert second == {128 * 1024, 256 * 1024}


def test_no_cache_folder_means_no_caches():
    assert parse_cpu_sysfs(parse_reads(capture("cpu-sysfs/nexus-s.txt"))).caches == ()


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("0,4-7", (0, 4, 5, 6, 7)),
        ("4 5 6 7 \n", (4, 5, 6, 7)),
        ("0", (0,)),
        ("", ()),
        ("<unsupported>", ()),
        (None, ()),
    ],
)
def test_core_lists(text, cores):
    assert parse_core_list(text) == cores


@pytest.mark.parametrize(
    ("implementer", "part", "variant", "name"),
    [
        (0x41, 0xD80, 0, "Cortex-A520"),
        (0x53, 0x001, 1, "Exynos-M1"),
        (0x53, 0x001, 4, "Exynos-M2"),
        (0x51, 0x801, 10, "Kryo-2xx-Silver"),
        (0x41, 0xFFF, 0, "0x41/0xfff"),
    ],
)
def test_part_names(implementer, part, variant, name):
    assert part_name(implementer, part, variant) == name


def test_policies_stand_in_for_folders_of_the_cores():
    base = "/sys/devices/system/cpu/cpufreq/policy4"
    reads = parse_reads(
        "/sys/devices/system/cpu/present:0-5\n"
        f"{base}/related_cpus:4 5\n{base}/cpuinfo_max_freq:1800000\n"
    )
    found = group_clusters(parse_cpuinfo(""), parse_cpu_sysfs(reads))
    assert [(c.cores, c.max_khz) for c in found] == [((0, 1, 2, 3), None), ((4, 5), 1800000)]
