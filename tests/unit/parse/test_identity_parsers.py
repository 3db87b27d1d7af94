from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.devices.parse.features import android_kind, linux_kind, parse_features
from adadeep.devices.parse.getprop import parse_build_prop, parse_getprop, parse_identity
from adadeep.devices.parse.meminfo import parse_ram_bytes
from adadeep.devices.parse.os_release import parse_linux_identity, parse_os_release
from adadeep.devices.parse.sections import (
    decode,
    is_denied,
    parse_reads,
    split_sections,
)

CAPTURES = Path(__file__).parents[2] / "data" / "captures"


def capture(name: str) -> str:
    return decode((CAPTURES / name).read_bytes())


def test_carriage_returns_of_old_adbd_do_not_reach_the_values():
    identity = parse_identity(parse_getprop(capture("getprop/asus-tf201-ics.txt")))
    assert (identity.device, identity.release, identity.sdk) == ("TF201", "4.0.3", 15)


def test_a_release_that_the_api_level_contradicts_is_not_believed():
    identity = parse_identity(parse_getprop(capture("getprop/allwinner-h313-tvbox-fake-a15.txt")))
    assert (identity.release, identity.sdk) == ("10", 29)
    assert identity.characteristics == ("tv",)
    assert identity.abis == ("armeabi-v7a", "armeabi")


def test_notes_behind_a_value_are_dropped_and_the_devices_own_manufacturer_wins():
    properties = parse_getprop(capture("getprop/amlogic-ross-manufacturers.txt"))
    assert parse_identity(properties).manufacturer == "Droidlogic"


def test_a_value_over_several_lines_does_not_swallow_the_next_property():
    text = "[a.history]: [reboot,1\nshutdown,2\n]\n[ro.soc.model]: [SM8250]\n"
    properties = parse_getprop(text)
    assert properties == {"a.history": "reboot,1\nshutdown,2\n", "ro.soc.model": "SM8250"}


def test_a_value_that_never_closes_ends_at_the_next_property():
    assert parse_getprop("[a]: [x\ny\n[b]: [z]\n")["b"] == "z"


def test_utf_16_of_a_windows_shell_is_read():
    text = "[ro.soc.model]: [SM8750]\r\n".encode("utf-16")
    assert parse_getprop(decode(text)) == {"ro.soc.model": "SM8750"}


def test_identity_falls_back_to_the_partitions_when_the_product_is_a_placeholder():
    identity = parse_identity(
        {"ro.product.model": "unknown", "ro.product.vendor.model": "LM-V600"}
    )
    assert identity.model == "LM-V600"
    assert identity.manufacturer is None


def test_empty_abi_list_falls_back_to_the_old_pair():
    identity = parse_identity(
        {"ro.product.cpu.abilist": "", "ro.product.cpu.abi": "x86", "ro.product.cpu.abi2": "arm"}
    )
    assert identity.abis == ("x86", "arm")


@pytest.mark.parametrize(
    ("serial", "expected"),
    [("R58M", "R58M"), ("0123456789ABCDEF", None), ("00000000", None), ("unknown", None)],
)
def test_a_serial_that_many_devices_share_names_none(serial, expected):
    assert parse_identity({"ro.serialno": serial}).serial == expected


def test_build_prop_takes_the_first_of_a_name_and_skips_comments():
    text = "# ro.a=0\nro.a=1\nro.a=2\nimport /x.prop\nro.b=x=y\n"
    assert parse_build_prop(text) == {"ro.a": "1", "ro.b": "x=y"}


@pytest.mark.parametrize(
    ("words", "features", "battery", "kind"),
    [
        (("nosdcard", "watch"), (), True, "watch"),
        (("default",), ("android.hardware.type.watch",), True, "watch"),
        (("tv",), (), False, "tv"),
        (("default",), ("android.software.leanback",), None, "tv"),
        (("automotive",), (), False, "car"),
        (("nosdcard", "automotive"), ("android.hardware.telephony",), None, "car"),
        (("default",), ("android.hardware.type.automotive",), True, "car"),
        (("tablet",), (), False, "board"),
        (("tablet",), (), True, "phone"),
        (("default",), ("android.hardware.telephony",), None, "phone"),
        ((), (), None, None),
    ],
)
def test_kind_of_an_android_device(words, features, battery, kind):
    assert android_kind(words, features, battery) == kind


def test_features_lose_their_versions():
    text = "feature:reqGlEsVersion=0x30002\r\nfeature:android.hardware.type.watch\r\nError: x\n"
    assert parse_features(text) == {"reqGlEsVersion", "android.hardware.type.watch"}


@pytest.mark.parametrize(
    ("tree", "product", "machine", "kind"),
    [
        ("NanoPC-T4", None, "aarch64", "board"),
        (None, "ThinkPad", "x86_64", "computer"),
        (None, None, "aarch64", None),
    ],
)
def test_kind_of_a_linux_system(tree, product, machine, kind):
    assert linux_kind(tree, product, machine) == kind


def test_os_release_prefers_the_pretty_name_and_survives_a_broken_quotation():
    assert parse_os_release('NAME=Debian\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    assert parse_os_release("NAME=Armbian\nVERSION_ID='24.5\n") == "Armbian 24.5"
    assert parse_os_release("# nothing") is None


def test_linux_identity_of_a_board_comes_from_its_device_tree():
    base = "/sys/firmware/devicetree/base"
    identity = parse_linux_identity(
        parse_reads(
            f"{base}/model\tFriendlyElec NanoPC-T4\n"
            f"{base}/compatible\tfriendlyarm,nanopc-t4 rockchip,rk3399\n"
            "/etc/machine-id\t0123456789abcdef0123456789abcdef\n"
        )
    )
    assert (identity.model, identity.soc) == ("FriendlyElec NanoPC-T4", "rockchip,rk3399")


def test_dmi_placeholders_are_no_identity():
    identity = parse_linux_identity(
        parse_reads("/sys/class/dmi/id/product_name\tTo Be Filled By O.E.M.\n")
    )
    assert identity.model is None


@pytest.mark.parametrize(
    ("name", "ram_kib"),
    [
        ("asus-tf201-ics", 1006840),
        ("tcl-tv-novatek", 518440),  # begins with the echoed prompt
        ("allwinner-h313-tvbox-free-m", None),  # `free -m`, no meminfo
    ],
)
def test_ram_is_memtotal(name, ram_kib):
    found = parse_ram_bytes(capture(f"meminfo/{name}.txt"))
    assert found == (None if ram_kib is None else ram_kib * 1024)


def test_sections_carry_stdout_stderr_and_exit_status():
    text = (
        "noise\nT begin a\r\nhello\r\n\nT errors 1\ncat: x: Permission denied\n\nT end\nT done\n"
    )
    sections, done = split_sections(text, "T")
    assert done
    assert (sections["a"].text, sections["a"].exit_code) == ("hello", 1)
    assert sections["a"].denied


def test_an_answer_that_breaks_off_is_not_complete():
    sections, done = split_sections("T begin a\nhello\n\nT errors 0\n\nT end\nT begin b\nhal", "T")
    assert list(sections) == ["a"]
    assert not done


def test_reads_keep_colons_of_paths_and_tell_failures():
    reads = parse_reads(
        "/sys/class/powercap/intel-rapl:0/energy_uj\t5\n"
        "!/sys/class/power_supply/bms/temp\tsh: can't open x: Permission denied\n"
        "/sys/devices/system/cpu/present:0-7\n"
    )
    assert reads.number("/sys/class/powercap/intel-rapl:0/energy_uj") == 5
    assert reads.values["/sys/devices/system/cpu/present"] == "0-7"
    assert is_denied(reads.failures["/sys/class/power_supply/bms/temp"])
