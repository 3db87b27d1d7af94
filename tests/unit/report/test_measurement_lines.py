from dataclasses import replace

from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import Agent, Conditions, Delegate, Launch, Measurement, Memory
from adadeep.report.measurement_lines import conditions_text, measurement_rows

HOT = Conditions(
    0.0, (1_800_000, None, 600_000), ("schedutil", None, "schedutil"), {"cpu": 41.0, "gpu": 39.5},
    0.5, 80.0, "Discharging", (0, 1, 2),
)  # fmt: skip
MEASUREMENT = Measurement(
    "ab" * 32, 1_000_000, "f" * 16, "Box",
    Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0"),
    MeasureSettings(threads=2, core_mask="f0"),
    (Launch(5_000_000, 900_000, (500_000,) * 3, (400_000, 410_000, 420_000)),),
    (Delegate("XNNPACK", 7), Delegate("none", 1)), Memory(1, 2_000_000, 1_000_000, True), HOT, HOT,
)  # fmt: skip


def test_everything_that_was_measured_is_there_with_its_origin():
    rows = dict(measurement_rows(MEASUREMENT))
    assert rows["latency, median"] == "0.41 ms  (measured)"
    assert rows["first inference"] == "0.9 ms"
    assert rows["load"] == "5 ms"
    assert rows["nodes run by"] == "XNNPACK: 7, none: 1"
    assert rows["anchor model"] == "not measured"
    assert rows["runtime"] == "ai_edge_litert 2.3.0, 2 threads, cores f0"
    assert "suspect" not in rows


def test_suspect_samples_say_why():
    disturbed = replace(MEASUREMENT, disturbed=("the clock dropped 20%",), attempts=3)
    assert "clock dropped 20%" in dict(measurement_rows(disturbed))["suspect"]
    assert "3 attempts" in dict(measurement_rows(disturbed))["suspect"]


def test_conditions_show_what_is_readable_and_say_what_is_not():
    shown = "600-1800 MHz, schedutil, 41 °C (cpu), load 0.50, battery 80 % Discharging"
    assert conditions_text(HOT) == shown
    bare = conditions_text(Conditions(0.0))
    assert bare == "clocks unreadable, governor unreadable, temperature unreadable"


def test_unreadable_memory_is_named_and_not_a_zero():
    unreadable = replace(MEASUREMENT, memory=Memory())
    assert dict(measurement_rows(unreadable))["memory"] == "unreadable"
