"""`dumpsys power`, as Android's source writes it."""

import pytest

from adadeep.devices.parse.power_service import PowerState, parse_dumpsys_power

ANDROID_14 = """POWER MANAGER (dumpsys power)

Power Manager State:
  Settings power_manager_constants:
    no_cached_wake_locks=true
  mDirty=0x0
  mWakefulness=Awake
  mWakefulnessChanging=false
  mIsPowered=true
  mPlugType=2
  mBatteryLevel=100
  mLightDeviceIdleMode=false
  mDeviceIdleMode=false
  mDeviceIdleWhitelist=[1000, 10080]
Settings and Configuration:
  mDecoupleHalAutoSuspendModeFromDisplayConfig=false
Screen dim duration
Battery saving stats:
  Battery Saver is currently: OFF
"""
ANDROID_7 = """POWER MANAGER (dumpsys power)
Power Manager State:
  mWakefulness=Asleep
  mLowPowerModeEnabled=true
  mDeviceIdleMode=true
  mLightDeviceIdleMode=false
"""


def test_an_android_that_is_awake():
    assert parse_dumpsys_power(ANDROID_14) == PowerState("on", "none", battery_saver=False)


def test_an_android_that_sleeps_deeply_and_saves():
    assert parse_dumpsys_power(ANDROID_7) == PowerState("off", "deep", battery_saver=True)


@pytest.mark.parametrize(
    ("word", "screen"),
    [("Awake", "on"), ("Asleep", "off"), ("Dreaming", "dreaming"), ("Dozing", "dozing"),
     ("Hovering", None), ("", None)],
)  # fmt: skip
def test_a_screen_is_what_its_wakefulness_says(word, screen):
    assert parse_dumpsys_power(f"  mWakefulness={word}\n").screen == screen


@pytest.mark.parametrize(
    ("deep", "light", "doze"),
    [("true", "true", "deep"), ("false", "true", "light"), ("false", "false", "none"),
     ("no", "perhaps", None)],
)  # fmt: skip
def test_doze_is_the_deepest_that_is_told(deep, light, doze):
    text = f"  mDeviceIdleMode={deep}\n  mLightDeviceIdleMode={light}\n"
    assert parse_dumpsys_power(text).doze == doze


@pytest.mark.parametrize("text", ["", "Can't find service: power", "x mWakefulness=Awake"])
def test_what_is_no_answer_tells_nothing(text):
    assert parse_dumpsys_power(text) == PowerState()
