"""What is said of a measurement: each number with how sure it is, and what disturbed it."""

from dataclasses import replace

import pytest

from adadeep.core.estimates import RatioEstimate
from adadeep.core.measure_settings import MeasureSettings
from adadeep.core.measurement import (
    Agent,
    Block,
    Conditions,
    Delegate,
    FedInput,
    Measurement,
    Memory,
    Placement,
)
from adadeep.core.noise import PRIOR
from adadeep.report.measurement_lines import (
    comparison_rows,
    conditions_text,
    measurement_rows,
    ratio_text,
    runs_text,
    switch_cost,
    verdict,
)
from adadeep.testing.measurements import together

HOT = Conditions(
    0.0, (1_800_000, None, 600_000), ("schedutil", None, "schedutil"), {"cpu": 41.0, "gpu": 39.5},
    0.5, 80.0, "Discharging", (0, 1, 2),
)  # fmt: skip
TIMES = (400_000, 410_000, 420_000)


def placement(number, launch=0, **changes):
    blocks = tuple(Block(n, n, 1, TIMES, dropped_ns=697_000) for n in range(2))
    return replace(Placement(number, launch, 5_000_000, 900_000, blocks), **changes)


MEASUREMENT = Measurement(
    "ab" * 32, 1_000_000, "f" * 16, "Box",
    Agent("linux-python", "0.1.0", "ai_edge_litert", "2.3.0"),
    MeasureSettings(threads=2, core_mask="f0"),
    (placement(0, cold_ns=(820_000,)), placement(1), placement(2, 1)),
    (Delegate("XNNPACK", 7), Delegate("none", 1)), Memory(1, 2_000_000, 1_000_000, True), HOT, HOT,
)  # fmt: skip


def rows_of(measured=MEASUREMENT, session=None):
    return dict(measurement_rows(measured, PRIOR, session))


def test_everything_that_was_measured_is_there_with_its_origin():
    rows = rows_of()
    assert rows["latency, median"] == "0.41 ms  (measured)"
    assert rows["timed runs"] == "18 in 6 blocks, 3 placements, 2 launches"
    assert rows["first inference"] == "0.9 ms"
    assert rows["run with cold caches"] == "0.82 ms, 2.00 times a warm one"
    assert rows["first run after another network"] == "1.70 times a warm one"
    assert rows["load"] == "5 ms"
    assert rows["nodes run by"] == "XNNPACK: 7, none: 1"
    assert rows["runtime"] == "ai_edge_litert 2.3.0, 2 threads, cores f0"
    assert "disturbed" not in rows


def test_the_device_the_next_session_and_this_one_have_intervals_of_their_own():
    rows, found = rows_of(), PRIOR.latency([MEASUREMENT])
    device = rows["95 % interval on this device"]
    assert device.startswith(f"{found.low_ms:.3g} ms to {found.high_ms:.3g} ms  (give or take ")
    assert "was not measured" in device
    assert (
        rows["another session, 95 %"]
        == f"{found.next_low_ms:.3g} ms to {found.next_high_ms:.3g} ms"
    )
    alone = rows["this session alone, 95 %"]
    assert alone == f"{found.session_low_ms:.3g} ms to {found.session_high_ms:.3g} ms"
    assert found.next_high_ms > found.high_ms >= found.session_high_ms


def test_percentiles_have_intervals_too():
    rows = rows_of()
    for name, fraction in (("p95", 0.95), ("p99", 0.99)):
        found = PRIOR.percentile(MEASUREMENT, fraction)
        assert rows[name].startswith(f"{found.value_ms:.3g} ms  (95 %: {found.low_ms:.3g} ms to")


def test_why_a_session_ended_is_said():
    session = together([b"a"])
    rows = rows_of(session.measurements[0], session)
    assert rows["ended"] == "all placements"
    assert "ended" not in rows_of()


def test_what_is_not_known_has_no_row():
    rows = rows_of(together([b"a"]).measurements[0])
    assert "run with cold caches" not in rows
    assert "first run after another network" not in rows
    assert switch_cost(together([b"a"]).measurements[0]) is None


def test_disturbed_samples_say_why():
    disturbed = replace(MEASUREMENT, disturbed=("the clock dropped 20%", "waited 9%"))
    assert rows_of(disturbed)["disturbed"] == "the clock dropped 20%; waited 9%"


def test_groups_of_runs_are_told_and_one_is_one():
    grouped = Placement(0, 0, 1, 1, (Block(0, 0, 250, (1000, 2000)),))
    one = replace(MEASUREMENT, placements=(grouped,))
    assert runs_text(one) == "500 in 1 block, 1 placement, 1 launch, timed 250 at a time"


def test_conditions_show_what_is_readable_and_say_what_is_not():
    shown = "600-1800 MHz, schedutil, 41 °C (cpu), load 0.50, battery 80 % Discharging"
    assert conditions_text(HOT) == shown
    slowed = replace(HOT, cooling={"cpufreq-cpu0": 1, "cpufreq-cpu4": 3})
    assert "41 °C (cpu), slowed for heat (cpufreq-cpu4 3), load" in conditions_text(slowed)
    assert conditions_text(replace(HOT, cooling={"cpufreq-cpu0": 0})) == shown
    bare = conditions_text(Conditions(0.0))
    assert bare == "clocks unreadable, governor unreadable, temperature unreadable"


def test_what_an_android_tells_beside_is_shown_as_far_as_it_is_told():
    told = replace(
        HOT, plugged="usb", screen="off", doze="deep", battery_saver=True, thermal_status=3
    )
    more = "power from usb, screen off, deep doze, battery saver, thermal status 3"
    assert conditions_text(told) == f"{conditions_text(HOT)}, {more}"
    quiet = replace(
        HOT, plugged="nothing", screen="on", doze="none", battery_saver=False, thermal_status=0
    )
    assert conditions_text(quiet) == f"{conditions_text(HOT)}, on battery, screen on"


def test_where_the_system_let_it_run_is_shown_where_it_is_known():
    assert "ran on" not in rows_of(MEASUREMENT)
    there = "cpuset /foreground, cores 0-7"
    known = replace(MEASUREMENT, before=replace(HOT, scheduling=there))
    assert rows_of(known)["ran on"] == there


def test_unreadable_memory_is_named_and_not_a_zero():
    assert rows_of(replace(MEASUREMENT, memory=Memory()))["memory"] == "unreadable"


def test_an_open_batch_is_said():
    fed = FedInput("x", "float32", (1, 8), (-1, 8), "random 0..1")
    assert "leaves the batch open" in rows_of(replace(MEASUREMENT, inputs=(fed,)))["input x"]


# ---- comparisons


def test_each_model_is_compared_with_the_first():
    session = together([b"a", b"b", b"c"], [1_000_000, 500_000, 1_000_000])
    rows = comparison_rows(session, ["old", "new", "same"], PRIOR)
    assert [row[0] for row in rows] == ["old", "new", "same"]
    assert [row[1] for row in rows] == ["1 ms", "0.5 ms", "1 ms"]
    assert rows[1][2].startswith("0.500 (")
    assert [row[3] for row in rows[1:]] == ["50 % faster", "as good as"]


@pytest.mark.parametrize(
    ("log_ratio", "sd", "said"),
    [
        (-0.2231, 0.001, "20 % faster"),
        (0.05, 0.001, "5.1 % slower"),
        (1.386, 0.001, "4 times"),
        (0.05, 0.05, "as good as"),
        (0.0, 0.0, "as good as"),
    ],
)
def test_a_verdict_is_what_the_interval_allows(log_ratio, sd, said):
    assert verdict(RatioEstimate(log_ratio, sd, 10.0)) == said


def test_a_ratio_has_its_interval():
    found = RatioEstimate(0.0, 0.01, 1e9)
    assert ratio_text(found) == "1.000 (0.981 to 1.020)"
