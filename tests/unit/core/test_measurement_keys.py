import json
from dataclasses import asdict

import msgspec
import pytest

from adadeep.core.measurement import MeasureSettings, measurement_key


def test_settings_have_the_same_key_after_a_trip_by_json_and_in_whole_numbers():
    settings = MeasureSettings(min_ms=60, max_ms=1500)
    there_and_back = msgspec.convert(json.loads(json.dumps(asdict(settings))), MeasureSettings)
    assert there_and_back.key == settings.key == MeasureSettings(min_ms=60.0, max_ms=1500.0).key


@pytest.mark.parametrize(
    "change", [{"threads": 2}, {"core_mask": "f"}, {"launches": 3}, {"ci_relative": 0.01}]
)
def test_every_setting_is_part_of_the_cache_key(change):
    one = measurement_key("a" * 64, "b" * 16, MeasureSettings())
    assert measurement_key("a" * 64, "b" * 16, MeasureSettings(**change)) != one


def test_model_and_device_are_part_of_the_cache_key():
    keys = {measurement_key(m * 64, d * 16, MeasureSettings()) for m in "ab" for d in "cd"}
    assert len(keys) == 4
