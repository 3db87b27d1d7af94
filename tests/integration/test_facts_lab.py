"""Facts over a real adbd: captured phones, and the lab's Linux box."""

from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.device import CapabilityStatus, hashed
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport

pytestmark = pytest.mark.lab

CAPTURES = Path(__file__).parents[1] / "data" / "captures"


@pytest.fixture
def transport_to():
    from adadeep.devices.adb.transport import AdbTransport

    return AdbTransport


def overlay_of(tmp_path: Path, name: str) -> Path:
    """The root of a phone with the captured files of that name."""
    root = tmp_path / "root"
    for line in (CAPTURES / "cpu-sysfs" / f"{name}.txt").read_text().splitlines():
        path, _, value = line.partition(":")
        if path.startswith("/sys/") and "time_in_state" not in path:
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(value + "\n")
    proc = root / "proc"
    proc.mkdir()
    (proc / "cpuinfo").write_bytes((CAPTURES / "cpuinfo" / f"{name}.txt").read_bytes())
    (proc / "meminfo").write_text("MemTotal:        3724000 kB\n")
    dumpsys = root / "lab" / "dumpsys"
    dumpsys.mkdir(parents=True)
    (dumpsys / "battery").write_bytes(
        (CAPTURES / "battery" / "samsung-s24ultra-oneui.txt").read_bytes()
    )
    (dumpsys / "thermalservice").write_bytes(
        (CAPTURES / "thermalservice" / "google-pixel3a-sdm670.txt").read_bytes()
    )
    zone = root / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu0\n")
    (zone / "temp").write_text("30000\n")
    (zone / "temp").chmod(0o600)  # refused to adbd's user
    supply = root / "sys/class/power_supply/battery"
    supply.mkdir(parents=True)
    (supply / "uevent").write_text(
        "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CURRENT_NOW=-976\n"
        "POWER_SUPPLY_CHARGE_FULL_DESIGN=3000000\n"
    )
    return root


def test_a_captured_phone_is_described_over_a_real_adbd(lab_phone, transport_to, tmp_path):
    props = tmp_path / "props"
    props.write_text(
        "ro.product.manufacturer=samsung\nro.product.model=SM-G960U\nro.product.device=starqltesq\n"
        "ro.build.version.release=10\nro.build.version.sdk=29\nro.soc.model=SDM845\n"
        "ro.product.cpu.abilist=arm64-v8a,armeabi-v7a,armeabi\nro.build.characteristics=phone\n"
    )
    overlay = overlay_of(tmp_path, "galaxy-s9-us")
    device = lab_phone(props=props, overlay=overlay, serial="LABFACTS")
    facts, found = gather_facts(transport_to(device.serial), Deadline.after(30))
    capabilities = {capability.name: capability for capability in found}
    assert (facts.title, facts.soc, facts.kind) == ("samsung SM-G960U", "SDM845", "phone")
    assert facts.hardware_serial == hashed("LABFACTS")
    assert [(c.cores, c.max_khz) for c in facts.clusters] == [
        ((0, 1, 2, 3), 1766400),
        ((4, 5, 6, 7), 2803200),
    ]
    assert facts.ram_bytes == 3724000 * 1024
    assert facts.battery is not None
    assert (facts.battery.capacity_mah, facts.battery.voltage_mv) == (3000, 4156)
    assert capabilities["thermal_zones"].status is CapabilityStatus.DENIED
    assert capabilities["thermal_service"].status is CapabilityStatus.READABLE
    assert capabilities["battery_current"].status is CapabilityStatus.READABLE
    assert capabilities["power_rails"].status is CapabilityStatus.ABSENT
    assert capabilities["python"].status is CapabilityStatus.ABSENT
    assert capabilities["shell"].evidence.startswith("uid=2000")


def test_a_service_that_prints_for_ever_costs_no_other_fact(lab_phone, transport_to, tmp_path):
    overlay = overlay_of(tmp_path, "galaxy-s9-us")
    service = overlay / "lab/dumpsys/battery"
    service.write_text(
        "#!/bin/sh\necho '  level: 71'; echo '  voltage: 4000'; exec yes 'and so on' 2>&1\n"
    )
    service.chmod(0o755)
    props = tmp_path / "props"
    props.write_text("ro.product.model=SM-G960U\nro.build.version.release=10\n")
    device = lab_phone(props=props, overlay=overlay)
    facts, found = gather_facts(transport_to(device.serial), Deadline.after(60))
    assert (facts.model, facts.battery.level_percent) == ("SM-G960U", 71)
    assert len(facts.clusters) == 2
    capabilities = {capability.name: capability for capability in found}
    assert capabilities["thermal_service"].status is CapabilityStatus.READABLE  # asked later


def test_the_lab_box_is_described_with_its_python(lab_box, transport_to):
    facts, found = gather_facts(transport_to(lab_box.serial), Deadline.after(30))
    capabilities = {capability.name: capability for capability in found}
    assert facts.machine == "x86_64"
    assert facts.clusters
    assert capabilities["python"].status is CapabilityStatus.READABLE
    assert "3.11" in capabilities["python"].evidence


def test_this_computer_is_described_without_adb():
    facts, _ = gather_facts(LocalTransport(), Deadline.after(30))
    assert (facts.serial, facts.transport, facts.os) == ("local", "local", "linux")
    assert facts.clusters
    assert facts.ram_bytes
    assert facts.hardware_serial is None or facts.hardware_serial.startswith("sha256:")
