from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import Capability, CapabilityStatus, hashed
from adadeep.core.errors import TransientDeviceError
from adadeep.core.transport import ShellResult
from adadeep.devices.facts import gather_facts
from adadeep.devices.facts_script import facts_script
from adadeep.devices.parse.sections import decode, split_sections

CAPTURES = Path(__file__).parents[2] / "data" / "captures"
READABLE, DENIED = CapabilityStatus.READABLE, CapabilityStatus.DENIED
ABSENT, IMPLAUSIBLE = CapabilityStatus.ABSENT, CapabilityStatus.IMPLAUSIBLE


def capture(name: str) -> str:
    return decode((CAPTURES / name).read_bytes())


class ReplayTransport:
    """Answers the facts script with recorded sections: name -> stdout, or (stdout, stderr)."""

    serial = "R58M"
    kind = "adb"
    workdir = "/data/local/tmp/adadeep"

    def __init__(self, sections: dict[str, str | tuple[str, str]], complete: bool = True) -> None:
        self.sections = sections
        self.complete = complete
        self.commands: list[str] = []

    def run(self, command: str, deadline: Deadline) -> ShellResult:
        self.commands.append(command)
        match = re.match(r"T=(\S+)", command)
        assert match
        token, answer = match[1], ""
        for name, said in self.sections.items():
            stdout, stderr = said if isinstance(said, tuple) else (said, "")
            answer += f"{token} begin {name}\n{stdout}\n{token} errors 0\n{stderr}\n{token} end\n"
        answer += f"{token} done\n" if self.complete else ""
        return ShellResult(command, answer.encode(), b"", 0)


def gather(sections, **options):
    facts, capabilities = gather_facts(ReplayTransport(sections, **options), Deadline.after(10))
    return facts, {capability.name: capability for capability in capabilities}


def status(capabilities: dict[str, Capability], name: str) -> CapabilityStatus:
    return capabilities[name].status


PHONE = {
    "id": "uid=2000(shell) gid=2000(shell)",
    "uname": "Linux 4.9.186-perf aarch64",
    "cpuinfo": capture("cpuinfo/galaxy-s9-us.txt"),
    "cpu": capture("cpu-sysfs/galaxy-s9-us.txt"),
    "meminfo": "MemTotal:        3724000 kB\n",
    "getprop": (
        "[ro.product.manufacturer]: [samsung]\n[ro.product.model]: [SM-G960U]\n"
        "[ro.build.version.sdk]: [29]\n[ro.build.version.release]: [10]\n"
        "[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a]\n[ro.serialno]: [R58M]\n"
        "[ro.build.characteristics]: [phone]\n[ro.board.platform]: [sdm845]\n"
    ),
    "battery": capture("battery/samsung-gh0st-a8.txt"),
    "power": (
        "/sys/class/power_supply/battery/uevent\t|POWER_SUPPLY_TYPE=Battery"
        "|POWER_SUPPLY_CURRENT_NOW=321|POWER_SUPPLY_CHARGE_FULL_DESIGN=3000000"
    ),
    "thermalservice": capture("thermalservice/samsung-a52-5g-a12.txt"),
    "rails": ("", "Can't find service: android.hardware.power.stats.IPowerStats/default"),
}


def test_a_phone_is_asked_once_and_described_whole():
    transport = ReplayTransport(PHONE)
    facts, capabilities = gather_facts(transport, Deadline.after(10))
    assert len(transport.commands) == 1
    assert (facts.serial, facts.transport, facts.os, facts.kind) == (
        "R58M",
        "adb",
        "android",
        "phone",
    )
    assert facts.title == "samsung SM-G960U"
    assert facts.soc == "Qualcomm Technologies, Inc SDM845"
    assert (facts.kernel, facts.machine) == ("4.9.186-perf", "aarch64")
    assert facts.abis == ("arm64-v8a", "armeabi-v7a")
    assert facts.ram_bytes == 3724000 * 1024
    assert [len(cluster.cores) for cluster in facts.clusters] == [4, 4]
    assert facts.battery is not None
    assert (facts.battery.capacity_mah, facts.battery.level_percent) == (3000, 84)
    assert facts.hardware_serial == hashed("R58M")
    assert len({capability.name for capability in capabilities}) == len(capabilities) == 14


def test_capabilities_tell_what_was_read_with_the_evidence():
    _, capabilities = gather(PHONE)
    assert status(capabilities, "shell") is READABLE
    assert status(capabilities, "cpu_frequency") is READABLE
    assert "scaling_cur_freq = 748800" in capabilities["cpu_frequency"].evidence
    assert status(capabilities, "cpu_caches") is READABLE
    assert status(capabilities, "thermal_service") is READABLE
    assert status(capabilities, "battery") is READABLE
    assert "current_now 321" in capabilities["battery_current"].evidence
    assert status(capabilities, "battery_charge_counter") is ABSENT  # it says 0
    assert status(capabilities, "power_rails") is ABSENT
    assert status(capabilities, "python") is ABSENT
    assert status(capabilities, "app_process") is ABSENT


def test_refused_is_not_absent():
    refused = "cat: /sys/class/power_supply/battery/current_now: Permission denied"
    _, capabilities = gather(
        {
            **PHONE,
            "power": f"!/sys/class/power_supply/battery/current_now\t{refused}",
            "thermal": ("", "ls: /sys/class/thermal: Permission denied"),
            "energy": "!/sys/class/powercap/intel-rapl:0/energy_uj\tsh: Permission denied",
        }
    )
    assert status(capabilities, "thermal_zones") is DENIED
    assert status(capabilities, "rapl") is DENIED
    _, none = gather({"id": "uid=0"})
    assert status(none, "thermal_zones") is ABSENT
    assert status(none, "rapl") is ABSENT


@pytest.mark.parametrize(
    ("battery", "name", "evidence"),
    [
        ("(UPDATES STOPPED)\nlevel: 5\nscale: 100\nvoltage: 4000\n", "battery", "UPDATES STOPPED"),
        ("level: 5\nscale: 100\nvoltage: 0\n", "battery", "voltage: 0"),
        (
            "level: 97\nscale: 100\nvoltage: 4000\nCharge counter: 4622\n",
            "battery_charge_counter",
            "looks like mAh",
        ),
    ],
)
def test_faked_and_wrong_batteries_are_implausible_with_the_evidence(battery, name, evidence):
    _, capabilities = gather({**PHONE, "power": "", "battery": battery})
    assert status(capabilities, name) is IMPLAUSIBLE
    assert evidence in capabilities[name].evidence


def test_a_current_of_0_while_discharging_is_implausible():
    keys = "|POWER_SUPPLY_TYPE=Battery|POWER_SUPPLY_CURRENT_NOW=0"
    power = f"/sys/class/power_supply/battery/uevent\t{keys}"
    battery = "status: 3\nlevel: 50\nscale: 100\nvoltage: 3900\n"
    _, capabilities = gather({**PHONE, "power": power, "battery": battery})
    assert status(capabilities, "battery_current") is IMPLAUSIBLE


def test_rails_of_a_power_hal_are_readable():
    _, capabilities = gather({**PHONE, "rails": capture("powerstats/pixel6-odpm-device1-g3d.txt")})
    assert status(capabilities, "power_rails") is READABLE


def test_an_ina_of_hwmon_is_a_rail():
    energy = (
        "/sys/class/hwmon/hwmon0/name\tcpu_thermal\n/sys/class/hwmon/hwmon1/name\tina3221\n"
        "/sys/class/hwmon/hwmon1/curr1_input\t312\n"
    )
    _, capabilities = gather({"id": "uid=0", "energy": energy})
    assert status(capabilities, "power_rails") is READABLE
    assert "curr1_input = 312" in capabilities["power_rails"].evidence


def test_a_board_is_described_by_its_device_tree():
    base = "/sys/firmware/devicetree/base"
    facts, _ = gather(
        {
            "uname": "Linux 6.1.0-13-arm64 aarch64",
            "os_release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            "linux": (
                f"{base}/model\tNanoPC-T4\n"
                f"{base}/compatible\tfriendlyarm,nanopc-t4 rockchip,rk3399\n"
            ),
        }
    )
    assert (facts.os, facts.kind, facts.model) == ("linux", "board", "NanoPC-T4")
    assert (facts.soc, facts.abis) == ("rockchip,rk3399", ("arm64-v8a",))
    assert facts.os_version == "Debian GNU/Linux 12 (bookworm)"
    assert facts.battery is None


@pytest.mark.parametrize(
    ("cpuinfo", "soc"),
    [
        ("Hardware : Qualcomm Technologies, Inc MSM8956\n", "Qualcomm Technologies, Inc MSM8956"),
        ("Hardware : cardhu\n", "msm8952"),  # a board's name says less than the platform
        ("processor : 0\nvendor_id : GenuineIntel\nmodel name : Atom Z3745\n", "Atom Z3745"),
    ],
)
def test_the_most_telling_name_of_the_chip_is_taken(cpuinfo, soc):
    facts, _ = gather({"getprop": "[ro.board.platform]: [msm8952]\n", "cpuinfo": cpuinfo})
    assert facts.soc == soc


def test_nothing_but_the_serial_itself_holds_a_serial():
    uevent = "/sys/class/power_supply/BAT0/uevent\t|POWER_SUPPLY_SERIAL_NUMBER=R58M1234"
    said = {
        "getprop": "[ro.serialno]: [R58M1234]\n", "power": uevent, "id": "uid=2000(R58M1234)",
        "linux": "/etc/machine-id\tfedcba9876543210",
    }  # fmt: skip
    for extra in ({}, {"getprop": ""}):
        facts, capabilities = gather(said | extra)
        text = repr((facts, capabilities))
        assert facts.hardware_serial
        assert "fedcba9876543210" not in text
        assert "R58M1234" not in text or extra
        assert facts.hardware_serial.startswith("sha256:")


def test_unknown_facts_are_none_not_guesses():
    facts, _ = gather({"getprop": "[ro.build.version.sdk]: [23]\n"})
    assert (facts.manufacturer, facts.model, facts.soc, facts.ram_bytes) == (None,) * 4
    assert facts.clusters == ()


def test_an_answer_that_breaks_off_is_a_broken_link():
    with pytest.raises(TransientDeviceError, match=r"R58M.*broke off"):
        gather(PHONE, complete=False)


def test_the_script_fits_the_command_line_of_an_old_adbd():
    assert len(facts_script("adadeep-0123456789abcdef").encode()) < 4000


def test_the_script_runs_in_the_shell_of_this_computer():
    done = subprocess.run(["sh", "-c", facts_script("TOKEN")], capture_output=True, check=True)
    sections, complete = split_sections(decode(done.stdout), "TOKEN")
    assert complete
    assert {"id", "uname", "cpuinfo", "cpu", "power", "thermal", "python"} <= set(sections)
    assert sections["id"].text.startswith("uid=")
    assert sections["uname"].exit_code == 0
    assert done.stderr == b""
