"""What an Android says of its state, over a real adbd: to `adadeep devices`, and to an agent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.devices.adb.transport import AdbTransport
from adadeep.devices.first_contact import ASLEEP
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.session import MeterOptions, open_meter
from conftest import require_android

pytestmark = pytest.mark.lab
CAPTURES = Path(__file__).parents[1] / "data" / "captures"
QUICK = MeasuringPlan(placements=2, placement_ms=2, block_ms=1, drop_ms=0, warmup_ms=0)
MODEL = tflite_of(SingleLayer(dense(64, 64)))
POWER = (
    "POWER MANAGER (dumpsys power)\n  mWakefulness={wakefulness}\n  mLightDeviceIdleMode=false\n"
    "  mDeviceIdleMode=false\n  Battery Saver is currently: ON\n"
)


def services(folder: Path, wakefulness: str) -> Path:
    """An overlay whose `dumpsys` answers as captured phones did."""
    place = folder / "lab" / "dumpsys"
    place.mkdir(parents=True)
    (place / "power").write_text(POWER.format(wakefulness=wakefulness))
    (place / "battery").write_bytes((CAPTURES / "battery/samsung-s24ultra-oneui.txt").read_bytes())
    (place / "thermalservice").write_bytes(
        (CAPTURES / "thermalservice/google-pixel3a-sdm670.txt").read_bytes()
    )
    return folder


@pytest.mark.agent_life
def test_a_session_has_what_the_services_say_and_where_the_agent_runs(
    lab_phone: Callable[..., Any], android_props: Path, tmp_path: Path
) -> None:
    require_android()
    overlay = services(tmp_path, "Awake")
    phone = lab_phone(android=True, props=android_props, overlay=overlay)
    options = MeterOptions("android-java")
    with open_meter(AdbTransport(phone.serial), Deadline.after(60), None, options) as meter:
        target = meter.target
        [measured] = meter.measure([MODEL], QUICK).measurements
    for state in (measured.before, measured.after):
        assert (state.battery_percent, state.battery_status) == (75, "Charging")
        assert (state.plugged, state.screen, state.doze) == ("usb", "on", "none")
        assert state.battery_saver is True
        assert state.thermal_status == 0
        assert state.temperatures_c["cpu0-gold-usr"] == pytest.approx(33.8)  # not the stale 46.7
    assert "battery saver was on" in measured.disturbed
    assert measured.before.scheduling
    assert "cores 0" in measured.before.scheduling
    assert measured.target == target
    assert measured.key == measured.key.partition("-")[0] + "-" + target.key


def test_one_that_sleeps_is_told_under_its_row(
    fresh_adb: int, lab_phone: Callable[..., Any], tmp_path: Path
) -> None:
    asleep = lab_phone(overlay=services(tmp_path, "Asleep"))
    awake = lab_phone()
    command = [sys.executable, "-m", "adadeep", "devices", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    notes = {row["serial"]: row["notes"] for row in json.loads(done.stdout)["devices"]}
    assert notes == {asleep.serial: [ASLEEP], awake.serial: [], "local": []}
