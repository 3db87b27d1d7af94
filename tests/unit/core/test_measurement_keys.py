import json
from dataclasses import asdict, replace

import msgspec
import pytest

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement, measurement_key
from adadeep.core.target import Target
from adadeep.testing.measurements import measurement


def test_settings_have_the_same_key_after_a_trip_by_json_and_in_whole_numbers():
    settings = MeasureSettings(min_ms=60, max_ms=1500)
    there_and_back = msgspec.convert(json.loads(json.dumps(asdict(settings))), MeasureSettings)
    assert there_and_back.key == settings.key == MeasureSettings(min_ms=60.0, max_ms=1500.0).key


TARGET = Target("b" * 16, "Box", "linux-python", "litert", "2.3.0", MeasureSettings())


@pytest.mark.parametrize(
    "change", [{"threads": 2}, {"core_mask": "f"}, {"launches": 3}, {"ci_relative": 0.01}]
)
def test_every_setting_is_part_of_the_cache_key(change):
    other = replace(TARGET, settings=replace(TARGET.settings, **change))
    assert measurement_key("a" * 64, other) != measurement_key("a" * 64, TARGET)


@pytest.mark.parametrize(
    "change",
    [
        {"device_fingerprint": "c" * 16}, {"agent": "android-java"}, {"runtime": "tflite"},
        {"runtime_version": "2.4.0"}, {"accelerator": "gpu"},
    ],
)  # fmt: skip
def test_every_part_of_a_target_is_part_of_its_key(change):
    assert replace(TARGET, **change).key != TARGET.key


def test_a_title_is_for_people():
    assert replace(TARGET, device_title="The same box").key == TARGET.key


def test_model_and_target_are_part_of_the_cache_key():
    targets = [TARGET, replace(TARGET, device_fingerprint="d" * 16)]
    assert len({measurement_key(m * 64, target) for m in "ab" for target in targets}) == 4


def test_a_measurement_is_of_its_target_and_one_of_before_of_the_cpu():
    made = measurement(b"a model")
    record = msgspec.to_builtins(made)
    assert record.pop("accelerator") == "cpu"
    read = msgspec.convert(record, Measurement)
    assert read.target == made.target
    assert made.target.agent == made.agent.name
    assert read.key == measurement_key(made.model_sha256, made.target)
