import json
from dataclasses import asdict, replace

import msgspec
import pytest

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Measurement, measurement_key
from adadeep.core.measuring_plan import MeasuringPlan
from adadeep.core.session import session_id
from adadeep.core.target import Target
from adadeep.testing.measurements import measurement


def test_settings_have_the_same_key_after_a_trip_by_json():
    settings = MeasureSettings(
        threads=2, input_ranges=((None, 0, 9),), input_shapes=(("x", (1, 2)),)
    )
    there_and_back = msgspec.convert(json.loads(json.dumps(asdict(settings))), MeasureSettings)
    assert there_and_back.key == settings.key


def test_a_session_is_named_by_its_models_its_plan_and_its_target():
    """20 and 20.0 are the same plan; what an agent sends back is the plan that was sent."""
    plan = MeasuringPlan(placement_ms=20)
    back = msgspec.convert(json.loads(json.dumps(plan.message)), MeasuringPlan)
    assert back == plan == MeasuringPlan(placement_ms=20.0)
    name = session_id(["a" * 64, "b" * 64], plan, "0" * 8)
    assert name == session_id(["a" * 64, "b" * 64], back, "0" * 8)
    others = [
        (["b" * 64, "a" * 64], plan, "0" * 8),
        (["a" * 64, "b" * 64], replace(plan, seed=1), "0" * 8),
        (["a" * 64, "b" * 64], plan, "1" * 8),
    ]
    assert len({name, *(session_id(*other) for other in others)}) == 4


TARGET = Target("b" * 16, "Box", "linux-python", "litert", "2.3.0", MeasureSettings())


@pytest.mark.parametrize(
    "change",
    [
        {"threads": 2},
        {"core_mask": "f"},
        {"input_ranges": ((None, 0, 9),)},
        {"input_shapes": ((None, (1, 2)),)},
        {"input_file": "a" * 64},
    ],
)
def test_every_setting_is_part_of_the_cache_key(change):
    other = replace(TARGET, settings=replace(TARGET.settings, **change))
    assert measurement_key("a" * 64, other) != measurement_key("a" * 64, TARGET)


@pytest.mark.parametrize(
    "change",
    [
        {"device_fingerprint": "c" * 16}, {"agent": "android-java"}, {"runtime": "tflite"},
        {"runtime_version": "2.4.0"}, {"accelerator": "gpu"},
        {"scheduling": "cpuset /, cores 0-7"}, {"scheduling": "cpuset /top-app, cores 0-7"},
    ],
)  # fmt: skip
def test_every_part_of_a_target_is_part_of_its_key(change):
    assert replace(TARGET, **change).key != TARGET.key


def test_a_shell_and_an_app_are_never_the_same_target():
    shell, app = (
        replace(TARGET, scheduling=f"cpuset {group}, cores 0-7") for group in ("/", "/top-app")
    )
    assert len({TARGET.key, shell.key, app.key}) == 3


def test_a_target_of_which_no_scheduling_is_known_has_the_key_that_it_always_had():
    assert TARGET.key == "c3380dfe"


def test_a_measurement_is_of_the_target_where_it_ran():
    made = measurement(b"a model")
    moved = replace(made, before=replace(made.before, scheduling="cpuset /, cores 0-3"))
    assert moved.target == replace(made.target, scheduling="cpuset /, cores 0-3")


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
