"""Tables of version 0.1: read as what they would be today."""

import json

import pytest

from adadeep.core.errors import FormatError
from adadeep.core.layers import LayerKind, LayerSpec
from adadeep.core.measure_settings import MeasureSettings
from adadeep.profiles.schema import from_json_lines, to_json_lines
from fakes.profiled import entry

LAYER = LayerSpec("dense", LayerKind.DENSE, (8,), (4,))


def row(*launches, **changes):
    """As version 0.1.0 wrote one."""
    [new] = [json.loads(to_json_lines([entry(LAYER, 1.0)]))]
    measured = new["measurement"]
    for key in ("placements", "session"):
        del measured[key]
    old = {
        **measured,
        "settings": {
            "threads": 1, "core_mask": None, "launches": 2, "warmup_min_runs": 3,
            "warmup_min_ms": 8.0, "min_runs": 20, "max_runs": 600, "min_ms": 40.0, "max_ms": 600.0,
            "ci_relative": 0.03, "input_ranges": [], "input_shapes": [], "input_file": None,
        },
        "launches": list(launches),
        "anchor_ratio": 2.5, "anchor_drift": 0.01, "attempts": 1,
    }  # fmt: skip
    return {**new, "measurement": {**old, **changes}}


def launch(*runs_ns):
    return {"load_ns": 10, "first_ns": 20, "warmup_ns": [5, 5], "runs_ns": list(runs_ns)}


def read(*rows):
    return from_json_lines("".join(json.dumps(one) + "\n" for one in rows), "t.jsonl")


def test_a_launch_is_a_placement_with_one_block():
    [found] = read(row(launch(100, 110, 120), launch(200, 210)))
    measured = found.measurement
    assert measured.settings == MeasureSettings()
    assert [p.number for p in measured.placements] == [0, 1]
    assert [(p.load_ns, p.first_ns, p.launch) for p in measured.placements] == [(10, 20, 0)] * 2
    assert [block.times_ns for block in measured.blocks] == [(100, 110, 120), (200, 210)]
    assert measured.latency_ms == pytest.approx((110 + 205) / 2 / 1e6)
    assert (measured.session, found.reference_ms) == ("", None)


def test_what_was_read_is_written_as_of_today():
    found = read(row(launch(100, 110)))
    assert from_json_lines(to_json_lines(found), "t.jsonl") == found


def test_what_was_suspect_stays_disturbed_and_a_launch_without_runs_tells_nothing():
    [found] = read(row(launch(), launch(100), disturbed=["the clock dropped 20%"]))
    assert found.measurement.disturbed == ("the clock dropped 20%",)
    assert [p.number for p in found.measurement.placements] == [0]


def test_rows_of_today_and_failed_layers_are_read_as_they_are():
    today = json.loads(to_json_lines([entry(LAYER, 1.0)]))
    failed = {**today, "measurement": None, "error": "no such op"}
    found = read(today, failed)
    assert found[0].measurement.latency_ms == 1.0
    assert found[1].error == "no such op"


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (row(), r"'measurement'.*0 placements"),
        (row(launch()), r"'measurement'.*0 placements"),
        (row({**launch(5), "load_ns": "10"}), r"placements\[0\]\.load_ns"),
        (row({**launch(5), "runs_ns": ["x"]}), r"placements\[0\]\.blocks\[0\]\.times_ns"),
        (row({**launch(5), "runs_ns": None}), r"blocks\[0\]\.times_ns"),
        (row(launch(0)), r"blocks\[0\]'.*not from 1"),
        (row("launch"), r"placements\[0\]"),
        (row(launch(5), settings="none"), r"'measurement\.settings'"),
        (row(launch(5), settings={"threads": -1.5}), r"settings"),
        (row(launch(5), more=1), r"unknown key 'measurement\.more'"),
    ],
)
def test_a_wrong_row_is_refused_in_one_sentence(old, words):
    with pytest.raises(FormatError, match=words) as caught:
        read(old)
    assert str(caught.value).startswith("t.jsonl, line 1: ")
    assert "\n" not in str(caught.value)
